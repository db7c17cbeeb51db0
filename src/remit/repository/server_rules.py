"""What a server's file may not say.

Refused: a baseline that nothing on the server needs; a template whose variables run
into each other, so that one URI could be read in several ways; a third party asked in the
clear; a secret by which a server proves itself that somebody else has, too; an identifier of two; the credential of a connection that
is not declared.

Source: RFC 6570 §1.4 (matching is ambiguous unless something sets expressions apart).
"""

from collections.abc import Iterator

from remit.documents import ANY, Document, Problem, one_of, quoted
from remit.guard.uri_template import keeps_values_apart
from remit.ids import ScopeName
from remit.repository.draft import Draft, names_under, strings_at
from remit.repository.web_addresses import private_address_faults
from remit.scopes import Hierarchy, covers

__all__ = ["check_servers"]

_THINGS = ("tools", "resources", "prompts")
_CREDENTIAL = ("upstream", "http", "credential")
_OURS = (
    ("upstream", "http", "bearer_secret"),
    (*_CREDENTIAL, "secret"),
    ("upstream", "stdio", "environment", ANY),
)
_THEIRS = ("introspection_secret", "guard_secret")


def check_servers(draft: Draft, hierarchy: Hierarchy) -> Iterator[Problem]:
    """Everything about servers that the models do not see."""
    for document in draft.servers.values():
        yield from _idle_baseline(document, names_under(draft.scopes), hierarchy)
        yield from _adjoining_variables(document)
        yield from private_address_faults(document, ("connection",))
        yield from _no_connection_to_use(document)
    yield from _shared_secrets(draft)
    yield from _shared_identifiers(draft)


def _idle_baseline(
    document: Document, declared: frozenset[str] | None, hierarchy: Hierarchy
) -> Iterator[Problem]:
    needed = {
        scope
        for things in _THINGS
        for _, scope in strings_at(document, (things, ANY, "scopes", ANY))
    }
    if declared is None or not needed <= declared:
        return  # A misspelt scope may be the one the baseline means; it is reported itself.
    for path, scope in strings_at(document, ("baseline_scopes", ANY)):
        if not any(covers(ScopeName(scope), ScopeName(one), hierarchy) for one in needed):
            yield document.problem(
                path,
                f"nothing on this server needs the scope {quoted(scope)}",
                expected=one_of(needed),
            )


def _no_connection_to_use(document: Document) -> Iterator[Problem]:
    path = (*_CREDENTIAL, "connection")
    _, used = document.nearest(path)
    _, declared = document.nearest(("connection",))
    if used and not declared:
        yield document.problem(
            path,
            "there is no third party whose connection could be used",
            expected="a section `connection` in this file",
        )


def _shared_secrets(draft: Draft) -> Iterator[Problem]:
    """A secret by which a server proves itself to us has to be its own, and no credential of ours.

    Whoever knew both sides of it could ask about the tokens of the other.
    """
    ours = {
        secret: document.file
        for document in draft.servers.values()
        for place in _OURS
        for _, secret in strings_at(document, place)
    }
    theirs: dict[str, str] = {}
    for document in draft.servers.values():
        for path, secret in (found for name in _THEIRS for found in strings_at(document, (name,))):
            first = ours.get(secret) or theirs.setdefault(secret, document.file)
            if secret in ours or first != document.file:
                yield document.problem(
                    path,
                    f"{quoted(secret)} is a secret of {quoted(first)} for something else",
                    expected="a secret that only this server and Remit have",
                )


def _shared_identifiers(draft: Draft) -> Iterator[Problem]:
    """A token is good for one server: no two may go by one identifier."""
    first: dict[str, str] = {}
    for document in draft.servers.values():
        for path, identifier in strings_at(document, ("resource_identifier",)):
            if first.setdefault(identifier, document.file) != document.file:
                yield document.problem(
                    path,
                    f"{quoted(identifier)} is the identifier of {quoted(first[identifier])}",
                    expected="the URL of this server",
                )


def _adjoining_variables(document: Document) -> Iterator[Problem]:
    for uri in sorted(names_under(document, "resources") or ()):
        # Variables with nothing at all between them are no URI, which is reported itself.
        if "}{" not in uri and not keeps_values_apart(uri):
            yield document.problem(
                ("resources", uri),
                f"the variables of {quoted(uri)} are not kept apart",
                expected="between two variables a character that no value may hold, such as `/`",
            )
