"""What another version of the policies would have decided of calls that really came, and what else it changes.

Nothing recorded is ever carried out.
"""

from remit.replay.compare import compare
from remit.replay.difference import Area, Change, Difference, Effect, Kind
from remit.replay.plan import FailOn, Plan, plan_of
from remit.replay.records import Records
from remit.replay.replaying import Progress, replay
from remit.replay.report import Day, Example, Group, ReplayReport, Shift

__all__ = [
    "Area",
    "Change",
    "Day",
    "Difference",
    "Effect",
    "Example",
    "FailOn",
    "Group",
    "Kind",
    "Plan",
    "Progress",
    "Records",
    "ReplayReport",
    "Shift",
    "compare",
    "plan_of",
    "replay",
]
