"""What the log may keep of a tool's arguments.

Decides leaf by leaf. Unless a ruling says otherwise a leaf becomes a token: a
keyed pseudonym, equal for equal values of one tenant and worthless without the
key; where its class is declared, of that class. What is kept in clear is looked through first: what a detector finds in it
becomes a token of its class. A name in an object is kept only if it reads like a name; data used as a key
is tokenised too. What is too deep or too much is replaced by one token or a count.
The result holds no float and no integer beyond 2^53, so every part of it can be logged.

Source: AUDIT §1.6; RFC 6901 for pointers; RFC 2104 for the HMAC.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, assert_never

from remit.audit.detectors import Found, find, names_a_secret, normal_form
from remit.audit.extent import MOST_SHOWN, values_in
from remit.audit.numbers import is_luhn
from remit.audit.pseudonyms import Keyed, token_of
from remit.audit.record_seal import RecordSeal
from remit.audit.ruling import Place, Ruling, ruling_of, stricter
from remit.canonical import Json, JsonObject, canonical_bytes, canonical_text
from remit.model import Argument, AuditTreatment, Classification

__all__ = ["MAX_DEPTH", "MAX_LEAVES", "MAX_SEALED_BYTES", "Note", "Redaction", "Redactor"]

MAX_DEPTH = 8
MAX_LEAVES = 128
MAX_SEALED_BYTES = 4_096
"""More would push the rest of a record out of it."""
_MAX_KEPT = 256
_BEYOND = 512
"""Characters beyond those kept that are looked at: what is cut in two is still what it was."""
_MAX_DERIVED = 1024
_MAX_INTEGER = 2**53 - 1
_OMITTED = "+omitted"
"""Counts what was left out; no kept or tokenised name can be equal to it."""

# A name made of words: `amount`, `line_2`, `postalCode`, `X-Request-ID`. Long runs of letters, and
# letters mixed with digits, are what keys and passwords look like; they do not match.
_WORD = r"(?:[A-Z]?[a-z]{1,15}|[A-Z]{1,12})"
_NAME = re.compile(
    rf"{_WORD}(?:[_-]{_WORD}|[A-Z][a-z]{{1,15}}|(?<=[a-z])[A-Z]{{2,3}}){{0,5}}(?:[_-][0-9]{{1,2}})?"
)
_MAX_NAME = 40

_UNSAID: Final = Place(AuditTreatment.TOKEN, why="nothing said")
_CALLED_SECRET: Final = Place(
    AuditTreatment.TOKEN, Classification.SECRET, why="its name, which is that of a secret"
)


@dataclass(frozen=True, slots=True)
class Redaction:
    """Arguments as the log may keep them, a keyed digest of all they were, and what is kept sealed.

    `sealing` is what rules want sealed, by its pointer; `dropped` are pointers of which nothing is kept in any form.
    """

    input: JsonObject
    digest: str | None
    sealed: str | None = None
    sealing: JsonObject = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Why one value is kept as it is: for whoever asks beforehand. `found` are detectors."""

    pointer: str
    treatment: AuditTreatment
    classification: Classification | None
    why: str
    found: tuple[str, ...] = ()


