"""One look, one decision: always with a reason and the numbers that led to it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from projects.services.decisions import cooling, quiet
from projects.services.decisions.readings import ORDER, age_due_at, breached, disk_is_full, numbers, sentence
from projects.services.decisions.values import (
    A_DAY,
    ACTS,
    BACK_OFFS,
    BREACH_GAP,
    BREACH_STALE,
    RESTARTS,
    RESTARTS_A_DAY,
    Decision,
    History,
    Observation,
    Policy,
)
from projects.states import Cause, RefreshMode, Rule, Verdict

_WEIGHT = {Verdict.WAIT: 2, Verdict.HOLD: 1, Verdict.KEEP: 0}


def decide(seen: Observation, history: History, policy: Policy, now: datetime) -> Decision:
    """Keep, wait, restart, refresh or hold. The first rule that calls for an act wins; else a wait, else a hold."""
    look = _Look(seen, history, policy, now)
    best = look.left_alone()
    if best is not None:
        return best
    for rule in ORDER:
        found = look.judge(rule)
        if found is None:
            continue
        if found.verdict in ACTS:
            return found
        if best is None or _WEIGHT[found.verdict] > _WEIGHT[best.verdict]:
            best = found
    return best or look.well()


@dataclass(frozen=True)
class _Look:
    seen: Observation
    history: History
    policy: Policy
    now: datetime

    # -- nothing to judge -------------------------------------------------------------------

    def left_alone(self) -> Decision | None:
        seen = self.seen
        if self.policy.mode is RefreshMode.OFF:
            return self._made(Verdict.KEEP, Rule.NONE, Cause.OFF, "The project's refresh mode is off: the hub only looks on.")
        if seen.pending_action:
            return self._made(Verdict.KEEP, Rule.NONE, Cause.UNDER_WAY, f"A {seen.pending_action} is under way.")
        if not seen.running:
            return self._made(Verdict.KEEP, Rule.NONE, Cause.NOT_RUNNING, f"The container does not run: it is {seen.status}.")
        if seen.proving:
            return self._made(Verdict.KEEP, Rule.NONE, Cause.PROVING, "The container is new, and its health check is yet to pass.")
        return None

    def well(self) -> Decision:
        """Nothing is over its limit."""
        if self.seen.created_at is None:
            return self._made(Verdict.KEEP, Rule.NONE, Cause.NONE, "Nothing is wrong with it.")
        if self.policy.pinned:
            return self._made(
                Verdict.KEEP, Rule.NONE, Cause.PINNED, "Nothing is wrong, and the project is pinned: it is never refreshed by itself."
            )
        reason = f"Nothing is wrong; it is due when it is {self.policy.age_hours:g} hours old."
        return self._made(Verdict.KEEP, Rule.NONE, Cause.NONE, reason, due_at=self._ages_at())

    def _ages_at(self) -> datetime | None:
        """When its age alone gets it refreshed, which comes to a pinned one never. The rule asks for more than the limit."""
        due = age_due_at(self.seen, self.policy)
        return due + timedelta(seconds=1) if due and not self.policy.pinned else None

    # -- one rule ---------------------------------------------------------------------------

    def judge(self, rule: Rule) -> Decision | None:
        """None where the rule has nothing to say."""
        over = breached(rule, self.seen, self.policy, self.now)
        if rule is Rule.DISK and not over:
            return self._disk_without_gain(over)
        if not over:
            return None
        what = sentence(rule, self.seen, self.policy, self.now)
        if self.history.of(rule).held_at is not None:
            reason = f"{what}, and a refresh did not change that: look into it, or refresh it by hand to have the rule count again."
            return self._made(Verdict.HOLD, rule, Cause.NO_HELP, reason)
        if rule is Rule.UNHEALTHY:
            return self._ladder(what)
        if rule in (Rule.MEMORY, Rule.DISK):
            second_at = self._series_began(rule) + BREACH_GAP
            if self.now < second_at:
                reason = f"{what}; it counts when it is so again at least {BREACH_GAP.seconds // 60} minutes after the first time."
                return self._made(Verdict.WAIT, rule, Cause.SECOND_READING, reason, due_at=second_at)
        return self._act(Verdict.REFRESH, rule, what)

    def _disk_without_gain(self, over: bool | None) -> Decision | None:
        """The Engine's disk is over its limit, but a refresh of this container would not help, or nobody knows yet."""
        if not disk_is_full(self.seen, self.policy):
            return None
        full = f"The Engine's disk is {self.seen.disk_percent or 0:.1f} % full, over {self.policy.disk_percent:g} %"
        if over is None:
            return self._made(Verdict.WAIT, Rule.DISK, Cause.UNMEASURED, f"{full}; the container's own layer is yet to be measured.")
        reason = (
            f"{full}, but the container's own layer of {self.seen.layer_mb or 0:.0f} MB is not worth a refresh "
            f"(from {self.policy.min_layer_mb:g} MB on): make room on the Engine's disk."
        )
        return self._made(Verdict.HOLD, Rule.DISK, Cause.NOTHING_TO_WIN, reason, due_at=self._ages_at())

    def _series_began(self, rule: Rule) -> datetime:
        state = self.history.of(rule)
        if state.breached_at is None or state.seen_at is None or self.now - state.seen_at > BREACH_STALE:
            return self.now
        return state.breached_at

    def _ladder(self, what: str) -> Decision:
        """Restart up to three times, backing off; then one refresh; then hold. A healthy spell begins it anew."""
        since = self.history.spell_at or self.now
        acts = self.history.acts
        if any(act.verdict is Verdict.REFRESH and act.rule is Rule.UNHEALTHY and act.at >= since for act in acts):
            reason = f"{what}, also after a refresh: look at its logs and at what its health check says."
            return self._made(Verdict.HOLD, Rule.UNHEALTHY, Cause.NO_HELP, reason)
        restarts = [act.at for act in acts if act.verdict is Verdict.RESTART and act.at >= since]
        today = sum(act.verdict is Verdict.RESTART and self.now - act.at < A_DAY for act in acts)
        if restarts:
            ready_at = restarts[-1] + BACK_OFFS[min(len(restarts), RESTARTS) - 1]
            if self.now < ready_at:
                reason = f"{what} after restart {len(restarts)} of {RESTARTS}; the next step comes after a pause."
                return self._made(Verdict.WAIT, Rule.UNHEALTHY, Cause.BACK_OFF, reason, due_at=ready_at)
        if len(restarts) < RESTARTS and today < RESTARTS_A_DAY:
            return self._act(Verdict.RESTART, Rule.UNHEALTHY, f"{what} (restart {len(restarts) + 1} of {RESTARTS})")
        return self._act(Verdict.REFRESH, Rule.UNHEALTHY, f"{what}, also after {len(restarts) or today} restarts")

    # -- what stands between a due act and its doing ----------------------------------------

    def _act(self, verdict: Verdict, rule: Rule, what: str) -> Decision:
        if verdict is Verdict.REFRESH and self.policy.pinned:
            hold = Verdict.KEEP if rule is Rule.AGE else Verdict.HOLD
            return self._made(hold, rule, Cause.PINNED, f"{what}, but the project is pinned: it is never refreshed by itself.")
        waits = self._waits(verdict, rule, what)
        if waits is not None:
            return waits
        cause = Cause.HARD_LIMIT if self.seen.busy_reason else Cause.NONE
        although = f", although it is busy ({_inner(self.seen.busy_reason)}), since its hard limit has passed" if cause else ""
        return self._made(verdict, rule, cause, f"{what}: it is {'restarted' if verdict is Verdict.RESTART else 'refreshed'}{although}.")

    def _waits(self, verdict: Verdict, rule: Rule, what: str) -> Decision | None:
        if self.policy.mode is RefreshMode.SUGGEST:
            reason = f"{what}: a {verdict} is suggested; the project's people do it themselves."
            return self._made(Verdict.WAIT, rule, Cause.SUGGEST, reason, wish=verdict)
        if self.seen.busy_reason and not self._past_hard_limit(verdict):
            return self._made(Verdict.WAIT, rule, Cause.BUSY, f"{what}; it waits: {_inner(self.seen.busy_reason)}.", wish=verdict)
        if verdict is Verdict.RESTART:
            return None
        if rule is not Rule.UNHEALTHY and (opens_at := quiet.opens_at(self.policy.quiet_hours, self.now)):
            reason = f"{what}; it waits for the project's quiet hours."
            return self._made(Verdict.WAIT, rule, Cause.QUIET_HOURS, reason, due_at=opens_at, wish=verdict)
        cool_at = cooling.cool_at(self.history.refreshes(), self.now)
        if self.now < cool_at:
            reason = f"{what}; it was refreshed not long ago and waits until {cool_at:%Y-%m-%d %H:%M} UTC."
            return self._made(Verdict.WAIT, rule, Cause.COOL_DOWN, reason, due_at=cool_at, wish=verdict)
        return None

    def _past_hard_limit(self, verdict: Verdict) -> bool:
        limit, since = self.policy.hard_limit_hours, self.history.waiting_at
        return verdict is Verdict.REFRESH and limit is not None and since is not None and self.now - since >= timedelta(hours=limit)

    def _made(
        self, verdict: Verdict, rule: Rule, cause: Cause, reason: str, *, due_at: datetime | None = None, wish: Verdict | None = None
    ) -> Decision:
        shown = numbers(self.seen, self.policy, self.now)
        shown["refreshes_today"] = sum(act.verdict is Verdict.REFRESH and self.now - act.at < A_DAY for act in self.history.acts)
        return Decision(verdict, rule, cause, reason, shown, due_at, wish)


def _inner(reason: str) -> str:
    """A sentence as a part of another."""
    return reason[:1].lower() + reason[1:].rstrip(".")


def put_off(decision: Decision, cause: Cause, why: str) -> Decision:
    """The same act, later."""
    reason = f"{decision.reason.rpartition(': it is ')[0] or decision.reason.rstrip('.')}; {why}"
    return replace(decision, verdict=Verdict.WAIT, cause=cause, reason=reason, wish=decision.verdict)
