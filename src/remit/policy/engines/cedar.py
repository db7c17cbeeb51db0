"""Cedar, in process, over handles parsed once."""

from collections.abc import Sequence

from remit.model import Catalog
from remit.policy.decision import Decision
from remit.policy.evaluation import Evaluation
from remit.policy.source import PolicySource

__all__ = ["CedarEngine"]


class CedarEngine:
    @classmethod
    def load(cls, sources: Sequence[PolicySource], catalog: Catalog) -> "CedarEngine":
        """An engine that holds `sources`.

        Raises:
            PolicyInvalidError: they do not check against `catalog`.
        """
        raise NotImplementedError

    @property
    def version(self) -> str:
        """The SHA-256, in hexadecimal, of the policies it holds."""
        raise NotImplementedError

    def evaluate(self, evaluation: Evaluation) -> Decision:
        """Decide one evaluation."""
        raise NotImplementedError
