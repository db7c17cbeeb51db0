"""What an agent's file may not say: more than the guardrails admit, or that it is another's client.

Source: MISSION B8, E1; O21 §2.3.1; CIMD §3.
"""

from collections.abc import Iterator
from typing import Final

from remit.documents import ANY, Document, Path, Problem, quoted
from remit.ids import ScopeName
from remit.repository.client_uris import (
    is_on_host,
    metadata_document_fault,
    redirect_uri_fault,
    same_place,
)
from remit.repository.draft import Draft, names_under, strings_at
from remit.repository.root_file import GuardrailsSection
from remit.repository.web_addresses import private_address_faults
from remit.scopes import Hierarchy, covers

__all__ = ["check_agents"]

_CLIENT_IDS = ("clients", "static", ANY, "client_id")
_DOCUMENTS = ("clients", "metadata_documents", ANY)
_DYNAMIC = ("clients", "dynamic_redirect_uris", ANY)
_CLAIMS: Final = (
    ("client", _CLIENT_IDS),
    ("metadata document", _DOCUMENTS),
    ("redirect URI", _DYNAMIC),
)
_STATIC = ("clients", "static", ANY, "redirect_uris", ANY)


def check_agents(draft: Draft, hierarchy: Hierarchy) -> Iterator[Problem]:
    """Everything about agents that one file alone does not show."""
    for document in draft.agents.values():
        yield from _beyond_guardrails(document, ("scopes",), draft, hierarchy)
        yield from _bad_uris(document, draft)
        yield from _listed_twice(document)
        for path, uri in strings_at(document, ("clients", "static", ANY, "jwks_uri")):
            if uri.startswith("https:"):  # Anything else is reported itself.
                yield from private_address_faults(document, path[:-1])
    if draft.root is not None:
        yield from _beyond_guardrails(draft.root, ("unregistered", "scopes"), draft, hierarchy)
    yield from _claimed_twice(draft)
    yield from _named_like_a_server(draft)


def _beyond_guardrails(
    document: Document, place: tuple[str, ...], draft: Draft, hierarchy: Hierarchy
) -> Iterator[Problem]:
    held = list(strings_at(document, (*place, ANY)))
    most = _max_scopes(draft)
    if len(held) > most:
        yield document.problem(
            place,
            f"{len(held)} scopes are more than an agent may hold",
            expected=f"at most {most} (`guardrails.max_scopes_per_agent`)",
        )
    forbidden = [
        name for _, name in strings_at(draft.root, ("guardrails", "forbidden_scopes", ANY))
    ]
    for path, name in held:
        for one in forbidden:
            if covers(ScopeName(name), ScopeName(one), hierarchy):
                words = (
                    "is forbidden" if name == one else f"covers {quoted(one)}, which is forbidden"
                )
                yield document.problem(
                    path,
                    f"the scope {quoted(name)} {words}",
                    expected="no scope that reaches one of `guardrails.forbidden_scopes`",
                )


def _max_scopes(draft: Draft) -> int:
    limit: object = None
    if draft.root is not None:
        node, exists = draft.root.nearest(("guardrails", "max_scopes_per_agent"))
        limit = node.value if exists else None
    # A limit that is none is a mistake of its own, reported where it stands.
    if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 1:
        return limit
    return GuardrailsSection().max_scopes_per_agent


def _bad_uris(document: Document, draft: Draft) -> Iterator[Problem]:
    schemes = names_under(draft.root, "registration", "redirect_uri_schemes") or frozenset()
    hosts = _document_hosts(draft)
    for pattern in (_STATIC, _DYNAMIC):
        for path, uri in strings_at(document, pattern):
            # Which schemes are admitted is for remit.yaml to say: without it, none is blamed.
            admitted = schemes if draft.root is not None else {uri.partition(":")[0]}
            if fault := redirect_uri_fault(uri, admitted):
                yield document.problem(path, f"{quoted(uri)} is no redirect URI", expected=fault)
    for path, url in strings_at(document, _DOCUMENTS):
        if fault := metadata_document_fault(url):
            message = f"{quoted(url)} is no metadata document"
            yield document.problem(path, message, expected=fault)
        elif hosts and not any(is_on_host(url, host) for host in hosts):
            yield document.problem(
                path,
                f"{quoted(url)} is never fetched",
                expected="a host listed in `document_hosts` of remit.yaml",
            )


def _document_hosts(draft: Draft) -> frozenset[str]:
    listed = ("registration", "document_hosts", ANY)
    return frozenset(
        host for place in (listed, (*listed, "host")) for _, host in strings_at(draft.root, place)
    )


def _claimed_twice(draft: Draft) -> Iterator[Problem]:
    """Two that say they are the same client: whose limits hold would be chance."""
    claims: dict[tuple[str, str], str] = {}
    for document in draft.agents.values():
        for path, kind, claim in _claims(document):
            first = claims.setdefault((kind, claim), document.file)
            if first != document.file:
                message = f"the {kind} {quoted(claim)} is claimed by {quoted(first)} too"
                yield document.problem(path, message, expected="one agent")


def _named_like_a_server(draft: Draft) -> Iterator[Problem]:
    """Where tokens are asked about, both go by their name: the one would be taken for the other."""
    asking = {
        name
        for name, server in draft.servers.items()
        if any(strings_at(server, ("introspection_secret",)))
    }
    for document in draft.agents.values():
        for path, client in strings_at(document, _CLIENT_IDS):
            if client in asking:
                message = f"{quoted(client)} is the name of a server that asks about tokens"
                yield document.problem(path, message, expected="another `client_id`")


def _claims(document: Document) -> Iterator[tuple[Path, str, str]]:
    """What makes a client this agent, each once: where it is written, what it is, how it is compared."""
    seen: set[tuple[str, str]] = set()
    for kind, pattern in _CLAIMS:
        for path, text in strings_at(document, pattern):
            claim = same_place(text) if pattern is _DYNAMIC else text
            if (kind, claim) not in seen:
                seen.add((kind, claim))
                yield path, kind, claim


def _listed_twice(document: Document) -> Iterator[Problem]:
    for kind, pattern in _CLAIMS:
        seen: set[str] = set()
        for path, text in strings_at(document, pattern):
            claim = same_place(text) if pattern is _DYNAMIC else text
            if claim in seen:
                yield document.problem(
                    path, f"the {kind} {quoted(claim)} stands here twice", expected="once"
                )
            seen.add(claim)
