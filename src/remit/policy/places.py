"""Where each policy stands, and what it reads: for people who want to know why.

Read off the text, as `statements` cuts it: nothing here decides anything.

Source: Cedar policy grammar (annotations, attribute access).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.policy.decision import RuleEffect
from remit.policy.source import PolicySource
from remit.policy.statements import Statement, split_statements

__all__ = ["PolicyPlace", "places_of", "without"]

_ROOTS: Final = frozenset({"principal", "resource", "context"})
_WORD: Final = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPlace:
    """`line` is that of its `permit` or `forbid`, from 1. `reads` are attributes such as `context.time.hour`."""

    id: str
    effect: RuleEffect
    file: str
    line: int
    refusal: str | None
    reads: tuple[str, ...]


def places_of(sources: Sequence[PolicySource]) -> Mapping[str, PolicyPlace]:
    """Every policy of `sources`, by its `@id`."""
    return {
        place.id: place
        for source in sources
        for statement in split_statements(source.text)
        if (place := _place(source, statement)) is not None
    }


def without(sources: Sequence[PolicySource], policy: str) -> list[PolicySource]:
    """`sources` but for the one policy with that `@id`; every other stays where it is."""
    kept: list[PolicySource] = []
    for source in sources:
        text = source.text
        for statement in reversed(split_statements(text)):
            if _annotation(statement, "id") == policy:
                end = statement.offset + len(statement.text)
                text = f"{text[: statement.offset]}{text[end:]}"
        kept.append(PolicySource(text, source.filename))
    return kept


def _place(source: PolicySource, statement: Statement) -> PolicyPlace | None:
    name = _annotation(statement, "id")
    effects = [one for one in statement.tokens if one.text in {"permit", "forbid"}]
    if name is None or not effects:
        return None
    return PolicyPlace(
        id=name,
        effect=RuleEffect(effects[0].text),
        file=source.filename,
        line=source.text.count("\n", 0, effects[0].offset) + 1,
        refusal=_annotation(statement, "refusal"),
        reads=tuple(dict.fromkeys(_reads(statement))),
    )


def _annotation(statement: Statement, name: str) -> str | None:
    """The text of `@name("…")`; without escapes, which no name has."""
    words = [token.text for token in statement.tokens]
    for at in range(len(words) - 3):
        if words[at : at + 3] == ["@", name, "("]:
            return words[at + 3].strip('"')
    return None


def _reads(statement: Statement) -> Iterator[str]:
    """Paths that begin at `principal`, `resource` or `context`, without what is called on them."""
    words = [token.text for token in statement.tokens]
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if word not in _ROOTS or before in {".", "::", "@"}:
            continue
        path, here = [word], at + 1
        while here + 1 < len(words) and words[here] == "." and _WORD.fullmatch(words[here + 1]):
            called = here + 2 < len(words) and words[here + 2] == "("
            if called:
                if words[here + 1] in {"hasTag", "getTag"} and here + 3 < len(words):
                    path.append(f"tag {words[here + 3]}")
                break
            path.append(words[here + 1])
            here += 2
        if here + 1 < len(words) and words[here] == "has":
            path.append(words[here + 1].strip('"'))
        if len(path) > 1:
            yield ".".join(path).replace(".tag ", " tag ")
