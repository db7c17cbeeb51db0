"""The door of guards inside servers: snapshots go out, records come in, each of one server alone.

Refuses whoever does not prove to be a server with a `guard_secret`, and records of another server.
"""

from remit.api.guards.door import GuardDeps, guard_routes
from remit.api.guards.elevations import ElevationAnswers
from remit.api.guards.history import HistoryAnswers

__all__ = ["ElevationAnswers", "GuardDeps", "HistoryAnswers", "guard_routes"]
