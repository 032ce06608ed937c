"""What is remembered of each project, as rows: the acts stand among the decisions, the rest in `HealthMemory`."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from projects.models import Decision, HealthMemory
from projects.services.decisions import ACTS, Act, History, RuleState
from projects.services.decisions.values import COOL_DOWN_WINDOW
from projects.states import Rule, Verdict

_MOMENTS = ("spell_at", "healthy_at", "checked_at", "waiting_at", "told_at")
_RULE_MOMENTS = ("breached_at", "seen_at", "fine_at", "held_at")


def acts_since(now: datetime) -> dict[int, tuple[Act, ...]]:
    """What the hub itself began on each project, oldest first."""
    rows = Decision.objects.filter(verdict__in=ACTS, started_at__gt=now - COOL_DOWN_WINDOW).order_by("started_at", "id")
    found: dict[int, list[Act]] = defaultdict(list)
    for row in rows.only("project_id", "started_at", "verdict", "rule"):
        if row.started_at is not None:
            found[row.project_id].append(Act(row.started_at, Verdict(row.verdict), Rule(row.rule)))
    return {project_id: tuple(acts) for project_id, acts in found.items()}


def remembered(memory: HealthMemory | None, acts: Iterable[Act]) -> History:
    kept: dict[str, Any] = memory.history if memory else {}
    rules = {Rule(name): _rule(state) for name, state in kept.get("rules", {}).items()}
    return History(acts=tuple(acts), rules=rules, **{name: _moment(kept.get(name)) for name in _MOMENTS})


def as_json(history: History) -> dict[str, Any]:
    """Without the acts."""
    rules = {str(rule): _rule_json(state) for rule, state in history.rules.items() if state != RuleState()}
    return {"rules": rules, **{name: at.isoformat() for name in _MOMENTS if (at := getattr(history, name))}}


def _rule(state: dict[str, str]) -> RuleState:
    return RuleState(**{name: _moment(state.get(name)) for name in _RULE_MOMENTS}, held_on=state.get("held_on", ""))


def _rule_json(state: RuleState) -> dict[str, str]:
    moments = {name: at.isoformat() for name in _RULE_MOMENTS if (at := getattr(state, name))}
    return {**moments, "held_on": state.held_on} if state.held_on else moments


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
