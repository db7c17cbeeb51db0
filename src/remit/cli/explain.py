"""`remit explain`: one decision, why it was taken so, and what would have to be otherwise."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["explain"]

_COLOURS = {"allow": "bold green", "deny": "bold red", "challenge": "bold yellow"}
_WORDS = {"allow": "ALLOWED", "deny": "DENIED", "challenge": "CHALLENGED"}
_HELD = {
    "absent": "(not given)",
    "sealed": "(sealed in the log: decided with, and not shown)",
    "pseudonym": "(redacted)",
    "missing": "(not in the log)",
}
_WIDTH = 10


def explain(
    decision: Annotated[
        str,
        typer.Argument(
            metavar="DECISION",
            help="Its id, `dec_…`: from a refusal's `data`, or from `remit audit tail`.",
            show_default=False,
        ),
    ],
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Explain a decision. Who asked for what, why it was so decided, and the nearest change that would allow it.

    That somebody looked is itself recorded.
    """
    from remit.cli.terminal import print_json, print_lines

    found: Any = call(
        Where(data, repo, config, database_url), "audit.explain", path={"decision": decision}
    )
    if as_json:
        print_json(found)
        return
    print_lines(_lines(found))


def _lines(found: Mapping[str, Any]) -> "Iterator[Text]":
    yield from _head(found)
    yield from _who_and_what(found)
    yield from _scopes(found["scopes"])
    yield from _policies(found["policies"])
    yield from _limits(found["limits"])
    yield from _arguments(found["arguments"])
    yield from _justification(found["justification"])
    yield from _history(found["history"])
    yield from _versions(found)
    if found["outcome"] != "allow":
        yield from _nearest(found)
    for note in found["notes"]:
        yield _line("note", _plain(note), style="dim")


def _head(found: Mapping[str, Any]) -> "Iterator[Text]":
    from rich.text import Text

    outcome = found["outcome"]
    yield Text.assemble(
        (_WORDS.get(outcome, outcome), _COLOURS.get(outcome, "bold")),
        f"  {found['reason']}  ",
        (f"{found['decision']}, {found['at']}", "dim"),
    )
    yield _plain(f"{found['because'][:1].upper()}{found['because'][1:]}.")
    yield Text("")


def _who_and_what(found: Mapping[str, Any]) -> "Iterator[Text]":
    who, what = found["who"], found["what"]
    if who["agent"]:
        owner = f" (owner: {who['agent_owner']})" if who["agent_owner"] else ""
        yield _line("agent", _plain(f"{who['agent']}{owner}, client {who['client']}"))
        person = who["user"] or "nobody: it acts for itself"
        roles = f", roles: {', '.join(who['roles'])}" if who["user"] and who["roles"] else ""
        yield _line("for", _plain(f"{person}{roles}"))
        yield _line("in", _plain(f"{who['tenant']}, {who['env']}, grant {who['grant']}"))
    else:
        yield _line("agent", _plain("nobody who proved who they are"))
    if who["ip"]:
        yield _line("from", _plain(who["ip"]))
    sort = ", ".join(one for one in (what["operation"], what["sensitivity"]) if one)
    thing = f"{what['server']} {what['method']} {what['name'] or ''}".rstrip()
    yield _line("asked for", _plain(f"{thing} ({sort})" if sort else thing))
    if found.get("engine") not in {None, "cedar"}:
        yield _line("engine", _plain(found["engine"]))
    for error in found["errors"]:
        yield _line("error", _plain(error), style="red")
    if found["became"]:
        yield _line("became", _plain(str(found["became"]["outcome"])))


def _scopes(scopes: list[dict[str, Any]]) -> "Iterator[Text]":
    for first, one in _marked(scopes):
        held = one["held"]
        words = f"{one['scope']}  {', '.join(_holders(one))}".rstrip()
        yield _line("scopes" if first else "", _plain(words), style="" if held else "yellow")


