"""What waits for review, shown so that nothing in it can hide, and decided.

A server that is hostile writes what is shown: control characters, what has no width and what turns
text around are told by their code points, and no line of its looks like one of ours.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from remit.cli.asking import call
from remit.cli.options import Where
from remit.cli.terminal import counted, print_json, say, say_hint, visible
from remit.errors import NotFoundError

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Decisions", "review"]

_STYLES = {"+": "green", "-": "red"}
_OPERATIONS = {"admit": "servers.admit", "reject": "servers.reject"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What was decided on the command line already."""

    admit: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()
    admit_all: bool = False
    reason: str = ""

    @property
    def are_none(self) -> bool:
        return not (self.admit or self.reject or self.admit_all)


def review(where: Where, server: str, decisions: Decisions, *, as_json: bool) -> int:
    """Show what waits on `server` and carry out `decisions`, or ask; how many still wait.

    Raises:
        NotFoundError: nothing of a name that was decided about waits.
        ManagementRefusedError: the server offers something else by now.
    """
    waiting = call(where, "servers.review", path={"server": server})["waiting"]
    verdicts = _verdicts(waiting, decisions)
    if as_json:
        print_json(waiting)
    left = 0
    for number, one in enumerate(waiting, 1):
        if not as_json:
            _show(one, f"{number} of {len(waiting)}")
        verb = verdicts.get(_key(one))
        if verb is None and decisions.are_none and not as_json and sys.stdin.isatty():
            verb = _asked()
        if verb is None:
            left += 1
            continue
        body = {name: one[name] for name in ("thing", "name", "digest")}
        reason = {"reason": decisions.reason}
        call(where, _OPERATIONS[verb], path={"server": server}, body=body | reason)
        if not as_json:
            done = "admitted" if verb == "admit" else "rejected"
            say(f"{one['thing']} `{visible(one['name'])}` is {done}")
    if left and not as_json:
        say_hint(
            f"{counted(left, 'thing')} waiting; remit servers review {server} --admit NAME, or --reject NAME"
        )
    elif not waiting and not as_json:
        say(f"nothing on {server} waits for review")
    return left


def _verdicts(waiting: list[dict[str, Any]], decisions: Decisions) -> dict[tuple[str, str], str]:
    verdicts = {_key(one): "admit" for one in waiting} if decisions.admit_all else {}
    for verb, names in (("admit", decisions.admit), ("reject", decisions.reject)):
        for name in names:
            named = [
                one for one in waiting if name in {one["name"], f"{one['thing']}:{one['name']}"}
            ]
            if len(named) != 1:
                which = (
                    "nothing of that name waits"
                    if not named
                    else "say which: `tool:`, `prompt:` or `resource:` before its name"
                )
                raise NotFoundError(f"{which}: `{visible(name)}`")
            verdicts[_key(named[0])] = verb
    return verdicts


def _key(one: dict[str, Any]) -> tuple[str, str]:
    return one["thing"], one["name"]


def _asked() -> str | None:
    answer = typer.prompt(
        "admit, reject or skip? [a/r/s]", default="s", show_default=False, err=True
    )
    return {"a": "admit", "admit": "admit", "r": "reject", "reject": "reject"}.get(
        answer.strip().lower()
    )


def _show(one: dict[str, Any], which: str) -> None:
    from rich.text import Text

    say(
        Text.assemble(
            (f"{one['thing']} ", "dim"), (visible(one["name"]), "bold"), (f"  {which}", "dim")
        )
    )
    say(Text.assemble(("why      ", "dim"), (one["cause"], "yellow"), f"  {one['detail']}"))
    if one["seen"] == "caller":
        say(
            Text.assemble(
                ("seen     ", "dim"), ("in a caller's list, and not in what Remit is shown", "red")
            )
        )
    if not one["declared"]:
        say(
            Text.assemble(
                ("declared ", "dim"), "no: nobody can call it before the repository names it"
            )
        )
    for difference in one["differences"]:
        say(Text(f"  {visible(difference['member'])}", style="bold"))
        for line in difference["lines"]:
            say(_line(line))
    say("")


def _line(line: str) -> "Text":
    from rich.text import Text

    return Text(f"    {line[:1]} {visible(line[1:])}", style=_STYLES.get(line[:1], ""))
