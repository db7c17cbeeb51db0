"""What the log may keep of a tool's arguments.

Decides leaf by leaf. Unless the catalog says otherwise a leaf becomes a token: a
keyed pseudonym, equal for equal values of one tenant and worthless without the
key. A name in an object is kept only if it reads like a name; data used as a key
is tokenised too. What is too deep or too much is replaced by one token or a count.
The result holds no float and no integer beyond 2^53, so every part of it can be logged.

Source: AUDIT §1.6; RFC 6901 for pointers; RFC 2104 for the HMAC.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import assert_never

from remit.audit.record_seal import RecordSeal
from remit.canonical import Json, JsonObject, canonical_bytes, canonical_text
from remit.model import Argument, AuditTreatment

__all__ = ["MAX_DEPTH", "MAX_LEAVES", "MAX_SEALED_BYTES", "Redaction", "Redactor"]

MAX_DEPTH = 8
MAX_LEAVES = 128
MAX_SEALED_BYTES = 4_096
"""More would push the rest of a record out of it."""
_MAX_KEPT = 256
_MAX_DERIVED = 1024
_MAX_INTEGER = 2**53 - 1
_BLOCK = 64
_OMITTED = "+omitted"
"""Counts what was left out; no kept or tokenised name can be equal to it."""

# A name made of words: `amount`, `line_2`, `postalCode`, `X-Request-ID`. Long runs of letters, and
# letters mixed with digits, are what keys and passwords look like; they do not match.
_WORD = r"(?:[A-Z]?[a-z]{1,15}|[A-Z]{1,12})"
_NAME = re.compile(
    rf"{_WORD}(?:[_-]{_WORD}|[A-Z][a-z]{{1,15}}|(?<=[a-z])[A-Z]{{2,3}}){{0,5}}(?:[_-][0-9]{{1,2}})?"
)
_MAX_NAME = 40

# Base32 of RFC 4648 in lower case, ten bits at a time: four times as fast as the library's.
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _BASE32 for second in _BASE32)
_SHIFTS = range(120, -1, -10)

_STRICTEST_FIRST = (
    AuditTreatment.DROP,
    AuditTreatment.TOKEN,
    AuditTreatment.LAST4,
    AuditTreatment.KEEP,
)


@dataclass(frozen=True, slots=True)
class Redaction:
    """Arguments as the log may keep them, a keyed digest of all they were, and what is kept sealed."""

    input: JsonObject
    digest: str | None
    sealed: str | None = None


class _Keyed:
    """HMAC-SHA-256 under one key, its two halves begun beforehand: half the time of the library's.

    Source: RFC 2104 §4 (the intermediate results of both first blocks are as secret as the key).
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        self._inner = sha256(bytes(octet ^ 0x36 for octet in block))
        self._outer = sha256(bytes(octet ^ 0x5C for octet in block))

    def digest(self, message: bytes) -> bytes:
        """The code of `message`."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


@dataclass(slots=True)
class _Walk:
    """One pass over one call's arguments."""

    keyed: _Keyed
    treatments: Mapping[str, AuditTreatment]
    declared: frozenset[str]
    leaves: int = field(default=0)


class Redactor:
    """Turns arguments into what the log may keep, under keys derived from one secret.

    Tokens of different tenants, and tokens and digests, are under different keys, so
    that nothing in one tenant's log can be matched with anything in another's. What the log may not
    show and a replay needs is sealed by `record_seal`; without one it is lost.
    """

    __slots__ = ("_derived", "_key", "_rulings", "record_seal")

    def __init__(self, key: bytes, *, record_seal: RecordSeal | None = None) -> None:
        if len(key) < 32:
            raise ValueError("a redaction key has at least 32 bytes")
        self._key = key
        self.record_seal = record_seal
        self._derived: dict[tuple[str, str | None], _Keyed] = {}
        self._rulings: dict[
            int, tuple[Sequence[Argument], Mapping[str, AuditTreatment], frozenset[str]]
        ] = {}

    def redact(
        self, arguments: "JsonObject | None", *, tenant: str | None, rules: Sequence[Argument] = ()
    ) -> Redaction:
        """What may be kept of `arguments`; `rules` are the tool's arguments in the catalog.

        A call without arguments has an empty input and no digest.
        """
        if arguments is None:
            return Redaction(input={}, digest=None)
        treatments, declared = self._ruling(rules)
        walk = _Walk(keyed=self._derive("token", tenant), treatments=treatments, declared=declared)
        kept = _object(walk, arguments, "", 1)
        return Redaction(input=kept, digest=self.digest(arguments, tenant=tenant))

    def seal(self, content: bytes, *, decision: str, tenant: str) -> str | None:
        """`content` as it may stand in the record of that decision; `None` where nothing can be sealed, or so much."""
        if self.record_seal is None or len(content) > MAX_SEALED_BYTES:
            return None
        return self.record_seal.seal(content, decision=decision, tenant=tenant)

    def digest(self, value: object, *, tenant: str | None) -> str:
        """A keyed digest of any JSON value, in hexadecimal: equal for equal values of one tenant."""
        return self._derive("digest", tenant).digest(canonical_bytes(value)).hex()

    def token(self, value: Json, *, tenant: str | None) -> str:
        """The token that stands for one value wherever it occurs in `tenant`'s log."""
        return _token(self._derive("token", tenant), value)

    def _ruling(
        self, rules: Sequence[Argument]
    ) -> tuple[Mapping[str, AuditTreatment], frozenset[str]]:
        """What `rules` come to: a treatment for each pointer, and the names they go through."""
        known = self._rulings.get(id(rules))
        if known is not None and known[0] is rules:
            return known[1], known[2]
        treatments = _treatments(rules)
        declared = frozenset(part for rule in rules for part in _parts(rule.pointer))
        if isinstance(
            rules, tuple
        ):  # what cannot change, and is the same object for each call of a tool
            if len(self._rulings) >= _MAX_DERIVED:
                self._rulings.clear()
            self._rulings[id(rules)] = (rules, treatments, declared)
        return treatments, declared

    def _derive(self, purpose: str, tenant: str | None) -> _Keyed:
        known = self._derived.get((purpose, tenant))
        if known is not None:
            return known
        if len(self._derived) >= _MAX_DERIVED:
            self._derived.clear()
        scope = canonical_bytes(["remit redaction 1", purpose, tenant])
        derived = _Keyed(hmac.digest(self._key, scope, "sha256"))
        self._derived[purpose, tenant] = derived
        return derived


