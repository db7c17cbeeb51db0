"""Where the two eras meet: callers of one, in front of a server that speaks only the other.

`Bridge` stands before every adapter, and steps aside where both sides speak the same.
"""

from remit.gateway.bridge.bridge import Bridge
from remit.gateway.bridge.limits import BridgeLimits

__all__ = ["Bridge", "BridgeLimits"]
