"""What holds for each place of a tool's arguments: by the catalog, by the tool's schema, by rules of the repository.

Nothing that was said leaves a token. Of several that fit one place the strictest holds, and what is said of an
object or array is said of all in it. A schema says `x-remit-audit` (`keep`, `drop`, `token`, `seal`, `last4` or
`mask:last4`) and `x-remit-class`; of a class alone `public` means to keep, and every other a token. What a schema
calls `secret`, `phi` or `pan` is never kept on its word, and a word that nobody knows drops. A rule whose path cannot
be followed in a document keeps nothing of it.

Source: AUDIT §1.6; docs/guides/redaction.md.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from remit.audit.extent import beginning
from remit.audit.json_paths import BadPathError, JsonPath, json_path
from remit.canonical import Json, JsonObject, canonical_text
from remit.model import Argument, AuditTreatment, Classification, RedactionRule

__all__ = ["ANNOTATED", "NO_RULING", "Place", "Ruling", "ruling_of", "stricter"]

AUDIT_WORD: Final = "x-remit-audit"
CLASS_WORD: Final = "x-remit-class"
ANNOTATED: Final = "x-remit-"
"""How every word begins with which a schema says something of the log."""
_MOST_PLACES: Final = 512
_MOST_STEPS: Final = 16_384
_DEEPEST: Final = 8
"""As deep as arguments are told apart."""
_ANY: Final = "*"
"""Any element of an array, and any member that has no name of its own."""

_STRICTEST_FIRST: Final = (
    AuditTreatment.DROP,
    AuditTreatment.TOKEN,
    AuditTreatment.SEAL,
    AuditTreatment.LAST4,
    AuditTreatment.KEEP,
)
_GRAVEST_FIRST: Final = (
    Classification.SECRET,
    Classification.PAN,
    Classification.PHI,
    Classification.FINANCIAL,
    Classification.PII,
    Classification.INTERNAL,
    Classification.PUBLIC,
)
_NEVER_KEPT: Final = frozenset({Classification.SECRET, Classification.PAN, Classification.PHI})
_SHOWS: Final = frozenset({AuditTreatment.KEEP, AuditTreatment.LAST4})


@dataclass(frozen=True, slots=True)
class Place:
    """What holds at one place. `reach`: whether it holds for all that lies within. `why` is who said so."""

    treatment: AuditTreatment | None = None
    classification: Classification | None = None
    reach: bool = True
    why: str = ""

    @property
    def holds(self) -> AuditTreatment:
        """How a value there is treated."""
        if self.treatment is not None:
            return self.treatment
        kept = self.classification is Classification.PUBLIC
        return AuditTreatment.KEEP if kept else AuditTreatment.TOKEN


_Pattern = tuple[tuple[str, ...], Place]
_TOO_MUCH: Final[_Pattern] = ((), Place(AuditTreatment.DROP, why="schema says too much"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What is known before a call comes. `pointers` are exact, `patterns` have a `*`, `paths` have to be followed."""

    pointers: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))
    declared: frozenset[str] = frozenset()
    """Names that the catalog or a schema has, and that may be shown."""
    patterns: tuple[_Pattern, ...] = ()
    paths: tuple[tuple[JsonPath, Place], ...] = ()
    off: frozenset[str] = frozenset()
    """Detectors that are not asked."""

    def places(self, arguments: JsonObject) -> Mapping[str, Place] | None:
        """What holds where in `arguments`; `None` where nothing of them may be kept."""
        if not self.patterns and not self.paths:
            return self.pointers
        found = dict(self.pointers)
        shown = beginning(arguments) if self.patterns else arguments
        for parts, place in self.patterns:
            for pointer in _matching(shown, parts, ""):
                found[pointer] = stricter(found.get(pointer), place)
        for path, place in self.paths:
            try:
                pointers = path.pointers(arguments)
            except BadPathError:  # it may have wanted something dropped
                return None
            for pointer in pointers:
                found[pointer] = stricter(found.get(pointer), place)
        return found


NO_RULING: Final = Ruling()


def ruling_of(
    declared: Sequence[Argument] = (),
    *,
    schema: Json = None,
    rules: Sequence[RedactionRule] = (),
    off: frozenset[str] = frozenset(),
) -> Ruling:
    """What `declared` in the catalog, the admitted `schema` and those `rules` that fit the tool come to together.

    Raises:
        BadPathError: a rule's path is none.
    """
    pointers = {
        pointer: Place(treatment, None, reach=False, why="catalog")
        for pointer, treatment in _treatments(declared).items()
    }
    patterns: list[_Pattern] = []
    names = {part for one in declared for part in _parts(one.pointer)}
    for parts, place in _annotated(schema):
        names.update(part for part in parts if part != _ANY)
        if _ANY in parts:
            patterns.append((parts, place))
            continue
        pointer = "".join([f"/{_escaped(part)}" for part in parts])
        pointers[pointer] = stricter(pointers.get(pointer), place)
    paths = tuple(
        (
            json_path(rule.path),
            Place(rule.treatment, rule.classification, why=f"rule `{rule.path}`"),
        )
        for rule in rules
    )
    return Ruling(
        pointers=MappingProxyType(pointers),
        declared=frozenset(names),
        patterns=tuple(patterns),
        paths=paths,
        off=off,
    )


def stricter(one: Place | None, other: Place | None) -> Place:
    """What holds where both do."""
    if one is None or other is None:
        return one or other or Place()
    if one.treatment is None or other.treatment is None:
        treatment = one.treatment or other.treatment
    else:
        treatment = min(one.treatment, other.treatment, key=_STRICTEST_FIRST.index)
    classes = [each.classification for each in (one, other) if each.classification is not None]
    classification = min(classes, key=_GRAVEST_FIRST.index) if classes else None
    decisive = one if treatment is one.treatment else other
    return Place(treatment, classification, one.reach or other.reach, decisive.why)


