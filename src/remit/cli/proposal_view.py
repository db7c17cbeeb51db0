"""How a proposal is shown: what it would change, what was found about it, what it waits for."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["STATE_COLOURS", "print_proposal", "short", "verdict"]

STATE_COLOURS: Mapping[str, str] = {
    "waits": "yellow",
    "on_trial": "yellow",
    "in_force": "green",
    "unreviewed": "bold yellow",
    "rejected": "red",
    "returned": "bold red",
    "stale": "dim",
}
_WAITS = {
    "second_person": "a second person: it widens something privileged, or a second person is always asked for",
    "newly_allowed": "a second person: recorded calls that were refused would be allowed",
    "regraded": "a second person: it puts back what was privileged before, as something that is not",
    "weaker_tests": "a second person: its decision tables take away or weaken what those in force expect",
    "untried": "a second person: it was not tried on some agents first, or trying it said nothing",
    "review": "a second person's look: it is in force already, because somebody went back to it",
}
_MOST = 12


def short(digest: str) -> str:
    """As much of a digest as people read."""
    return digest[:12] or "-"


def verdict(proposal: Mapping[str, Any]) -> str:
    """What became of a proposal, in one sentence."""
    bundle, name = short(proposal["bundle"]), proposal["id"]
    match proposal["state"]:
        case "in_force":
            return f"{bundle} is in force"
        case "on_trial":
            return f"{bundle} is on trial for {proposal['share']} % of the agents"
        case "unreviewed":
            return f"{bundle} is in force, and somebody else has to look at it: remit proposals show {name}"
        case "waits":
            return f"{bundle} waits for approval: remit proposals show {name}"
        case state:
            return f"{bundle} is {state}"


def print_proposal(proposal: Mapping[str, Any]) -> None:
    """All of it, for somebody who has to decide."""
    from remit.cli.terminal import print_lines

    print_lines(_lines(proposal))


def _lines(proposal: Mapping[str, Any]) -> "Iterator[Text]":
    from remit.cli.terminal import instant

    yield _line("proposal", proposal["id"])
    yield _line("state", proposal["state"], STATE_COLOURS.get(proposal["state"], ""))
    yield _line("bundle", f"{proposal['bundle']} ({proposal['how']})")
    yield _line("instead of", proposal["base"])
    if proposal["stage"]:
        yield _line("stage", proposal["stage"])
    yield _line("by", f"{proposal['proposed_by']}, {instant(proposal['proposed_at'])}")
    if proposal["reason"]:
        yield _line("reason", proposal["reason"])
    report = proposal["report"]
    yield from _tests(report.get("tests") or {})
    yield from _weakened(report.get("tests") or {})
    yield from _difference(report.get("difference") or {})
    yield from _replay(report.get("replay"))
    for gate in proposal["waits_for"]:
        if proposal["state"] in {"waits", "unreviewed"}:
            yield _line("waits for", _WAITS.get(gate, gate), "yellow")
    if proposal["state"] == "waits" and not proposal["is_current"]:
        yield _line("stale", "something else came into force since; propose it anew", "bold red")
    for one in proposal["approvals"]:
        yield _line(
            "approved", f"{one['approved_by']}, {instant(one['approved_at'])} {one['reason']}"
        )
    if proposal["decision"]:
        yield _line("decision", proposal["decision"])
    yield _line("report", proposal["report_digest"], "dim")


def _tests(tests: Mapping[str, Any]) -> "Iterator[Text]":
    cases, failures = tests.get("cases", 0), tests.get("failures", [])
    if not cases:
        yield _line("tests", "none was run")
        return
    said = f"{cases - len(failures)} of {cases} cases pass"
    if tests.get("not_run"):
        said += f", {tests['not_run']} not run"
    if cases < tests.get("before", 0):
        said += f"; what is in force has {tests['before']}"
    yield _line("tests", said, "red" if failures else "")
    for one in failures[:_MOST]:
        yield _line("", one, "red")


def _weakened(tests: Mapping[str, Any]) -> "Iterator[Text]":
    """The expectations in force that would hold no longer: also where no case is left to be run."""
    found, left_out = tests.get("weakened", []), tests.get("weakened_left_out", 0)
    if not found:
        return
    yield _line("weaker", f"{len(found) + left_out} expected results are gone or weaker", "yellow")
    for one in found[:_MOST]:
        yield _line("", f"! {one}", "bold yellow")
    if len(found) + left_out > _MOST:
        yield _line("", f"and {len(found) + left_out - _MOST} more: --json has the first 50", "dim")


def _difference(difference: Mapping[str, Any]) -> "Iterator[Text]":
    changes = difference.get("changes", [])
    yield _line(
        "changes",
        f"{len(changes) + difference.get('left_out', 0)}: {difference.get('widening', 0)} widen or may, "
        f"{difference.get('narrowing', 0)} narrow, {difference.get('privileged', 0)} privileged",
    )
    for one in changes[:_MOST]:
        mark = (
            "!"
            if one["privileged"]
            else {"widens": "+", "may widen": "+", "narrows": "-"}.get(one["effect"], " ")
        )
        yield _line("", f"{mark} {one['what']}", "bold yellow" if mark == "!" else "")
    if len(changes) > _MOST:
        yield _line("", f"and {len(changes) - _MOST} more: --json has all", "dim")


def _replay(replay: Mapping[str, Any] | None) -> "Iterator[Text]":
    if replay is None:
        return
    counts = replay["counts"]
    yield _line(
        "replay",
        f"{replay['decided']} of {replay['recorded']} recorded decisions decided again: "
        f"{counts.get('newly_allowed', 0)} newly allowed, {counts.get('newly_refused', 0)} newly refused",
    )
    for one in replay["groups"][:_MOST]:
        who = one["user"] or one["agent"]
        yield _line(
            "", f"{one['shift']}: {who} {one['server']}/{one['name']}, {one['count']} times"
        )


def _line(name: str, text: str, style: str = "") -> "Text":
    from rich.text import Text

    from remit.documents.problem import printable

    return Text.assemble((f"{name:<11}", "bold"), (printable(str(text)), style))
