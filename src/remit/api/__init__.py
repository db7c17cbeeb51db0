"""The management API: what an administrator may see and change, over a Unix socket.

Whoever may open the socket is an administrator. Refuses what is not strict JSON, and
answers a change only when this process enforces it.
"""

from remit.api.deps import ApiDeps
from remit.api.routes import management_app

__all__ = ["ApiDeps", "management_app"]
