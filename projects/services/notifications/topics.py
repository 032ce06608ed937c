"""Which events a channel may hear of, and under what topic."""

from projects.models import Event
from projects.services.record import HUB
from projects.states import Topic

KINDS: dict[str, Topic] = {
    "health.hold": Topic.HOLD,
    "container.refreshed": Topic.REFRESH,
    "container.rolled_back": Topic.REFRESH,
    "container.unhealthy": Topic.UNHEALTHY,
    "engine.lost": Topic.ENGINE,
    "engine.back": Topic.ENGINE,
    "health.waiting_long": Topic.WAITING,
}
OF_A_PROJECT = tuple(topic for topic in Topic if topic is not Topic.ENGINE)
"""The Engine is the hub's: what is said of it may tell of its host."""
BY_ITSELF = "container.refreshed"


def topic_of(event: Event) -> Topic | None:
    """None for what nobody is told of: a refresh that somebody asked for is no news to those who look on."""
    if event.kind == BY_ITSELF and event.actor_name != HUB.name:
        return None
    return KINDS.get(event.kind)
