"""What to do about a container's health: pure functions, without Django, database or Engine.

Each sweep: `history = follow(...)` takes the new reading in, `decide(...)` judges, `suspect(...)` and `grant(...)`
look at the fleet as a whole, and `after(...)` remembers how long an act has been waiting.
"""

from projects.services.decisions.decide import decide
from projects.services.decisions.fleet import Fleet, grant, suspect
from projects.services.decisions.follow import after, follow
from projects.services.decisions.values import ACTS, Act, Decision, History, Observation, Policy, RuleState

__all__ = [
    "ACTS",
    "Act",
    "Decision",
    "Fleet",
    "History",
    "Observation",
    "Policy",
    "RuleState",
    "after",
    "decide",
    "follow",
    "grant",
    "suspect",
]
