"""The story of one grant, agent, person, trace or decision: every record of it, whichever part of Remit wrote it.

A story is told by facets. It begins with those that name its subject, and grows by what records say belongs to it: grants
that descend from a grant, the authorization that led to it, what people were asked about its calls and said, what they gave
for a while, and what one record says caused it. It never grows by who acted: that two things were done by one person
does not make them one story.

Source: AUDIT §1.7.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from remit.audit import Query
from remit.audit.facets import Facet, facets_of
from remit.trail.index import TrailIndex
from remit.trail.question import Answer, Found, Question
from remit.trail.search import search

__all__ = ["Story", "Subject", "story_of", "timeline"]

_ANY: Final = Query()
_ROUNDS: Final = 6
_LINKS: Final = 1_000
"""Records that are read for what belongs to a story, in each round."""
_FACETS: Final = 300

# What says of one thing that it belongs to another. Of calls there are too many, and what they need says so itself.
_LINKING: Final = frozenset(
    {
        "code.issued", "consent.granted", "consent.presented", "token.issued", "approval.requested", "elevation.given",
        "elevation.used", "elevation.revoked", "access.requested", "access.granted", "emergency.taken", "grant.revoked",
        "step_up.required", "step_up.completed",
    }
)  # fmt: skip
_TAKEN: Final = frozenset({"approval", "elevation", "access", "flow"})
# What an id of ours names, by its prefix.
_NAMED_BY: Final = {
    "dec": ("decision",), "apr": ("approval",), "grt": ("grant", "parent"), "acc": ("access", "grant", "parent"),
    "eli": ("elevation", "grant", "parent"), "evl": ("elevation", "grant", "parent"),
}  # fmt: skip


class Subject(StrEnum):
    """What a story can be about."""

    GRANT = "grant"
    AGENT = "agent"
    USER = "user"
    CLIENT = "client"
    TRACE = "trace"
    DECISION = "decision"
    APPROVAL = "approval"
    ACCESS = "access"
    FLOW = "flow"
    SESSION = "session"


_BEGINS_WITH: Final = {
    Subject.GRANT: ("grant", "parent", "caused_by"),
    Subject.AGENT: ("agent", "actor", "via"),
    Subject.USER: ("user", "actor", "about"),
    Subject.CLIENT: ("client",),
    Subject.TRACE: ("trace",),
    Subject.DECISION: ("decision", "caused_by"),
    Subject.APPROVAL: ("approval", "caused_by"),
    Subject.ACCESS: ("access", "grant", "caused_by"),
    Subject.FLOW: ("flow",),
    Subject.SESSION: ("session",),
}
# In these a call itself says what else belongs to it; of the others there may be millions.
_SMALL: Final = frozenset({Subject.TRACE, Subject.DECISION, Subject.APPROVAL})


@dataclass(frozen=True, slots=True)
class Story:
    """What tells it; `cut`: whether there is more that belongs to it than is followed."""

    facets: frozenset[Facet]
    cut: bool = False

    def why(self, found: Found) -> list[str]:
        """By what a record belongs to it, such as `approval apr_1`."""
        return sorted(" ".join(facet) for facet in self.facets & facets_of(found.entry))


def story_of(
    index: TrailIndex, subject: Subject, name: str, *, tenants: frozenset[str] | None
) -> Story:
    """What tells the story of `name`, as far as records of `tenants` say.

    Raises:
        DatabaseUnavailableError, OSError: the index or a log cannot be read.
    """
    known: set[Facet] = {(field, name) for field in _BEGINS_WITH[subject]}
    new, cut = set(known), False
    links = frozenset(("kind", kind) for kind in _LINKING | _also(subject))
    for _ in range(_ROUNDS):
        conditions = (frozenset(new), links)
        answer = search(
            index, Question(query=_ANY, tenants=tenants, conditions=conditions, limit=_LINKS)
        )
        cut = cut or answer.next is not None
        new = {one for found in answer.found for one in _linked(found, known)} - known
        if not new or len(known) >= _FACETS:
            break
        known |= set(sorted(new)[: _FACETS - len(known)])
    return Story(frozenset(known), cut or len(known) >= _FACETS)


def timeline(index: TrailIndex, story: Story, question: Question) -> Answer:
    """The records of `story` that `question` asks for, the newest first.

    Raises:
        CursorLostError: its cursor is none of this index.
        DatabaseUnavailableError, OSError: the index or a log cannot be read.
    """
    return search(index, replace(question, conditions=(story.facets, *question.conditions)))


def _also(subject: Subject) -> frozenset[str]:
    return frozenset({"decision"}) if subject in _SMALL else frozenset()


def _linked(found: Found, known: set[Facet]) -> Iterator[Facet]:
    """What else belongs to a story that `found` is of."""
    held = facets_of(found.entry)
    for field, value in held:
        if field in _TAKEN:
            yield field, value
        if field in {"elevation", "access"}:  # each is the name of a grant as well
            yield from (("grant", value), ("parent", value))
        if field == "caused_by":
            yield from ((name, value) for name in _NAMED_BY.get(value.partition("_")[0], ()))
    descends = any(field == "parent" and ("grant", value) in known for field, value in held)
    grant = found.entry.get("grant")
    if descends and isinstance(grant, str):
        yield from (("grant", grant), ("parent", grant))
    if found.entry.get("kind") == "decision":
        yield from (one for one in held if one[0] == "decision")
