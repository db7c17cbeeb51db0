"""A plan as lines for a terminal: what to look at first, first."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from remit.documents.problem import printable
from remit.replay import Change, Difference, Effect, Group, Plan, ReplayReport, Shift
from remit.replay.wording import (
    HEADLINES,
    counted,
    headline,
    skipped_told,
    thing,
    transition,
    verdict,
    who,
)

__all__ = ["plan_lines"]

_MARKS: Final = {
    Effect.WIDENS: ("+", "bold red"),
    Effect.MAY_WIDEN: ("?", "yellow"),
    Effect.NARROWS: ("-", "green"),
    Effect.NEITHER: ("·", "dim"),
}
_COLOURS: Final = {
    Shift.NEWLY_ALLOWED: "bold red",
    Shift.NEWLY_REFUSED: "bold yellow",
    Shift.UNDECIDED: "magenta",
    Shift.DRIFT: "magenta",
}
_LEVELS: Final = {"danger": "bold red", "care": "bold yellow", "fine": "bold green"}
_MOST_GROUPS: Final = 12
_MOST_LINES: Final = 12


def plan_lines(plan: Plan) -> Iterator[Text]:
    """The plan, line by line."""
    level, why = verdict(plan)
    yield Text(printable(headline(plan)[:1].upper() + headline(plan)[1:] + "."), style="bold")
    yield Text(why, style=_LEVELS[level])
    yield Text("")
    if plan.difference is not None:
        yield from _declared(plan.difference)
    if plan.replay is not None:
        yield from _replayed(plan.replay)
    stage = f" in stage {plan.stage}" if plan.stage else ""
    yield Text(f"{plan.old[:12]} → {plan.new[:12]}{stage}, {plan.made_at}", style="dim")


def _declared(difference: Difference) -> Iterator[Text]:
    yield Text("What is declared otherwise", style="bold underline")
    if not difference.changes:
        yield Text("  nothing")
    for change in difference.changes:
        yield from _change(change)
    yield Text("  + widens   ? may widen   - narrows   · neither   ! privileged", style="dim")
    yield Text("")


def _change(change: Change) -> Iterator[Text]:
    mark, style = _MARKS[change.effect]
    flag = "!" if change.privileged else " "
    yield Text.assemble(
        (f"  {mark}{flag} ", style), printable(change.what), (f"  {change.area.value}", "dim")
    )
    if change.kind.value != "changed":
        return
    for line in change.lines[:_MOST_LINES]:
        if line.startswith("@@"):
            continue
        colour = {"+": "green", "-": "red"}.get(line[:1], "dim")
        yield Text(f"       {printable(line)}", style=colour)
    if len(change.lines) > _MOST_LINES:
        yield Text(f"       … {len(change.lines) - _MOST_LINES} more lines", style="dim")


def _replayed(replayed: ReplayReport) -> Iterator[Text]:
    yield Text("What becomes of the calls that came", style="bold underline")
    yield Text(
        f"  {counted(replayed.decided, 'call')} decided again, {replayed.since[:10]} to {replayed.until[:10]};"
        f" {replayed.equal:,} of them alike"
    )
    for shift in HEADLINES:
        groups = replayed.of(shift)
        if groups or replayed.count(shift):
            yield from _shift(shift, groups, replayed)
    yield Text("")
    yield from _left(replayed)


def _shift(shift: Shift, groups: tuple[Group, ...], replayed: ReplayReport) -> Iterator[Text]:
    name, meaning = HEADLINES[shift]
    yield Text("")
    yield Text.assemble(
        (f"  {name}: {counted(replayed.count(shift), 'call')}", _COLOURS.get(shift, "bold")),
        (f"  {meaning}", "dim"),
    )
    for group in groups[:_MOST_GROUPS]:
        flag = "!" if group.privileged else " "
        yield Text.assemble(
            (f"  {flag}{group.count:>7,}  ", "bold"),
            printable(f"{who(group)}  "),
            (printable(thing(group)), "cyan"),
            (printable(f"  {group.tenant}"), "dim"),
        )
        yield Text(printable(f"             {group.because or transition(group)}"), style="dim")
        if group.examples:
            yield Text(f"             e.g. {group.examples[0].decision_id}", style="dim")
    left = replayed.count(shift) - sum(one.count for one in groups[:_MOST_GROUPS])
    if left:
        yield Text(f"   {left:>7,}  in further groups: see --format html or json", style="dim")


def _left(replayed: ReplayReport) -> Iterator[Text]:
    """What the figures do not speak of."""
    for count, why in skipped_told(replayed):
        yield Text(f"  {count:>8,}  not decided again: {why}", style="dim")
    if replayed.other_bundle:
        yield Text(
            f"  {replayed.other_bundle:>8,}  decided by other policies than those in force",
            style="dim",
        )
    if replayed.unsealed:
        yield Text(
            f"  {replayed.unsealed:>8,}  records of which the sealed part did not open",
            style="yellow",
        )
    if replayed.damaged:
        yield Text(
            f"  {replayed.damaged:>8,}  damaged lines; see `remit audit verify`", style="yellow"
        )
    for note in replayed.notes:
        yield Text(f"  {printable(note)}", style="dim")
    yield Text("")
