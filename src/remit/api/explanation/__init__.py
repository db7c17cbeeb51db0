"""Why a decision was taken as it was, and what would have to be otherwise."""

from remit.api.explanation.operation import EXPLANATION_OPERATIONS

__all__ = ["EXPLANATION_OPERATIONS"]
