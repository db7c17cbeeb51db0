"""How the answers to who-can and what-can are shown to people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich.text import Text

__all__ = ["what_can_lines", "who_can_lines"]

_COLOURS: Final = {"always": "green", "depends": "yellow", "never": "red"}
_WORDS: Final = {"always": "yes", "depends": "if", "never": "no"}
_LOGGING_IN: Final = "how the person logged in"
_ANSWERS: Final = "what people say of it"
_READ: Final = {
    "context.ip": "the address it comes from",
    "context.networks": "the network it comes from",
    "context.justification": "whether a reason is given",
    "context.authentication.acr": _LOGGING_IN,
    "context.authentication.age_seconds": _LOGGING_IN,
    "context.elevation": _ANSWERS,
    "context.elevation.acr": "whether the person confirms it",
    "context.elevation.age_seconds": "whether the person confirms it",
    "context.elevation.roles": "whether somebody else approves it",
    "context.elevation.scopes": "which scopes are given for it alone",
    "context.token.acr": _LOGGING_IN,
    "context.token.amr": _LOGGING_IN,
    "context.token.auth_time": _LOGGING_IN,
    "context.token.client_id": "which client it is",
}


def who_can_lines(found: Mapping[str, Any], *, everybody: bool) -> Iterator[Text]:
    """Who can use a thing: by agent, those who are alike together."""
    asked, answers = found["asked"], found["answers"]
    sort = f"{asked['operation']}, {asked['sensitivity']}, {asked['environment']}"
    yield Text.assemble((f"{asked['server']}/{asked['name']}", "bold"), f" ({sort})")
    yield Text(f"takes {', '.join(asked['scopes']) or 'no scope'}", style="dim")
    yield Text("")
    able = [one for one in answers if one["verdict"] != "never"]
    for _, of_agent in groupby(able, key=lambda one: one["agent"]):
        alike = list(of_agent)
        yield Text.assemble((alike[0]["agent"], "bold"), (f"  {alike[0]['owner']}", "dim"))
        for same in _alike(alike):
            yield _verdict(same[0], _people(same))
            yield from _terms(same[0])
    if not able:
        yield Text("nobody")
    yield from _left_out(answers, everybody)
    yield from _notes(found)


def what_can_lines(found: Mapping[str, Any], *, everything: bool) -> Iterator[Text]:
    """What an agent can use: by server."""
    asked, answers = found["asked"], found["answers"]
    yield Text.assemble(
        (asked["agent"], "bold"), f" ({asked['class']}) in {asked['tenant']}", (f"  {asked['owner']}", "dim")
    )  # fmt: skip
    if answers:
        yield Text(f"for {_people(answers[:1])}", style="dim")
    able = [one for one in answers if one["verdict"] != "never"]
    for server, of_server in groupby(able, key=lambda one: one["server"]):
        yield Text("")
        yield Text(server, style="bold")
        for one in of_server:
            sort = f"{one['name']}  ({one['kind']}, {one['operation']}, {one['sensitivity']})"
            yield _verdict(one, sort)
            yield from _terms(one)
    if not able:
        yield Text("nothing")
    if everything:
        yield Text("")
        for one in answers:
            if one["verdict"] == "never":
                yield _verdict(one, f"{one['server']}/{one['name']}")
                yield from _why(one)
    else:
        yield from _count_left(len(answers) - len(able), "things it cannot use")
    yield from _notes(found)


def _verdict(one: Mapping[str, Any], about: str) -> Text:
    word = _WORDS[one["verdict"]]
    return Text.assemble("  ", (f"{word:<4}", _COLOURS[one["verdict"]]), about)


def _alike(answers: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Those of one agent about whom the same is said."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in answers:
        said = {name: value for name, value in one.items() if name != "people"}
        found.setdefault(repr(sorted(said.items())), []).append(one)
    yield from found.values()


def _people(answers: Sequence[Mapping[str, Any]]) -> str:
    """Whom the answers are about, in one line."""
    first = answers[0]["people"]
    if first["kind"] == "workload":
        return f"itself, in {answers[0]['tenant']}"
    accounts = [one["people"] for one in answers if one["people"]["kind"] == "accounts"]
    roles = [
        ", ".join(one["people"]["roles"]) for one in answers if one["people"]["kind"] == "role"
    ]
    parts = []
    if accounts:
        count = sum(one["count"] for one in accounts)
        names = [name for one in accounts for name in one.get("names", [])]
        more = count - len(names)
        said = ", ".join([*names, *([f"{more} more"] if more and names else [])])
        people = "1 person" if count == 1 else f"{count} people"
        parts.append(f"{people}{f' ({said})' if said else ''}")
    if roles:
        parts.append(f"whoever is {' or '.join(one or 'without a role' for one in roles)}")
    return f"{'; '.join(parts)}, in {answers[0]['tenant']}"


def _terms(one: Mapping[str, Any]) -> Iterator[Text]:
    """What an answer depends on."""
    if one["observed"]:
        yield _indented("policies refuse nothing here: they are on trial", "magenta")
    if one["engine"]:
        yield from _engine(one["engine"], one["engine_says"])
    for condition in one["conditions"]:
        yield from _condition(condition)
    if one["step_up"]:
        yield _indented(f"after asking for {', '.join(one['step_up'])} besides", "dim")


def _engine(name: str, said: Mapping[str, Any] | None) -> Iterator[Text]:
    """That an engine decides, and what it says of it now, if it was asked."""
    if said is None:
        words = f"the engine `{name}` decides, asked when a call comes (ask now: --ask-engine)"
        yield _indented(words, "cyan")
        return
    what = "this call" if said["asked"] == "call" else "some such call"
    words = {
        "yes": f"the engine `{name}` says yes to {what}",
        "no": f"the engine `{name}` says no to {what}",
        "unknown": f"the engine `{name}` did not say: {said['why']}",
    }[said["answer"]]
    rules = f"  {', '.join(said['rules'])}" if said["rules"] else ""
    yield Text.assemble("       ", (words, "cyan"), (rules, "dim"))
    for need in said["needs"]:
        yield _indented(f"  and wants {need}", "cyan")


def _condition(condition: Mapping[str, Any]) -> Iterator[Text]:
    verb = "unless" if condition["effect"] == "forbid" else "provided that"
    token = " (when the token is issued)" if condition["phase"] == "issue" else ""
    place = f"  {condition['file']}:{condition['line']}" if condition["file"] else ""
    yield Text.assemble("       ", f"{verb} `{condition['policy']}`", token, (place, "dim"))
    if condition["says"]:
        yield _indented(f"  “{condition['says']}”", "italic")
    if condition["hours"]:
        yield _indented(f"  free at {condition['hours']}", "")
    yield _indented(f"  looks at {', '.join(_reads(condition))}", "dim")


def _reads(condition: Mapping[str, Any]) -> Iterable[str]:
    words: dict[str, None] = {}
    for path in condition["reads"]:
        names = path.split(".")
        if path.startswith("context.arguments"):
            words[f"the argument {names[2]}" if len(names) > 2 else "the arguments"] = None
        elif path.startswith("context.time"):
            words["the time" if condition["hours"] is None else "the hour"] = None
        elif path.startswith("context.history"):
            words[f"what was done before ({'.'.join(names[2:])})"] = None
        else:
            words[_READ.get(path, path)] = None
    return words


def _left_out(answers: Sequence[Mapping[str, Any]], everybody: bool) -> Iterator[Text]:
    unable = [one for one in answers if one["verdict"] == "never"]
    if not everybody:
        yield from _count_left(len(unable), "who cannot")
        return
    yield Text("")
    for _, of_agent in groupby(unable, key=lambda one: one["agent"]):
        for same in _alike(list(of_agent)):
            yield _verdict(same[0], f"{same[0]['agent']} for {_people(same)}")
            yield from _why(same[0])


def _why(one: Mapping[str, Any]) -> Iterator[Text]:
    for reason in one["why"]:
        place = f"  {reason['file']}:{reason['line']}" if reason.get("file") else ""
        yield Text.assemble("       ", (reason["what"], ""), (place, "dim"))


def _count_left(count: int, what: str) -> Iterator[Text]:
    if count:
        yield Text("")
        yield Text(f"{count} more {what}; --all shows why", style="dim")


def _notes(found: Mapping[str, Any]) -> Iterator[Text]:
    for note in found["notes"]:
        yield Text("")
        yield Text(f"note: {note}", style="dim")


def _indented(words: str, style: str) -> Text:
    return Text.assemble("       ", (words, style))