def _treatments(rules: Sequence[Argument]) -> dict[str, AuditTreatment]:
    """One treatment a pointer; when two arguments read the same place, the stricter holds."""
    chosen: dict[str, AuditTreatment] = {}
    for rule in rules:
        held = chosen.get(rule.pointer, rule.audit)
        chosen[rule.pointer] = min(held, rule.audit, key=_STRICTEST_FIRST.index)
    return chosen


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _object(walk: _Walk, value: JsonObject, pointer: str, depth: int) -> JsonObject:
    kept: JsonObject = {}
    for seen, (name, item) in enumerate(value.items()):
        if walk.leaves >= MAX_LEAVES:
            kept[_OMITTED] = len(value) - seen
            break
        below = f"{pointer}/{_escaped(name)}"
        if walk.treatments.get(below) is AuditTreatment.DROP:
            continue
        shown = name if _is_name(name, walk.declared) else _token(walk.keyed, name, "key")
        kept[shown] = _value(walk, item, below, depth)
    return kept


def _escaped(name: str) -> str:
    if "~" in name or "/" in name:
        return name.replace("~", "~0").replace("/", "~1")
    return name


def _array(walk: _Walk, value: list[Json], pointer: str, depth: int) -> list[Json]:
    kept: list[Json] = []
    for seen, item in enumerate(value):
        if walk.leaves >= MAX_LEAVES:
            kept.append({_OMITTED: len(value) - seen})
            break
        kept.append(_value(walk, item, f"{pointer}/{seen}", depth))
    return kept


def _value(walk: _Walk, value: Json, pointer: str, depth: int) -> Json:
    walk.leaves += 1  # a container counts too, so that empty ones cannot fill a record
    treatment = walk.treatments.get(pointer, AuditTreatment.TOKEN)
    if isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            return _token(walk.keyed, value)
        if isinstance(value, dict):
            return _object(walk, value, pointer, depth + 1)
        if treatment is AuditTreatment.KEEP and all(isinstance(item, str) for item in value):
            return [_kept(item) for item in value[:MAX_LEAVES]]
        return _array(walk, value, pointer, depth + 1)
    if treatment is AuditTreatment.TOKEN:
        return None if value is None else _token(walk.keyed, value)
    match treatment:
        case AuditTreatment.KEEP:
            return _kept(value)
        case AuditTreatment.LAST4:
            return _last4(value)
        case AuditTreatment.DROP:  # an element of an array: its place stays
            return None
        case _:
            assert_never(treatment)


def _is_name(name: str, declared: frozenset[str]) -> bool:
    if name in declared:
        return name.isascii() and name.isprintable() and len(name) <= _MAX_NAME
    return len(name) <= _MAX_NAME and _reads_like_a_name(name)


@lru_cache(maxsize=4_096)
def _reads_like_a_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _token(keyed: _Keyed, value: Json, kind: str | None = None) -> str:
    """`tok1.`, the sort of value, and 130 bits of HMAC. The sort is part of what is authenticated."""
    kind = kind or _kind(value)
    code = keyed.digest(b"%s\0%s" % (kind.encode(), canonical_bytes(value)))
    bits = int.from_bytes(code[:17], "big") >> 6
    return f"tok1.{kind}.{''.join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])}"


def _kind(value: Json) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else "tree"


def _kept(value: Json) -> Json:
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > _MAX_INTEGER):
        return canonical_text(value)
    return value[:_MAX_KEPT] if isinstance(value, str) else value


def _last4(value: Json) -> Json:
    """The last four characters of a text or number of at least twelve; of a shorter one, nothing."""
    if value is None or isinstance(value, bool):
        return value if value is None else "****"
    text = value if isinstance(value, str) else canonical_text(value)
    return f"****{text[-4:]}" if len(text) >= 12 else "****"
