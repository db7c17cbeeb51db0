"""What `audit.yaml` may not say: places of things that no server declares, kinds of events that never happen, detectors that nobody has.

Refused: a rule of redaction for a tool that does not exist, or on a server that it is not of; a kind, or a beginning of
kinds, that no event has; a detector of no such name; two rules of redaction that are one.

Source: docs/adr/0026-audit-trail.md; docs/reference/events.md.
"""

from collections.abc import Iterable, Iterator

from remit.audit.detectors import DETECTORS
from remit.audit.record_schema import event_classes
from remit.documents import ANY, Document, Problem, did_you_mean, one_of, quoted
from remit.repository.audit_section import EVENT_NAME
from remit.repository.draft import Draft, strings_at
from remit.repository.history_rules import things_in
from remit.repository.sink_rules import check_sinks

__all__ = ["check_audit"]

_FEW = 8


def check_audit(draft: Draft) -> Iterator[Problem]:
    """Everything about the log that its models do not see."""
    document = draft.audit
    if document is None:
        return
    if not draft.server_names - draft.servers.keys():
        yield from _about_nothing(draft, document)
    yield from _said_twice(document)
    yield from _never_happening(document)
    yield from check_sinks(document)
    for path, name in strings_at(document, ("detectors", "off", ANY)):
        if name not in DETECTORS:
            yield document.problem(
                path,
                f"unknown detector {quoted(name)}{did_you_mean(name, DETECTORS)}",
                expected=one_of(DETECTORS),
            )


def _about_nothing(draft: Draft, document: Document) -> Iterator[Problem]:
    declared = {
        thing.action: name
        for name in draft.servers
        for thing in things_in(name, draft.servers[name])
    }
    for rule, _ in document.find(("redaction", ANY)):
        servers = [text for _, text in strings_at(document, (*rule, "servers", ANY))]
        for path, name in strings_at(document, (*rule, "tools", ANY)):
            if name not in declared:
                near = did_you_mean(name, declared)
                few = not near and len(declared) <= _FEW
                yield document.problem(
                    path,
                    f"unknown thing {quoted(name)}{near}",
                    expected=one_of(declared) if few else "one that a file in servers/ declares",
                )
            elif servers and declared[name] not in servers:
                yield document.problem(
                    path,
                    f"{quoted(name)} is of none of the servers of this rule",
                    expected=f"{quoted(declared[name])} under `servers`, or no `servers`",
                )


def _said_twice(document: Document) -> Iterator[Problem]:
    seen: list[object] = []
    for path, node in document.find(("redaction", ANY)):
        if node.value in seen:
            yield document.problem(path, "this rule stands here twice", expected="once")
        seen.append(node.value)


def _never_happening(document: Document) -> Iterator[Problem]:
    kinds = event_classes()
    for path, name in strings_at(document, ("sinks", ANY, "kinds", ANY)):
        if words := _unknown(name, kinds):
            yield document.problem(path, words, expected="one of docs/reference/events.md")
    node, exists = document.nearest(("retention", "kinds"))
    for name in node.value if exists and isinstance(node.value, dict) else ():
        if words := _unknown(name, kinds):
            yield document.problem(
                ("retention", "kinds", name), words, expected="one of docs/reference/events.md"
            )


def _unknown(name: str, kinds: Iterable[str]) -> str:
    """What is wrong with `name`, which is written as a kind is; nothing where some event has it."""
    known = [*kinds]
    if EVENT_NAME.fullmatch(name) is None:
        return ""  # It is reported as no kind at all.
    beginning = name.removesuffix("*")
    if name in known or (name.endswith(".*") and any(one.startswith(beginning) for one in known)):
        return ""
    nouns = {f"{one.split('.')[0]}.*" for one in known if "." in one}
    return f"no event is of the kind {quoted(name)}{did_you_mean(name, (*known, *sorted(nouns)))}"
