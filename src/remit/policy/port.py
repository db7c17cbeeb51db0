"""The port of a policy engine; the decision point is its only caller."""

from typing import Protocol

from remit.policy.decision import Decision
from remit.policy.evaluation import Evaluation

__all__ = ["PolicyEngine"]


class PolicyEngine(Protocol):
    """Decides one evaluation against the policies it holds."""

    @property
    def version(self) -> str:
        """The SHA-256, in hexadecimal, of the policies it holds."""
        ...

    def evaluate(self, evaluation: Evaluation) -> Decision:
        """Decide. May raise anything: the decision point turns that into a refusal.

        A decision that allows names the permits that matched in `rules`. In the
        phase `LIST` a rule that might match, whatever the arguments, counts as matched.
        """
        ...
