"""The management API: what an administrator may see and change, over a Unix socket or HTTP.

Refuses what is not strict JSON, and answers a change only when this process enforces it. At
the socket whoever may open it is an administrator; over HTTP every call is decided by the
guard, with scopes of its own. Source: docs/adr/0004, docs/adr/0010.
"""

from remit.api.deps import ApiDeps
from remit.api.http_door import http_routes
from remit.api.openapi import openapi
from remit.api.socket_door import socket_door

__all__ = ["ApiDeps", "http_routes", "openapi", "socket_door"]
