"""What `registration` of `remit.yaml` may not say: patterns that admit strangers, rules that nothing reaches.

Source: RFC 9700 §4.1.1; RFC 7591 §5; MISSION A3.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from remit.documents import ANY, Document, Path, Pattern, Problem, quoted
from remit.ids import ScopeName
from remit.repository.draft import Draft, names_under, strings_at
from remit.repository.redirect_patterns import redirect_pattern_fault
from remit.scopes import Hierarchy, covers

__all__ = ["check_registration"]

_RULES = ("registration", "rules")
_HOSTS = ("registration", "document_hosts")


def check_registration(draft: Draft, hierarchy: Hierarchy) -> Iterator[Problem]:
    """Everything about registration that the models do not see."""
    if draft.root is None:
        return
    yield from _bad_patterns(draft.root)
    yield from _twice(draft.root, "rule", (*_RULES, ANY, "name"))
    yield from _twice(draft.root, "host", (*_HOSTS, ANY), (*_HOSTS, ANY, "host"))
    yield from _never_reached(draft.root)
    yield from _forbidden_scopes(draft.root, hierarchy)


def _bad_patterns(root: Document) -> Iterator[Problem]:
    schemes = names_under(root, "registration", "redirect_uri_schemes") or frozenset()
    for path, pattern in strings_at(root, (*_RULES, ANY, "redirect_uris", ANY)):
        if fault := redirect_pattern_fault(pattern, schemes):
            message = f"{quoted(pattern)} is no pattern of redirect URIs"
            yield root.problem(path, message, expected=fault)


def _twice(root: Document, what: str, *patterns: Pattern) -> Iterator[Problem]:
    seen: set[str] = set()
    for pattern in patterns:
        for path, name in strings_at(root, pattern):
            if name in seen:
                message = f"the {what} {quoted(name)} stands here twice"
                yield root.problem(path, message, expected="once")
            seen.add(name)


@dataclass(frozen=True, slots=True)
class _Terms:
    """Of which clients a rule speaks."""

    name: str
    redirect_uris: frozenset[str]

    def leaves_nothing_to(self, later: "_Terms") -> bool:
        """Whether this rule decides about every client whose redirect URIs all fit `later`.

        Grant types and authentication methods make no difference: they are what a rule gives.
        """
        return bool(later.redirect_uris) and later.redirect_uris <= self.redirect_uris


def _never_reached(root: Document) -> Iterator[Problem]:
    """A rule that an earlier one leaves nothing to: whoever wrote it believes in something that never holds."""
    earlier: list[_Terms] = []
    for path, _ in root.find((*_RULES, ANY)):
        terms = _terms(root, path)
        first = next((one for one in earlier if one.leaves_nothing_to(terms)), None)
        if first is not None:
            yield root.problem(
                path,
                f"the rule {quoted(first.name)} leaves nothing to this one",
                expected="a place before it, or another pattern",
            )
        earlier.append(terms)


def _terms(root: Document, path: Path) -> _Terms:
    def texts(name: str) -> frozenset[str]:
        return frozenset(text for _, text in strings_at(root, (*path, name, ANY)))

    return _Terms(
        name=next((text for _, text in strings_at(root, (*path, "name"))), ""),
        redirect_uris=texts("redirect_uris"),
    )


def _forbidden_scopes(root: Document, hierarchy: Hierarchy) -> Iterator[Problem]:
    forbidden = [name for _, name in strings_at(root, ("guardrails", "forbidden_scopes", ANY))]
    for path, scope in strings_at(root, (*_RULES, ANY, "scopes", ANY)):
        if any(covers(ScopeName(scope), ScopeName(one), hierarchy) for one in forbidden):
            yield root.problem(
                path,
                f"no agent may hold the scope {quoted(scope)}",
                expected="no scope that reaches one of `guardrails.forbidden_scopes`",
            )
