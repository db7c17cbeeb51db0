"""Results of decision tables for people: a dot for each case, what failed and why, what no case reaches."""

import sys
from collections.abc import Iterator

from rich.text import Text

from remit.casebook import Coverage, Report, Result, Status
from remit.casebook.why import circumstances, reasons
from remit.cli.terminal import Column, print_lines, print_table, say, styled, visible

__all__ = ["Dots", "say_coverage", "say_failures", "say_summary"]

_MARKS = {
    Status.PASSED: (".", "green"),
    Status.FAILED: ("F", "bold red"),
    Status.NOT_RUN: ("?", "yellow"),
    Status.LEFT_OUT: ("-", "dim"),
}
_WIDEST = 60


class Dots:
    """One line for each file, one mark for each case; a line is printed when its file is done."""

    def __init__(self) -> None:
        self._file = ""
        self._marks = Text()
        self._cases = 0

    def show(self, result: Result) -> None:
        """Note one result."""
        if result.case.file != self._file:
            self.end()
            self._file = result.case.file
        self._cases += 1
        if self._cases <= _WIDEST or result.status is Status.FAILED:
            self._marks.append(*_MARKS[result.status])

    def end(self) -> None:
        """Print what is still to be printed."""
        if self._cases:
            line = Text.assemble(
                (f"{visible(self._file)}  ", "bold"), self._marks, (f"  {self._cases}", "dim")
            )
            print_lines([line])
            sys.stdout.flush()
        self._file, self._marks, self._cases = "", Text(), 0


def say_failures(report: Report) -> None:
    """Every case that came out otherwise, and every one that could not be run."""
    for result in report.of(Status.FAILED):
        print_lines([Text(), *_failure(result)])
    for result in report.of(Status.NOT_RUN):
        print_lines(
            [
                Text(),
                Text.assemble(
                    ("NOT RUN  ", "bold yellow"),
                    (result.case.place, "bold"),
                    f"  {visible(result.case.title)}",
                ),
                Text(f"         {visible(result.why)}", style="dim"),
            ]
        )


def say_coverage(coverage: Coverage) -> None:
    """Two tables: policies and things."""
    say("")
    print_table(
        [Column("policy", "bold"), Column("effect"), Column("decides"), Column("stands aside")],
        [
            (
                one.id,
                one.effect.value,
                _times(one.decided),
                _times(one.aside) if one.conditional else "has no condition",
            )
            for one in coverage.policies
        ],
        empty="no policies",
    )
    say("")
    print_table(
        [Column("tool, resource, prompt", "bold"), Column("allowed"), Column("refused")],
        [(one.name, _times(one.allowed), _times(one.refused)) for one in coverage.things],
        empty="no tools",
    )


def say_summary(report: Report, min_coverage: float | None, *, partial: bool) -> None:
    """How many of each, and how much is covered; of a part of the cases the latter says little, unless it is asked."""
    parts: list[tuple[str, str]] = []
    for status, word, style in (
        (Status.PASSED, "passed", "green"),
        (Status.FAILED, "failed", "bold red"),
        (Status.NOT_RUN, "not run", "yellow"),
        (Status.LEFT_OUT, "for other stages", "dim"),
    ):
        number = len(report.of(status))
        if number or status is Status.PASSED:
            parts += [(f"{number} {word}", style), (", ", "")]
    say("")
    line = Text.assemble(*parts[:-1], f" in {report.micros / 1_000_000:.2f} s")
    percent, wanted = report.coverage.percent, min_coverage is not None
    if wanted or not partial:
        line.append(f"; coverage {percent:.0f} %")
    if min_coverage is not None and percent < min_coverage:
        line.append(f", which is less than {min_coverage:g} %", style="bold red")
    say(line)
    silent = report.coverage.silent_policies
    if silent and not partial:
        these = "this policy" if len(silent) == 1 else "these policies"
        say(styled(f"no case makes {these} decide: {', '.join(silent)}", "yellow"))


def _failure(result: Result) -> Iterator[Text]:
    case = result.case
    yield Text.assemble(("FAILED  ", "bold red"), (case.place, "bold"), f"  {visible(case.title)}")
    yield Text(f"        {visible(circumstances(case.question))}", style="dim")
    width = max((len(one.what) for one in result.differences), default=0)
    for one in result.differences:
        yield Text.assemble(
            (f"        {one.what:<{width}}  ", "bold"),
            ("expected ", "dim"),
            (visible(one.expected), "green"),
            ("  found ", "dim"),
            (visible(one.found), "red"),
        )
    for line in () if result.found is None else reasons(result.found):
        yield Text(f"        because {visible(line)}", style="dim")


def _times(number: int) -> Text:
    return styled(str(number), "green") if number else styled("never", "red")
