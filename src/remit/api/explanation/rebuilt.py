"""A recorded decision made into a question that can be asked again, as the replay of decisions makes it.

What the record holds sealed decides, and is not shown. What it holds neither openly nor sealed is said to be missing,
and never guessed: an argument that is kept as a token has some value of its type in its place, and it is told which
of the policies would have read it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from remit.audit.record_seal import RecordSeal
from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.guard import Call
from remit.guard.facts import value_at
from remit.guard.target import Target, find_target
from remit.ids import ServerName
from remit.model import Catalog
from remit.policy.history import History
from remit.policy.places import PolicyPlace
from remit.replay.rebuilt import Rebuilder, completed
from remit.replay.skipped import Skipped
from remit.tokens import AccessToken

__all__ = ["Rebuilt", "rebuild", "value_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The call and the token of a record. `unknown`: arguments that policies read and the record does not hold.

    Without `attributes_known` the person's attributes are those of now.
    """

    call: Call
    token: AccessToken
    target: Target | None
    now: EpochSeconds
    unknown: tuple[str, ...]
    history: History = field(default_factory=lambda: MappingProxyType({}))
    """What policies were told of what was done before."""
    attributes_known: bool = True


def rebuild(
    entry: JsonObject,
    catalog: Catalog,
    places: Mapping[str, PolicyPlace],
    attributes: Mapping[str, str],
    *,
    record_key: bytes,
) -> Rebuilt | None:
    """The question behind `entry`; `None` when it names no caller, no server, or nothing that is used.

    `attributes` are those of the person now, for records that do not hold them.
    """
    tenant = entry.get("tenant")
    if not entry.get("agent") or tenant not in catalog.tenants:
        return None
    try:
        found = Rebuilder(RecordSeal(record_key)).rebuild(entry)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None  # of an earlier version, or a guard inside a server said so
    if isinstance(found, Skipped) or found.call.kind is None:
        return None
    server = catalog.server_named(ServerName(found.call.server))
    if server is None:
        return None
    target = find_target(server, found.call.kind, found.call.name)
    call, missing = completed(found, target)
    read = _read_arguments(places.values())
    known = found.attributes_known
    return Rebuilt(
        call=call,
        token=found.token if known else replace(found.token, attributes=attributes),
        target=target,
        now=found.now,
        unknown=tuple(name for name in missing if name in read or "" in read),
        history=found.history,
        attributes_known=known,
    )


def _read_arguments(places: Iterable[PolicyPlace]) -> frozenset[str]:
    """The arguments that any policy reads, by name; an empty name when one reads all of them."""
    return frozenset(
        f"{path}..".split(".")[2]
        for place in places
        for path in place.reads
        if path.startswith("context.arguments")
    )
