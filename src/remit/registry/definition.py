"""What a server says of one thing, in a form that can be compared: what a model or a person relies on.

Everything that stands in the entry of a list counts, members that no revision knows today
included, but for `_meta`, `execution` and, of resources, `size` and the time of the last change:
those say how a thing is at the moment or is to be run, and not what it is. A member that is
`null` is one that is missing. Two entries are the same when their canonical JSON is.

Of resources, those count that the catalog names: an entry of a family that a template covers is
data, and there may be thousands. An entry without a name, or with one that nobody could show, is
no definition; a definition of more than `MAX_BYTES` is kept by its digest alone.

Source: MCP 2026-07-28 schema (Tool, Resource, ResourceTemplate, Prompt); MISSION B9.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from remit.canonical import Json, JsonObject, canonical_text, parse_object
from remit.model import Server
from remit.policy.evaluation import ResourceKind

__all__ = [
    "MAX_BYTES",
    "Offer",
    "changed_members",
    "declares",
    "is_lesser",
    "offers_of",
    "parse_definition",
]

MAX_BYTES = 256 * 1024
_MAX_NAME = 512
_VOLATILE = frozenset({"_meta", "execution"})
_VOLATILE_OF_DATA = frozenset({"size"})
_MAY_BE_LEFT_OUT = frozenset({"annotations", "icons", "outputSchema", "title"})
"""What servers leave out for a client of an earlier revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing as a server offers it. `text` is its canonical JSON, `digest` the SHA-256 of that."""

    kind: ResourceKind
    name: str
    text: str
    digest: str
    is_too_large: bool = False


def offers_of(
    kind: ResourceKind, key: str, items: Iterable[Json], server: Server
) -> tuple[Offer, ...]:
    """The definitions among `items` of a list whose entries are told apart by their member `key`."""
    found: dict[str, Offer] = {}
    for item in items:
        name = item.get(key) if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(name, str):
            continue
        if not 0 < len(name) <= _MAX_NAME or "\0" in name:
            continue
        if kind is ResourceKind.RESOURCE and not declares(server, kind, name):
            continue
        offer = _offer(kind, name, item)
        # Two entries of one name: which of them a client takes is anybody's guess, so both count.
        same = found.get(name)
        found[name] = offer if same is None or same.digest == offer.digest else _both(same, offer)
    return tuple(found.values())


def declares(server: Server, kind: ResourceKind, name: str) -> bool:
    """Whether the catalog has the thing, by exactly that name."""
    if kind is ResourceKind.RESOURCE:
        return any(resource.uri == name for resource in server.resources)
    return name in (server.tools if kind is ResourceKind.TOOL else server.prompts)


def changed_members(before: JsonObject, after: JsonObject) -> tuple[str, ...]:
    """The names of the members in which the two differ, sorted; those that the protocol knows, by name."""
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))


def is_lesser(offered: JsonObject, admitted: JsonObject) -> bool:
    """Whether `offered` is `admitted` without members that earlier revisions of the protocol lack."""
    missing = set(admitted) - set(offered)
    return missing <= _MAY_BE_LEFT_OUT and all(
        name in admitted and admitted[name] == value for name, value in offered.items()
    )


def parse_definition(text: str) -> JsonObject:
    """The definition whose canonical JSON is `text`."""
    return parse_object(text.encode())


def _offer(kind: ResourceKind, name: str, item: JsonObject) -> Offer:
    text = canonical_text(_lasting(kind, item))
    digest = hashlib.sha256(text.encode()).hexdigest()
    if len(text) <= MAX_BYTES:
        return Offer(kind=kind, name=name, text=text, digest=digest)
    return Offer(
        kind=kind, name=name, text=canonical_text({"sha256": digest, "bytes": len(text)}),
        digest=digest, is_too_large=True,
    )  # fmt: skip


def _both(first: Offer, second: Offer) -> Offer:
    text = f'{{"twice":[{first.text},{second.text}]}}'
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Offer(
        kind=first.kind, name=first.name, text=text, digest=digest,
        is_too_large=first.is_too_large or second.is_too_large,
    )  # fmt: skip


def _lasting(kind: ResourceKind, item: JsonObject) -> JsonObject:
    volatile = _VOLATILE | _VOLATILE_OF_DATA if kind is ResourceKind.RESOURCE else _VOLATILE
    lasting: JsonObject = {
        name: value for name, value in item.items() if value is not None and name not in volatile
    }
    annotations = lasting.get("annotations")
    if kind is ResourceKind.RESOURCE and isinstance(annotations, dict):
        kept = {name: value for name, value in annotations.items() if name != "lastModified"}
        lasting["annotations"] = kept
        if not kept:
            del lasting["annotations"]
    return lasting