@dataclass(slots=True)
class _Walk:
    """One pass over one call's arguments."""

    keyed: Keyed
    places: Mapping[str, Place]
    declared: frozenset[str]
    off: frozenset[str]
    is_ruled: bool
    """Whether something is said of places that had to be looked for, which is done in the beginning alone (`extent`)."""
    leaves: int = 0
    passed: int = 0
    """Values that were gone past and do not count as leaves: within what is not shown value by value."""
    sealing: JsonObject | None = None
    dropped: list[str] | None = None
    notes: list[Note] | None = None

    @property
    def is_full(self) -> bool:
        """Whether nothing more is shown: there is enough, or nobody looked whether rules speak of what comes now."""
        return self.leaves >= MAX_LEAVES or self.leaves + self.passed >= MOST_SHOWN - 1

    def go_past(self, value: Json) -> None:
        """`value` is not shown value by value; who makes it long moves what follows beyond what was looked at."""
        if self.is_ruled:
            self.passed += values_in(value)


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
        self._derived: dict[tuple[str, str | None], Keyed] = {}
        self._rulings: dict[int, tuple[Sequence[Argument], Ruling]] = {}

    def redact(
        self,
        arguments: "JsonObject | None",
        *,
        tenant: str | None,
        rules: Sequence[Argument] = (),
        ruling: Ruling | None = None,
        notes: list[Note] | None = None,
    ) -> Redaction:
        """What may be kept of `arguments`, by `ruling`, or else by what the catalog has of the tool's arguments.

        A call without arguments has an empty input and no digest. `notes` is told why, value by value.
        """
        if arguments is None:
            return Redaction(input={}, digest=None)
        if ruling is None:
            ruling = self._ruling(rules)
        is_ruled = bool(ruling.patterns or ruling.paths)
        places = ruling.places(arguments) if is_ruled else ruling.pointers
        digest = self.digest(arguments, tenant=tenant)
        if places is None:
            return Redaction({_OMITTED: len(arguments)}, digest, dropped=("",))
        walk = _Walk(self._derive("token", tenant), places, ruling.declared, ruling.off, is_ruled)
        walk.notes = notes
        root = places.get("")
        if root is not None and root.holds is AuditTreatment.DROP:
            return Redaction({_OMITTED: len(arguments)}, digest, dropped=("",))
        kept = _object(walk, arguments, "", 1, around=root)
        if walk.sealing is None and walk.dropped is None:
            return Redaction(kept, digest)
        return Redaction(
            kept, digest, sealing=walk.sealing or {}, dropped=tuple(walk.dropped or ())
        )

    def seal(
        self, content: bytes, *, decision: str, tenant: str, subject: str | None = None
    ) -> str | None:
        """`content` as it may stand in the record of that decision; `None` where nothing can be sealed, or so much."""
        if self.record_seal is None or len(content) > MAX_SEALED_BYTES:
            return None
        return self.record_seal.seal(content, decision=decision, tenant=tenant, subject=subject)

    def digest(self, value: object, *, tenant: str | None) -> str:
        """A keyed digest of any JSON value, in hexadecimal: equal for equal values of one tenant."""
        return self._derive("digest", tenant).digest(canonical_bytes(value)).hex()

    def token(self, value: Json, *, tenant: str | None) -> str:
        """The token that stands for one value wherever it occurs in `tenant`'s log."""
        return token_of(self._derive("token", tenant), value)

    def tokens(self, value: Json, *, tenant: str | None) -> tuple[str, ...]:
        """Every token that may stand for `value` there, whatever class it was declared to be of."""
        keyed = self._derive("token", tenant)
        plain = _in_normal_form(value) if isinstance(value, str) else value
        classes = (token_of(keyed, plain, one._value_) for one in Classification)
        return (token_of(keyed, value), *classes)

    def _ruling(self, rules: Sequence[Argument]) -> Ruling:
        """What `rules` come to."""
        known = self._rulings.get(id(rules))
        if known is not None and known[0] is rules:
            return known[1]
        ruling = ruling_of(rules)
        if isinstance(
            rules, tuple
        ):  # what cannot change, and is the same object for each call of a tool
            if len(self._rulings) >= _MAX_DERIVED:
                self._rulings.clear()
            self._rulings[id(rules)] = (rules, ruling)
        return ruling

    def _derive(self, purpose: str, tenant: str | None) -> Keyed:
        known = self._derived.get((purpose, tenant))
        if known is not None:
            return known
        if len(self._derived) >= _MAX_DERIVED:
            self._derived.clear()
        scope = canonical_bytes(["remit redaction 1", purpose, tenant])
        derived = Keyed(hmac.digest(self._key, scope, "sha256"))
        self._derived[purpose, tenant] = derived
        return derived


def _object(
    walk: _Walk, value: JsonObject, pointer: str, depth: int, *, around: Place | None
) -> JsonObject:
    kept: JsonObject = {}
    omitted = 0
    for seen, (name, item) in enumerate(value.items()):
        if walk.is_full:
            omitted += len(value) - seen
            break
        below = f"{pointer}/{_escaped(name)}"
        place = walk.places.get(below)
        if around is not None:
            place = _within(walk, around, place, name)
        if place is not None and place.treatment is AuditTreatment.DROP:
            omitted += _drop(walk, below, place)
            walk.go_past(item)
            continue
        shown = name if _is_name(name, walk.declared) else token_of(walk.keyed, name, "key")
        kept[shown] = _value(walk, item, below, depth, place=place)
    if omitted:
        kept[_OMITTED] = omitted
    return kept


def _within(walk: _Walk, around: Place, place: Place | None, name: str) -> Place:
    """What holds for the member `name` of what `around` is said of. Whoever keeps all of an object does not mean a password in it."""
    found = stricter(around, place)
    if place is None and found.holds is AuditTreatment.KEEP and "assigned" not in walk.off:
        return _CALLED_SECRET if names_a_secret(name) else found
    return found


def _drop(walk: _Walk, pointer: str, place: Place) -> int:
    """Note that nothing is kept at `pointer`; whether the log has to say so, since the catalog does not."""
    walk.dropped = [*(walk.dropped or ()), pointer]
    if walk.notes is not None:
        walk.notes.append(Note(pointer, AuditTreatment.DROP, place.classification, place.why))
    return place.reach


def _escaped(name: str) -> str:
    if "~" in name or "/" in name:
        return name.replace("~", "~0").replace("/", "~1")
    return name


