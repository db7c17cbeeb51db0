"""What the record keeps of what a caller said: by the catalog, and less where a policy that decided says so.

Of a justification a keyed token is kept, which is the same for the same words, unless the server's file says that the
words themselves are. A call that is refused before policies are asked is recorded as the catalog says. What else a
caller names (a method, a thing, an id) is kept but for what looks like a secret in it.

Source: docs/reference/policies.md, `@redact`; docs/guides/redaction.md; docs/reference/audit-log.md.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from remit.audit.detectors import scrubbed
from remit.audit.ruling import Ruling, ruling_of
from remit.canonical import Json
from remit.guard.definitions import ThingKey
from remit.guard.ports import Redactor
from remit.guard.target import Target
from remit.ids import ServerName, TenantId
from remit.model import Argument, ArgumentType, AuditTreatment, Catalog, RedactionRule

__all__ = ["Rulings", "argument_rules", "kept_justification", "spoken"]

_MOST_CATALOGS: Final = 4
"""That are in force at a time: one, and those on trial."""
_MAX_TEXT: Final = 256
_NONE: Final[frozenset[str]] = frozenset()

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


class Rulings:
    """What holds for the arguments of each tool, put together once for each catalog. For one thread."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, tuple[Catalog, Mapping[ThingKey, Json], dict[object, Ruling]]] = {}

    def of(
        self,
        catalog: Catalog,
        schemas: Mapping[ThingKey, Json],
        target: Target | None,
        *,
        server: ServerName | None,
        tenant: TenantId,
        unsaid: frozenset[str] = _NONE,
    ) -> Ruling:
        """What holds for a call of `target`, which may be unknown, on `server`; `unsaid` as in `argument_rules`.

        Raises:
            BadPathError: a rule of the catalog has no path that is read here.
        """
        known = self._known.get(id(catalog))
        if known is not None and known[1] is not schemas and known[1] == schemas:
            known = self._known[id(catalog)] = (known[0], schemas, known[2])
        if known is None or known[0] is not catalog or known[1] is not schemas:
            if len(self._known) >= _MOST_CATALOGS:
                self._known = {}
            known = self._known[id(catalog)] = (catalog, schemas, {})
        facts = None if target is None else target.facts
        key = (server, None if facts is None else (facts.kind, facts.name), tenant, unsaid)
        ruling = known[2].get(key)
        if ruling is None:
            ruling = known[2][key] = _ruling(
                catalog, schemas, target, server=server, tenant=tenant, unsaid=unsaid
            )
        return ruling


def _ruling(
    catalog: Catalog,
    schemas: Mapping[ThingKey, Json],
    target: Target | None,
    *,
    server: ServerName | None,
    tenant: TenantId,
    unsaid: frozenset[str],
) -> Ruling:
    facts = None if target is None else target.facts
    tool = None if facts is None else f"{facts.server}/{facts.name}"
    rules = [one for one in catalog.audit.redaction if _fits(one, server, tool, tenant)]
    schema = None if facts is None else schemas.get((facts.server, facts.kind, facts.name))
    declared = () if target is None else argument_rules(target.arguments, unsaid)
    return ruling_of(declared, schema=schema, rules=rules, off=catalog.audit.detectors_off)


def _fits(
    rule: RedactionRule, server: ServerName | None, tool: str | None, tenant: TenantId
) -> bool:
    return (
        (not rule.servers or server in rule.servers)
        and (not rule.tools or tool in rule.tools)
        and (not rule.tenants or tenant in rule.tenants)
    )


@lru_cache(maxsize=4_096)
def spoken(text: str) -> str:
    """What is kept of a name that a caller gave."""
    return scrubbed(text)[:_MAX_TEXT]


def kept_justification(
    text: str | None,
    redactor: Redactor,
    *,
    tenant: TenantId,
    in_full: bool,
    off: frozenset[str] = _NONE,
) -> str | None:
    """What the record keeps of a justification; `off` are detectors that are not asked."""
    if text is None:
        return None
    ruling = _justification(off) if in_full else _UNSHOWN
    kept = redactor.redact({"justification": text}, tenant=tenant, ruling=ruling).input
    return str(kept["justification"])


@lru_cache(maxsize=16)
def _justification(off: frozenset[str]) -> Ruling:
    return ruling_of(_KEEP, off=off)


_UNSHOWN: Final = ruling_of(_TOKEN)