def _holders(scope: Mapping[str, Any]) -> "Iterator[str]":
    """Who covers a scope, as far as that is known."""
    if "token" not in scope:
        return
    yield f"token: {'yes' if scope['token'] else 'no'}"
    yield f"agent's file: {'yes' if scope['agent'] else 'no'}"
    if scope["roles"] is not None:
        yield f"roles: {', '.join(scope['roles']) or 'none'}"
    if scope["forbidden"]:
        yield "a guardrail forbids it"


def _policies(policies: list[dict[str, Any]]) -> "Iterator[Text]":
    from rich.text import Text

    for first, one in _marked(policies):
        place = one.get("of", "no longer in the repository")
        if "file" in one:
            place = f"{one['file']}:{one['line']}"
        colour = "red" if one["effect"] == "forbid" else "green"
        matched = "" if one.get("matched", True) else "did not match  "
        line = Text.assemble((one["effect"], colour), f" {one['id']}  {matched}", (place, "dim"))
        yield _line("policies" if first else "", line)
        if one.get("refusal"):
            yield _line("", _plain(f"  says: {one['refusal']}"))
        for reading in one.get("reads", []):
            words = f"  read  {reading['attribute']} = {_held(reading)}"
            yield _line("", _plain(words), style="dim")


def _limits(limits: list[dict[str, Any]]) -> "Iterator[Text]":
    for first, one in _marked(limits):
        parts = [
            f"{one[name]} {words}"
            for name, words in (
                ("calls_per_minute", "calls a minute"),
                ("concurrent_calls", "at one time"),
            )
            if one[name] is not None
        ]
        words = f"of the {one['of']}: {', '.join(parts)}  ({one['declared']})"
        yield _line("limits" if first else "", _plain(words))


def _arguments(arguments: Mapping[str, Any]) -> "Iterator[Text]":
    for first, (name, value) in _marked(list(arguments.items())):
        redacted = isinstance(value, str) and value.startswith(("tok1.", "****"))
        words = f"{name} = {'(redacted)' if redacted else _value(value)}"
        yield _line("arguments" if first else "", _plain(words))


def _justification(said: Mapping[str, Any]) -> "Iterator[Text]":
    """Why it was called, if it was said."""
    if said["held"] not in {"absent", "missing"}:
        words = f"“{said['value']}”" if said["held"] == "open" else _held(said)
        yield _line("said why", _plain(words))


def _held(told: Mapping[str, Any]) -> str:
    """A value, or how the log holds it."""
    return _value(told["value"]) if told["held"] == "open" else _HELD[told["held"]]


def _history(history: list[dict[str, Any]]) -> "Iterator[Text]":
    from remit.cli.history import length, worth

    for first, one in _marked(history):
        window = f", within {length(one['window'])}" if one.get("window") else ""
        words = f"{one['name']}: {worth(one)} with this call{window}"
        yield _line("history" if first else "", _plain(words))


def _versions(found: Mapping[str, Any]) -> "Iterator[Text]":
    versions = found["versions"]
    state = "in force" if versions["in_force"] else "others are in force now"
    policies, catalog = str(versions["policies"])[:12], str(versions["catalog"])[:12]
    yield _line("versions", _plain(f"policies {policies}, catalog {catalog}: {state}"))


def _nearest(found: Mapping[str, Any]) -> "Iterator[Text]":
    from rich.text import Text

    yield Text("")
    if not found["nearest"]:
        if found["tried"]:
            words = f"No single change of the {found['tried']} that were tried would allow it."
            yield _plain(words)
        return
    yield Text("It would be allowed, if only", style="bold")
    for one in found["nearest"]:
        yield Text.assemble(("  - ", "bold"), _plain(one["what"]))
        yield Text.assemble(("    ", ""), (one["how"], "dim"))


def _line(name: str, value: "Text", *, style: str = "") -> "Text":
    from rich.text import Text

    if style:
        value.stylize(style)
    return Text.assemble((f"{name:<{_WIDTH}}", "bold"), value)


def _plain(text: str) -> "Text":
    from remit.cli.terminal import styled

    return styled(text, "")


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return "-" if value is None else str(value)


def _marked(rows: "list[Any]") -> "Iterator[tuple[bool, Any]]":
    """Each of `rows`, and whether it is the first."""
    for number, row in enumerate(rows):
        yield number == 0, row
