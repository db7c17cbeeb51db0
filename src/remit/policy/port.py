"""The port of a policy engine; the decision point is its only caller."""

from typing import Protocol

from remit.policy.decision import Decision
from remit.policy.evaluation import Evaluation

__all__ = ["PolicyEngine"]


class PolicyEngine(Protocol):
    """Decides one evaluation against the policies it holds."""

    def evaluate(self, evaluation: Evaluation) -> Decision:
        """Decide. May raise anything: the decision point turns that into a refusal."""
        ...