def _array(
    walk: _Walk, value: list[Json], pointer: str, depth: int, *, around: Place | None
) -> list[Json]:
    kept: list[Json] = []
    for seen, item in enumerate(value):
        if walk.is_full:
            kept.append({_OMITTED: len(value) - seen})
            break
        below = f"{pointer}/{seen}"
        place = walk.places.get(below)
        if around is not None:
            place = stricter(around, place)
        kept.append(_value(walk, item, below, depth, place=place))
    return kept


def _value(walk: _Walk, value: Json, pointer: str, depth: int, *, place: Place | None) -> Json:
    walk.leaves += 1  # a container counts too, so that empty ones cannot fill a record
    if isinstance(value, dict | list):
        if place is not None and place.treatment is AuditTreatment.DROP:
            _drop(walk, pointer, place)
            walk.go_past(value)
            return None
        if depth >= MAX_DEPTH:
            walk.go_past(value)
            return _stand_in(walk, value, pointer, place)
        within = place if place is not None and place.reach else None
        if isinstance(value, dict):
            return _object(walk, value, pointer, depth + 1, around=within)
        if within is None and place is not None and _is_kept_list(value, place):
            within = place
        return _array(walk, value, pointer, depth + 1, around=within)
    if walk.notes is None and (
        place is None or (place.treatment is AuditTreatment.TOKEN and place.classification is None)
    ):
        return None if value is None else token_of(walk.keyed, value)
    place = place or _UNSAID
    match place.holds:
        case AuditTreatment.TOKEN | AuditTreatment.SEAL:
            return _stand_in(walk, value, pointer, place)
        case AuditTreatment.KEEP:
            return _kept(walk, value, pointer, place)
        case AuditTreatment.LAST4:
            _note(walk, pointer, place)
            return _last4(value)
        case AuditTreatment.DROP:  # an element of an array: its place stays
            _drop(walk, pointer, place)
            return None
        case _:
            assert_never(place.holds)


def _is_kept_list(value: list[Json], place: Place) -> bool:
    """Whether the catalog wants a list kept whose elements it does not speak of."""
    return place.treatment is AuditTreatment.KEEP and all(isinstance(item, str) for item in value)


def _note(walk: _Walk, pointer: str, place: Place, found: tuple[str, ...] = ()) -> None:
    if walk.notes is not None:
        walk.notes.append(Note(pointer, place.holds, place.classification, place.why, found))


def _stand_in(walk: _Walk, value: Json, pointer: str, place: Place | None) -> Json:
    """The token of `value`; what is to be sealed is put aside."""
    place = place or _UNSAID
    _note(walk, pointer, place)
    if value is None:
        return None
    if place.treatment is AuditTreatment.SEAL:
        walk.sealing = {**(walk.sealing or {}), pointer: value}
    if place.classification is None:
        return token_of(walk.keyed, value)
    plain = _in_normal_form(value) if isinstance(value, str) else value
    return token_of(walk.keyed, plain, place.classification._value_)


def _in_normal_form(value: str) -> str:
    found = find(value)
    whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(value))
    return normal_form(value, found[0]) if whole else value


def _is_name(name: str, declared: frozenset[str]) -> bool:
    if name in declared:
        return name.isascii() and name.isprintable() and len(name) <= _MAX_NAME
    return len(name) <= _MAX_NAME and _reads_like_a_name(name)


@lru_cache(maxsize=4_096)
def _reads_like_a_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _kept(walk: _Walk, value: Json, pointer: str, place: Place) -> Json:
    """`value` in clear, but for what a detector finds in it."""
    if isinstance(value, str):
        text = value[: _MAX_KEPT + _BEYOND]
        found = find(text, off=walk.off)
        _note(walk, pointer, place, tuple(one.detector for one in found))
        return _with_tokens(walk.keyed, text, found) if found else value[:_MAX_KEPT]
    if isinstance(value, int | float) and not isinstance(value, bool) and "pan" not in walk.off:
        digits = canonical_text(abs(value)).removesuffix(".0")
        if is_luhn(digits):
            _note(walk, pointer, place, ("pan",))
            return token_of(walk.keyed, digits, Classification.PAN._value_)
    _note(walk, pointer, place)
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > _MAX_INTEGER):
        return canonical_text(value)
    return value


def _with_tokens(keyed: Keyed, text: str, found: Sequence[Found]) -> str:
    """`text` with a token in the place of each of `found`; cut where a longer one would be, and never within a token."""
    parts: list[str] = []
    place = 0
    for one in found:
        parts.append(text[place : min(one.start, _MAX_KEPT)])
        if one.start >= _MAX_KEPT:
            return "".join(parts)
        parts.append(token_of(keyed, normal_form(text, one), one.classification._value_))
        place = one.end
    return "".join((*parts, text[place:_MAX_KEPT]))


def _last4(value: Json) -> Json:
    """The last four characters of a text or number of at least twelve; of a shorter one, nothing."""
    if value is None or isinstance(value, bool):
        return value if value is None else "****"
    text = value if isinstance(value, str) else canonical_text(value)
    return f"****{text[-4:]}" if len(text) >= 12 else "****"
