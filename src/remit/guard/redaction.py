"""What the record keeps of what a caller said: by the catalog, and less where a policy that decided says so.

Of a justification a keyed token is kept, which is the same for the same words, unless the server's file says that the
words themselves are. A call that is refused before policies are asked is recorded as the catalog says.

Source: docs/reference/policies.md, `@redact`; docs/reference/audit-log.md.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from remit.guard.ports import Redactor
from remit.ids import TenantId
from remit.model import Argument, ArgumentType, AuditTreatment

__all__ = ["argument_rules", "kept_justification"]

_POINTER: Final = "/justification"
_TOKEN: Final = (
    Argument(name="justification", type=ArgumentType.STRING, pointer=_POINTER, required=False),
)
_KEEP: Final = (replace(_TOKEN[0], audit=AuditTreatment.KEEP),)


def argument_rules(declared: tuple[Argument, ...], unsaid: frozenset[str]) -> tuple[Argument, ...]:
    """`declared`, with nothing kept of those that are `unsaid`; the same object for the same of both."""
    return _less(declared, unsaid) if unsaid else declared


@lru_cache(maxsize=1_024)
def _less(declared: tuple[Argument, ...], unsaid: frozenset[str]) -> tuple[Argument, ...]:
    return tuple(
        replace(one, audit=AuditTreatment.DROP) if one.name in unsaid else one for one in declared
    )


def kept_justification(
    text: str | None, redactor: Redactor, *, tenant: TenantId, in_full: bool
) -> str | None:
    """What the record keeps of a justification."""
    if text is None:
        return None
    rules = _KEEP if in_full else _TOKEN
    kept = redactor.redact({"justification": text}, tenant=tenant, rules=rules).input
    return str(kept["justification"])
