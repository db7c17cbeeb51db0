"""What `audit.yaml` may not say of a sink of ours: an option that it does not know, a form that it does not take.

Of the kinds that plug-ins bring nothing is known here.

Source: docs/reference/sinks.md.
"""

from collections.abc import Iterator, Mapping

from remit.documents import Document, Problem, did_you_mean, one_of, quoted
from remit.sinks.declared import COMMON, DECLARED, DeclaredKind

__all__ = ["check_sinks"]


def check_sinks(document: Document) -> Iterator[Problem]:
    """Everything about sinks that their model does not see."""
    node, exists = document.nearest(("sinks",))
    if not exists or not isinstance(node.value, dict):
        return
    for name, sink in node.value.items():
        if isinstance(sink, Mapping) and (kind := DECLARED.get(str(sink.get("kind")))):
            yield from _wrong(document, ("sinks", name), sink, kind)


def _wrong(
    document: Document, at: tuple[str | int, ...], sink: Mapping[str, object], kind: DeclaredKind
) -> Iterator[Problem]:
    options = sink.get("options")
    known = sorted(kind.options | COMMON)
    for option in options if isinstance(options, Mapping) else ():
        if option not in known:
            yield document.problem(
                (*at, "options", option),
                f"unknown option {quoted(option)}{did_you_mean(option, known)}",
                expected=one_of(known),
            )
    form = sink.get("form", "json")
    if form not in kind.forms and form in {"json", "ocsf", "ecs", "cef"}:
        yield document.problem(
            (*at, "form"),
            f"{quoted(str(form))} is not taken there",
            expected=one_of(sorted(kind.forms)),
        )
