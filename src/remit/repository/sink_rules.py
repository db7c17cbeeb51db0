"""What `audit.yaml` may not say of a sink of ours: an option that it does not know, a form that it does not take.

Of the kinds that plug-ins bring nothing is known here.

Source: docs/reference/sinks.md.
"""

from collections.abc import Iterator, Mapping

from pydantic_core import PydanticCustomError

from remit.documents import Document, Problem, did_you_mean, one_of, quoted
from remit.documents.duration import parse_duration
from remit.model import SinkRules
from remit.sinks.declared import COMMON, DECLARED, DeclaredKind

__all__ = ["check_sinks"]

_ALERT_AFTER = SinkRules(name="", kind="").alert_after


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
    if kind.every is not None:
        yield from _never_on_time(document, at, sink, kind.every)
    form = sink.get("form", "json")
    if form not in kind.forms and form in {"json", "ocsf", "ecs", "cef"}:
        yield document.problem(
            (*at, "form"),
            f"{quoted(str(form))} is not taken there",
            expected=one_of(sorted(kind.forms)),
        )


def _never_on_time(
    document: Document, at: tuple[str | int, ...], sink: Mapping[str, object], usual: int
) -> Iterator[Problem]:
    """Keeping records back for longer than it may be behind would be an alert each time."""
    options = sink.get("options")
    every = options.get("every", usual) if isinstance(options, Mapping) else usual
    try:
        seconds = float(str(every).removesuffix("s"))
        alert = parse_duration(sink.get("alert_after", f"{_ALERT_AFTER}s"))
    except (ValueError, PydanticCustomError):
        # That is said of them where they are read.
        return
    if seconds >= alert:
        yield document.problem(
            (*at, "options", "every")
            if isinstance(options, Mapping) and "every" in options
            else at,
            f"records are kept back for {seconds:g} s, and {alert} s behind is an alert",
            expected="an `alert_after` that is longer than `every`",
        )
