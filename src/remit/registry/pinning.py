"""What becomes of a definition that a server offers: pinned, quarantined, or known already.

The first definition of a thing that the catalog declares is admitted, unless the catalog asks for
a review first or the name looks like another's. Whatever differs from what was admitted is
quarantined, with one event: what is offered may change again and again, and raises no second
alarm. A thing that the catalog does not declare cannot be called; it is recorded, up to
`MAX_UNDECLARED` to a server, so that somebody hears of it once.

Only a list that Remit itself asked for lifts a quarantine, and none lifts that of a thing which a
caller was shown in other words than Remit: a server that tells its callers different things would
otherwise be forgiven whenever Remit looks.

Source: MISSION B9; docs/adr/0011-definition-pinning.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from remit.audit.context import Context
from remit.audit.events import DefinitionAdmitted, DefinitionPinned, DefinitionQuarantined
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.model import Catalog, Pinning, Server
from remit.policy.evaluation import ResourceKind
from remit.registry.confusable import skeleton
from remit.registry.definition import (
    Offer,
    changed_members,
    declares,
    is_lesser,
    parse_definition,
)
from remit.registry.definition_store import (
    Cause,
    DefinitionState,
    Pinned,
    Seen,
    lock_writers,
    of_server,
    put,
)

__all__ = ["MAX_UNDECLARED", "is_settled", "observe", "shadowed"]

MAX_UNDECLARED = 200
_KNOWN_MEMBERS: Final = frozenset(
    {
        "annotations", "arguments", "description", "icons", "inputSchema", "mimeType", "name",
        "outputSchema", "title", "uri", "uriTemplate",
    }
)  # fmt: skip
_LIFTED = "the server offers again what was admitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """One offer, and what has to be known to judge it."""

    server: Server
    offer: Offer
    catalog: Catalog
    seen: Seen
    at: EpochSeconds

    @property
    def is_declared(self) -> bool:
        return declares(self.server, self.offer.kind, self.offer.name)


def is_settled(pinned: Pinned | None, offer: Offer, *, seen: Seen, server: Server) -> bool:
    """Whether seeing `offer` again tells nothing new, so that nothing needs to be written."""
    if pinned is None:
        return False
    if pinned.state is DefinitionState.ADMITTED:
        unreviewed = server.pinning is Pinning.REVIEWED and pinned.decided_by is None
        return pinned.admitted_digest == offer.digest and not unreviewed
    if pinned.offered_digest == offer.digest:
        is_declared = declares(server, offer.kind, offer.name)
        is_news = pinned.cause is Cause.NEW and pinned.waits and is_declared
        return not is_news and (seen is Seen.CALLER or pinned.seen is Seen.OWN)
    if pinned.admitted_digest == offer.digest:
        return not _is_lifted(pinned, seen)
    return False


def observe(
    tx: Transaction,
    server: Server,
    offers: Iterable[Offer],
    *,
    catalog: Catalog,
    seen: Seen,
    now: EpochSeconds,
) -> bool:
    """Record what `server` offers, as far as it is new; whether anything was."""
    # Two processes that see two definitions for the first time must not both pin what they saw.
    lock_writers(tx)
    known = {(one.thing, one.name): one for one in of_server(tx, server.name)}
    undeclared = sum(not declares(server, one.thing, one.name) for one in known.values())
    wrote = False
    for offer in offers:
        before = known.get((offer.kind, offer.name))
        if is_settled(before, offer, seen=seen, server=server):
            continue
        sight = _Sight(server=server, offer=offer, catalog=catalog, seen=seen, at=now)
        if before is None and not sight.is_declared:
            undeclared += 1
            if undeclared > MAX_UNDECLARED:
                continue
        after = _first(tx, sight) if before is None else _again(tx, before, sight)
        if after != before:
            put(tx, after)
            known[offer.kind, offer.name] = after
            wrote = True
    return wrote


def shadowed(server: Server, offer: Offer, catalog: Catalog) -> str | None:
    """Whose name `offer` takes, in words; `None` if nobody's.

    Compared with what the catalog declares, and agents of one tenant and environment can meet. The
    same name on another server counts only where the catalog does not declare it on this one: what
    it declares, somebody has decided.
    """
    if offer.kind is ResourceKind.RESOURCE:
        return None
    mark = skeleton(offer.name)
    if any(name != offer.name and skeleton(name) == mark for name in _names(server, offer.kind)):
        return "its name looks like another of this server"
    is_declared = declares(server, offer.kind, offer.name)
    for other in catalog.servers.values():
        if other.name == server.name or not _meet(server, other):
            continue
        for name in _names(other, offer.kind):
            if skeleton(name) == mark and (name != offer.name or not is_declared):
                return f"its name looks like one of server `{other.name}`"
    return None


def _first(tx: Transaction, sight: _Sight) -> Pinned:
    """The row of what was never seen, or never declared."""
    cause, detail = _cause(sight)
    offer, server = sight.offer, sight.server
    first = Pinned(
        server=server.name,
        thing=offer.kind,
        name=offer.name,
        state=DefinitionState.ADMITTED,
        seen=sight.seen,
        first_seen=sight.at,
        changed_at=sight.at,
        admitted=offer.text,
        admitted_digest=offer.digest,
    )
    if cause is None:
        tx.record(
            DefinitionPinned(
                context=_context(server),
                server=server.name,
                thing=offer.kind.value,
                name=offer.name,
                digest=offer.digest,
            )
        )
        return first
    unadmitted = replace(first, admitted=None, admitted_digest=None)
    return _quarantined(tx, unadmitted, sight, cause=cause, detail=detail)


def _cause(sight: _Sight) -> tuple[Cause | None, str]:
    """Why what is seen for the first time is not simply admitted."""
    shadow = shadowed(sight.server, sight.offer, sight.catalog)
    if shadow is not None:
        return Cause.SHADOWS, shadow
    if not sight.is_declared:
        return Cause.NEW, "the catalog does not declare it"
    if sight.server.pinning is Pinning.REVIEWED:
        return Cause.UNREVIEWED, "nobody has reviewed it yet"
    if sight.offer.is_too_large:
        return Cause.UNREVIEWED, "its definition is too large to be kept"
    return None, ""


def _again(tx: Transaction, before: Pinned, sight: _Sight) -> Pinned:
    """The row of what was seen before, now that it is offered as `sight` says."""
    offer = sight.offer
    if before.state is DefinitionState.ADMITTED:
        return _differs(tx, before, sight)
    if before.admitted_digest == offer.digest:
        return _lifted(tx, before, sight)
    if before.offered_digest == offer.digest:
        if before.cause is Cause.NEW and sight.is_declared:
            return replace(_first(tx, sight), first_seen=before.first_seen)
        return replace(before, seen=Seen.OWN)
    if sight.seen is Seen.CALLER and _is_lesser_than_known(offer, before):
        return before
    if before.state is DefinitionState.REJECTED:
        # Not new, even if nothing was ever admitted: what is new is admitted once it is declared.
        cause = Cause.UNREVIEWED if before.admitted is None else Cause.CHANGED
        return _quarantined(tx, before, sight, cause=cause, detail="it was rejected in other words")
    # It waits already, and the alarm was raised: what is offered is kept for who reviews it.
    return replace(
        before,
        offered=offer.text,
        offered_digest=offer.digest,
        detail=_difference(before.admitted, offer) or before.detail,
        seen=Seen.CALLER if Seen.CALLER in {before.seen, sight.seen} else Seen.OWN,
        changed_at=sight.at,
    )


def _differs(tx: Transaction, before: Pinned, sight: _Sight) -> Pinned:
    if before.admitted_digest == sight.offer.digest:
        unreviewed = replace(before, admitted=None, admitted_digest=None)
        detail = "nobody has reviewed it yet"
        return _quarantined(tx, unreviewed, sight, cause=Cause.UNREVIEWED, detail=detail)
    if sight.seen is Seen.CALLER and _is_lesser_than_known(sight.offer, before):
        return before
    detail = _difference(before.admitted, sight.offer)
    return _quarantined(tx, before, sight, cause=Cause.CHANGED, detail=detail)


def _quarantined(
    tx: Transaction, row: Pinned, sight: _Sight, *, cause: Cause, detail: str
) -> Pinned:
    offer = sight.offer
    tx.record(
        DefinitionQuarantined(
            context=_context(sight.server),
            server=row.server,
            thing=row.thing.value,
            name=row.name,
            cause=cause.value,
            digest=offer.digest,
            admitted_digest=row.admitted_digest,
            detail=detail,
        )
    )
    return replace(
        row,
        state=DefinitionState.QUARANTINED,
        cause=cause,
        detail=detail,
        seen=sight.seen,
        offered=offer.text,
        offered_digest=offer.digest,
        changed_at=sight.at,
        decided_at=None,
        decided_by=None,
    )


def _lifted(tx: Transaction, before: Pinned, sight: _Sight) -> Pinned:
    tx.record(
        DefinitionAdmitted(
            context=_context(sight.server),
            server=before.server,
            thing=before.thing.value,
            name=before.name,
            digest=sight.offer.digest,
            replaced_digest=before.offered_digest,
            reason=_LIFTED,
        )
    )
    return replace(
        before,
        state=DefinitionState.ADMITTED,
        cause=None,
        detail="",
        offered=None,
        offered_digest=None,
        changed_at=sight.at,
    )


def _is_lifted(pinned: Pinned, seen: Seen) -> bool:
    """Whether being offered in Remit's own list as it was admitted ends a quarantine."""
    changed_for_all = pinned.offered_digest is not None and pinned.seen is Seen.OWN
    return seen is Seen.OWN and changed_for_all and pinned.cause is Cause.CHANGED


def _difference(admitted: str | None, offer: Offer) -> str:
    """Which members differ, by the protocol's names alone: what else the server wrote is not repeated."""
    if admitted is None:
        return ""
    names = changed_members(parse_definition(admitted), parse_definition(offer.text))
    known = [name for name in names if name in _KNOWN_MEMBERS]
    return f"differs in {', '.join([*known, *(['others'] if len(known) < len(names) else [])])}"


def _is_lesser_than_known(offer: Offer, row: Pinned) -> bool:
    offered = parse_definition(offer.text)
    known = (text for text in (row.admitted, row.offered) if text is not None)
    return any(is_lesser(offered, parse_definition(text)) for text in known)


def _names(server: Server, kind: ResourceKind) -> Mapping[str, object]:
    return server.tools if kind is ResourceKind.TOOL else server.prompts


def _meet(one: Server, other: Server) -> bool:
    """Whether one agent could hold both in view."""
    same_tenant = one.tenant is None or other.tenant is None or one.tenant == other.tenant
    return same_tenant and one.environment == other.environment


def _context(server: Server) -> Context:
    return Context(tenant=server.tenant, environment=server.environment)
