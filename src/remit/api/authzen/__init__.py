"""The decision endpoint: another gateway asks whether a call is within the agent's remit.

Refused: whoever is no server of the catalog with a secret of its own; a question about another
server than the one that asks; a subject that the token does not name. Source: AuthZEN 1.0.
"""

from remit.api.authzen.door import DecisionDeps, decision_routes

__all__ = ["DecisionDeps", "decision_routes"]
