"""Whether policies may be loaded at all."""

from collections.abc import Sequence

from remit.documents import Problem
from remit.model import Catalog
from remit.policy.source import PolicySource

__all__ = ["check_policies"]


def check_policies(sources: Sequence[PolicySource], catalog: Catalog) -> list[Problem]:
    """Everything that is wrong with `sources` as policies over `catalog`; empty when they may be loaded."""
    raise NotImplementedError
