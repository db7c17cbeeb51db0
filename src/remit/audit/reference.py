"""The reference page of events, made from their classes: `python -m remit.audit.reference > page`."""

import dataclasses
import inspect
import sys
from collections.abc import Mapping
from types import MappingProxyType, UnionType
from typing import get_args, get_origin, get_type_hints

from remit.audit import events
from remit.audit.event import Event
from remit.canonical import canonical_text

__all__ = ["main", "render_reference"]

_HEAD = """\
# Events

<!-- Made by `python -m remit.audit.reference`; do not edit. -->

Every event Remit records, by `kind`. Each stands in an entry of the
[audit log](audit-log.md), its own fields under `body`. Fields are only ever added; a changed
meaning is a new kind.

**Durability** says when whoever caused the event may go on:

| | |
|---|---|
| `intent` | the event is on stable storage before its effect takes place; otherwise there is no effect |
| `answer` | the event is on stable storage before the caller is answered; otherwise the answer is an error |
| `soon` | the event is queued in order; it may be the last thing lost in a power cut |

An event of durability `intent` or `answer` marked **reserved** takes something away, or says what became of something: it
is written, from space that is kept for it, when everything else is refused because the disk is full or nobody signs.

A field of any event may stand as `{"omitted_bytes": …, "omitted_sha256": …}` when its record would
have been longer than 16 KiB.
"""

_TYPES: Mapping[object, str] = MappingProxyType({str: "text", int: "integer", bool: "boolean"})


def render_reference() -> str:
    """The page, as Markdown with a final newline."""
    classes = sorted(_event_classes(), key=lambda one: one.kind)
    index = [
        f"| [`{one.kind}`](#{_anchor(one.kind)}) | {one.durability.value} |" for one in classes
    ]
    parts = [_HEAD, "| kind | durability |\n|---|---|\n" + "\n".join(index) + "\n"]
    parts += [_section(one) for one in classes]
    return "\n".join(parts)


def main() -> None:
    """Write the page to standard output."""
    sys.stdout.write(render_reference())


def _event_classes() -> list[type[Event]]:
    found = [getattr(events, name) for name in events.__all__]
    return [
        one
        for one in found
        if isinstance(one, type) and issubclass(one, Event) and one is not Event
    ]


def _section(event: type[Event]) -> str:
    lines = [f"## {event.kind}", ""]
    text = _documentation(event)
    if text:
        lines += [text, ""]
    reserved = ", reserved" if event.reserved else ""
    lines += [f"Durability `{event.durability.value}`{reserved}.", ""]
    own = [field for field in dataclasses.fields(event) if field.name != "context"]
    if own:
        hints = get_type_hints(event)
        lines += ["| field | type | default |", "|---|---|---|"]
        lines += [f"| `{f.name}` | {_type(hints[f.name])} | {_default(f)} |" for f in own]
        lines.append("")
    return "\n".join(lines)


def _documentation(event: type[Event]) -> str:
    text = inspect.cleandoc(event.__doc__ or "")
    return "" if text.startswith(f"{event.__name__}(") else text


def _default(field: "dataclasses.Field[object]") -> str:
    if field.default_factory is not dataclasses.MISSING:
        return "`{}`"
    if field.default is dataclasses.MISSING:
        return ""
    return f"`{canonical_text(field.default)}`"


def _type(hint: object) -> str:
    parts = [part for part in get_args(hint) if part is not type(None)]
    origin = get_origin(hint)
    if origin is tuple:
        return f"list: {_type(parts[0])}"
    if origin is Mapping:
        return "object"
    if origin is UnionType:
        return f"{_type(parts[0])} or null"
    return _TYPES[hint]


def _anchor(kind: str) -> str:
    return kind.replace(".", "")


if __name__ == "__main__":
    main()
