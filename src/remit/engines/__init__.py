"""Engines in other processes: Cerbos, any AuthZEN 1.0 decision point, and other people's, behind one port.

Refuses whenever the other side is late, fails, or says something that is not an answer to the question.
"""

from remit.engines.authzen import AuthZenEngine, open_authzen
from remit.engines.cerbos import CerbosEngine, open_cerbos
from remit.engines.connections import EngineConnections, Unusable

__all__ = [
    "AuthZenEngine",
    "CerbosEngine",
    "EngineConnections",
    "Unusable",
    "open_authzen",
    "open_cerbos",
]