def _treatments(declared: Sequence[Argument]) -> dict[str, AuditTreatment]:
    """One treatment a pointer; when two arguments read the same place, the stricter holds."""
    chosen: dict[str, AuditTreatment] = {}
    for one in declared:
        held = chosen.get(one.pointer, one.audit)
        chosen[one.pointer] = min(held, one.audit, key=_STRICTEST_FIRST.index)
    return chosen


def _annotated(schema: Json) -> list[_Pattern]:
    """The places that `schema` says something of; where it says more than any tool needs, nothing is kept."""
    if not isinstance(schema, dict) or ANNOTATED not in canonical_text(schema):
        return []
    seen: set[tuple[int, tuple[str, ...]]] = set()
    found = list(itertools.islice(_walk(schema, schema, (), seen), _MOST_PLACES + 1))
    return found if len(found) <= _MOST_PLACES and len(seen) < _MOST_STEPS else [_TOO_MUCH]


def _walk(
    schema: Json, root: Json, parts: tuple[str, ...], seen: set[tuple[int, tuple[str, ...]]]
) -> Iterator[_Pattern]:
    """The places in `schema`, which stands at `parts`. What was `seen` there is not looked at again."""
    here = (id(schema), parts)
    if not isinstance(schema, dict) or len(parts) > _DEEPEST or here in seen:
        return
    if len(seen) >= _MOST_STEPS:
        return
    seen.add(here)
    place = _said(schema)
    if place is not None:
        yield parts, place
    for word in _REFERENCES:
        reference = schema.get(word)
        if isinstance(reference, str):
            referred = _referred(root, reference)
            if referred is None:  # whatever it would say is not known
                yield parts, _NOT_FOLLOWED
            yield from _walk(referred, root, parts, seen)
    for one in _of_the_same(schema):
        yield from _walk(one, root, parts, seen)
    members = schema.get("properties")
    for name, one in members.items() if isinstance(members, dict) else ():
        # A name of one star is no pattern: what is said of it is said of all members, which is stricter.
        yield from _walk(one, root, (*parts, name), seen)
    for one in _of_any_member(schema):
        yield from _walk(one, root, (*parts, _ANY), seen)


def _of_the_same(schema: JsonObject) -> Iterator[Json]:
    """Schemas within `schema` that speak of the same place."""
    for word in ("allOf", "anyOf", "oneOf"):
        alternatives = schema.get(word)
        yield from alternatives if isinstance(alternatives, list) else ()
    for word in ("if", "then", "else", "not"):
        yield schema.get(word)
    for word in ("dependentSchemas", "dependencies"):
        dependent = schema.get(word)
        yield from dependent.values() if isinstance(dependent, dict) else ()


def _of_any_member(schema: JsonObject) -> Iterator[Json]:
    """Those that speak of members or elements that `properties` does not name."""
    for word in _MEMBERS:
        within = schema.get(word)
        yield from within if isinstance(within, list) else (within,)
    names = schema.get("patternProperties")
    yield from names.values() if isinstance(names, dict) else ()


_MEMBERS: Final = (
    "items", "prefixItems", "additionalItems", "contains", "unevaluatedItems", "additionalProperties",
    "unevaluatedProperties",
)  # fmt: skip
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_NOT_FOLLOWED: Final = Place(AuditTreatment.TOKEN, why="schema, a reference that is not followed")


def _said(schema: JsonObject) -> Place | None:
    treatment, classification = schema.get(AUDIT_WORD), schema.get(CLASS_WORD)
    if treatment is None and classification is None:
        return None
    known = _class_of(classification)
    if classification is not None and known is None:
        return Place(AuditTreatment.DROP, why=f"schema, `{CLASS_WORD}` of no known word")
    if treatment is None:
        return Place(None, known, why="schema")
    word = "last4" if treatment == "mask:last4" else treatment
    try:
        chosen = AuditTreatment(word) if isinstance(word, str) else AuditTreatment.DROP
    except ValueError:
        return Place(AuditTreatment.DROP, known, why=f"schema, `{AUDIT_WORD}` of no known word")
    if chosen in _SHOWS and known in _NEVER_KEPT and chosen is not _LAST4_OF.get(known):
        chosen = AuditTreatment.TOKEN
    return Place(chosen, known, why="schema")


_LAST4_OF: Final = MappingProxyType({Classification.PAN: AuditTreatment.LAST4})
"""What PCI DSS 3.4.1 lets be shown of a card number."""


def _class_of(word: Json) -> Classification | None:
    try:
        return Classification(word) if isinstance(word, str) else None
    except ValueError:
        return None


def _referred(root: Json, reference: str) -> Json:
    """What a reference within the schema leads to; what leads elsewhere says nothing."""
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        return None
    here = root
    for part in _parts(reference[1:]):
        here = here.get(part) if isinstance(here, dict) else None
    return here


def _matching(value: Json, parts: tuple[str, ...], pointer: str) -> Iterator[str]:
    if not parts:
        yield pointer
        return
    first, rest = parts[0], parts[1:]
    if isinstance(value, list):
        members = [(str(place), one) for place, one in enumerate(value)] if first == _ANY else []
    elif isinstance(value, dict):
        members = list(value.items()) if first == _ANY else [(first, value.get(first))]
    else:
        return
    for name, one in members:
        yield from _matching(one, rest, f"{pointer}/{_escaped(name)}")


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
