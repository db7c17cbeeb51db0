"""A recorded decision made into a question that can be asked again, as the replay of decisions makes it.

What the record holds sealed decides, and is not shown. What it holds neither openly nor sealed, and a policy about the
thing reads, is said to be missing, and never guessed: an argument that is kept as a token has some value of its type in
its place, of what was done before nothing is told, and the question is asked with these open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from remit.audit.record_seal import RecordKeys, RecordSeal
from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.guard import Call
from remit.guard.elevations import Elevated
from remit.guard.facts import value_at
from remit.guard.target import Target, find_target
from remit.guard.withheld import is_shown
from remit.ids import ServerName
from remit.model import Catalog
from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy
from remit.policy.evaluation import ResourceFacts
from remit.policy.facts import JUSTIFICATION_FACT, TOLD_FACT
from remit.policy.history import History
from remit.policy.reads import Reads, reads_of, union_of
from remit.policy.vocabulary import action_name, group_names
from remit.replay.rebuilt import Rebuilder, completed
from remit.replay.skipped import Skipped
from remit.tokens import AccessToken

__all__ = ["NotRebuilt", "Rebuilt", "policies_about", "rebuild", "value_at"]

_NOBODY: Final = "who called is not known, so there is nothing to decide again"
_NO_TENANT: Final = (
    "the organisation is no longer in the catalog, so there is nothing to decide again"
)
_NO_SERVER: Final = "the server is no longer in the catalog, so there is nothing to decide again"
_METHOD: Final = "this method is not decided again"
_UNREADABLE: Final = "the record has a form that is not decided again"
_SKIPPED: Final[Mapping[Skipped, str]] = MappingProxyType(
    {
        Skipped.CUT: "the name of what was called is too long for the log, so it is not decided again",
        Skipped.DETAILS: "the token had authorization details, which the log does not hold, so it is not decided again",
    }
)


@dataclass(frozen=True, slots=True)
class NotRebuilt:
    """Why there is no question to ask again."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The call and the token of a record. `unknown`: what policies about the thing read and the record does not hold.

    Arguments stand in it by their names, everything else by its path. Without `attributes_known` the person's
    attributes are those of now.
    """

    call: Call
    token: AccessToken
    target: Target | None
    now: EpochSeconds
    unknown: tuple[str, ...]
    missing: frozenset[str] = frozenset()
    """The declared arguments that the record does not hold, read or not."""
    opened: frozenset[str] = frozenset()
    """The pointers of the arguments that the record holds sealed."""
    elevated: Elevated | None = None
    """What people had said of the very call."""
    history: History = field(default_factory=lambda: MappingProxyType({}))
    """What policies were told of what was done before."""
    attributes_known: bool = True
    justification_known: bool = True


def rebuild(
    entry: JsonObject,
    catalog: Catalog,
    policies: Sequence[CheckedPolicy],
    attributes: Mapping[str, str],
    *,
    record_key: bytes | RecordKeys,
) -> Rebuilt | NotRebuilt:
    """The question behind `entry`, or why there is none.

    `attributes` are those of the person now, for records that do not hold them.
    """
    if not entry.get("agent"):
        return NotRebuilt(_NOBODY)
    if entry.get("tenant") not in catalog.tenants:
        return NotRebuilt(_NO_TENANT)
    try:
        found = Rebuilder(RecordSeal(record_key)).rebuild(entry)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return NotRebuilt(_UNREADABLE)  # of an earlier version, or a guard inside a server said so
    if isinstance(found, Skipped):
        return NotRebuilt(_SKIPPED.get(found, _METHOD))
    if found.call.kind is None:
        return NotRebuilt(_METHOD)
    server = catalog.server_named(ServerName(found.call.server))
    if server is None:
        return NotRebuilt(_NO_SERVER)
    target = find_target(server, found.call.kind, found.call.name)
    said: Any = entry["body"]
    in_words = is_shown(said.get("justification"))  # kept as it was said, though nothing be sealed
    call, missing = completed(found, target)
    unknown: tuple[str, ...] = ()
    if target is not None:
        read = union_of(reads_of(one.tree) for one in policies_about(policies, target.facts))
        unknown = (
            *_arguments(missing, read),
            *_past(found.history, read, catalog),
            *_reason(read, known=found.justification_known or in_words),
        )
    known = found.attributes_known
    return Rebuilt(
        call=call,
        token=found.token if known else replace(found.token, attributes=attributes),
        target=target,
        now=found.now,
        unknown=unknown,
        missing=frozenset(missing),
        opened=found.opened,
        elevated=found.elevated,
        history=found.history,
        attributes_known=known,
        justification_known=found.justification_known or in_words,
    )


def policies_about(policies: Sequence[CheckedPolicy], facts: ResourceFacts) -> list[CheckedPolicy]:
    """Those whose head admits the thing: no other can matter to it."""
    action = action_name(facts.kind, facts.server, facts.name)
    groups = group_names(facts.server, facts.operation)
    return [policies[position] for position in could_matter(policies, action, groups)]


def _arguments(missing: Sequence[str], read: Reads) -> tuple[str, ...]:
    return tuple(name for name in missing if read.arguments is None or name in read.arguments)


def _past(told: History, read: Reads, catalog: Catalog) -> tuple[str, ...]:
    """The facts of history that policies read and were not told at that time, or the log has not."""
    names = (
        catalog.history.keys() if read.history is None else read.history & catalog.history.keys()
    )
    return tuple(f"context.history.{name}" for name in sorted(names - told.keys()))


def _reason(read: Reads, *, known: bool) -> tuple[str, ...]:
    if known:
        return ()
    asked = {"context.justification": JUSTIFICATION_FACT, "context.told": TOLD_FACT}
    return tuple(name for name, fact in asked.items() if fact in read.facts)
