"""What is remembered from one look to the next: series of breaches, healthy spells, whether a refresh helped."""

from dataclasses import replace
from datetime import datetime

from projects.services.decisions.readings import ORDER, breached
from projects.services.decisions.values import (
    BREACH_STALE,
    CHECK_AFTER,
    HEALTHY_SPELL,
    RELIEF,
    TELL_AFTER,
    Decision,
    History,
    Observation,
    Policy,
    RuleState,
)
from projects.states import Health, Rule, Verdict


def follow(history: History, seen: Observation, policy: Policy, now: datetime) -> History:
    """The history with this look in it. A reading that is not known changes nothing."""
    if not seen.running or seen.proving:
        return replace(history, healthy_at=None) if history.healthy_at else history
    found = {rule: breached(rule, seen, policy, now) for rule in ORDER}
    healthy_at = (history.healthy_at or now) if seen.health is Health.HEALTHY else None
    spell_over = healthy_at is not None and now - healthy_at >= HEALTHY_SPELL
    spell_at = None if spell_over else history.spell_at or (now if found[Rule.UNHEALTHY] else None)
    rules = {rule: _rule(history.of(rule), found[rule], seen.docker_id, now, spell_over and rule is Rule.UNHEALTHY) for rule in ORDER}
    followed = replace(history, rules=rules, healthy_at=healthy_at, spell_at=spell_at)
    return _check(followed, found, seen, now, spell_over)


def after(history: History, decision: Decision, now: datetime) -> History:
    """How long an act has been due and waiting; `told_at` is set when somebody should hear of it, once."""
    if decision.verdict is not Verdict.WAIT or decision.wish is None:
        return replace(history, waiting_at=None, told_at=None) if history.waiting_at else history
    waiting_at = history.waiting_at or now
    told_at = history.told_at or (now if now - waiting_at >= TELL_AFTER else None)
    return replace(history, waiting_at=waiting_at, told_at=told_at)


def _rule(state: RuleState, over: bool | None, docker_id: str, now: datetime, spell_over: bool) -> RuleState:
    if over:
        fresh = state.breached_at is not None and state.seen_at is not None and now - state.seen_at <= BREACH_STALE
        state = replace(state, breached_at=state.breached_at if fresh else now, seen_at=now, fine_at=None)
    elif over is False and (state.fine_at is None or state.breached_at is not None):
        state = replace(state, breached_at=None, seen_at=None, fine_at=state.fine_at or now)
    if state.held_at is not None and _relieved(state, docker_id, now, spell_over):
        state = replace(state, held_at=None, held_on="")
    return state


def _relieved(state: RuleState, docker_id: str, now: datetime, spell_over: bool) -> bool:
    """People made another container, or the reading came right and stayed so."""
    if docker_id != state.held_on or spell_over:
        return True
    return state.fine_at is not None and now - state.fine_at >= RELIEF


def _check(history: History, found: dict[Rule, bool | None], seen: Observation, now: datetime, spell_over: bool) -> History:
    """The reading that caused the last refresh, once it can be told whether it helped: if not, its rule is held."""
    last = next((act for act in reversed(history.acts) if act.verdict is Verdict.REFRESH), None)
    if last is None or (history.checked_at is not None and last.at <= history.checked_at) or now - last.at < CHECK_AFTER:
        return history
    over = found[last.rule]
    if last.rule is Rule.DISK and (seen.layer_at is None or seen.layer_at <= last.at):
        over = None  # not measured since
    if last.rule is Rule.UNHEALTHY and over is False and not spell_over:
        over = None  # not yet a spell
    if over is None:
        return history
    if over:
        held = replace(history.of(last.rule), held_at=now, held_on=seen.docker_id)
        history = replace(history, rules={**history.rules, last.rule: held})
    return replace(history, checked_at=last.at)
