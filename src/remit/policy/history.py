"""What was done before, as policies read it: one value for each fact that the repository declares.

Kept by Remit, under names that the caller cannot choose, so that no new session, token or grant
begins it anew. A value speaks of the moment after this call: what it would come to if it were allowed.

Source: MISSION B4, B7; docs/reference/policy-repository.md, `history`.
"""

from collections.abc import Mapping
from decimal import Decimal

__all__ = ["History", "HistoryValue"]

HistoryValue = int | bool | Decimal | frozenset[str]
"""A count, whether something was ever done, a sum, or which."""

History = Mapping[str, HistoryValue]
"""By the name of the fact."""
