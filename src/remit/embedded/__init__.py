"""The guard inside a server: the gateway's doors and the guard behind them, in somebody else's process.

Refuses everything until Remit has been heard, and again when it has not been heard for longer than the lease.
Knows no database. `remit.guard.protect` is the way in.
"""

from remit.embedded.application import GuardedApplication, guarded_application

__all__ = ["GuardedApplication", "guarded_application"]
