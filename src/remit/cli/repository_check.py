"""`remit check`: every mistake in a policy repository and every remark on it, each with its line and a caret.

What is right below every overlay and wrong in a stage is said with the stage. `--fix` writes what mends
remarks and changes nothing that is permitted; `--diff` shows what it would write.
"""

import os
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.text import Text

from remit.cli.exits import ExitCode
from remit.cli.sarif import sarif_of
from remit.cli.terminal import counted, print_json, say, say_error, say_hint
from remit.documents import Problem
from remit.documents.rendering import render_problem
from remit.repository.files import Files
from remit.repository.folder import read_files
from remit.repository.lint import KINDS, Fixed, Remark, Severity, fix_contents, lint
from remit.repository.loading import Examination, examine
from remit.repository.staged import stages_of

__all__ = ["CheckFormat", "CheckRequest", "check_repository"]


class CheckFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What was asked on the command line."""

    repo: Path
    stage: str | None = None
    all_stages: bool = False
    shape: CheckFormat = CheckFormat.TEXT
    fix: bool = False
    diff: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Everything, each problem once, with the stages that it was found in."""

    problems: Mapping[Problem, tuple[str | None, ...]]
    remarks: tuple[Remark, ...]
    unchecked: tuple[str, ...]
    stages: tuple[str | None, ...]
    declared: tuple[str, ...]

    def is_good(self, *, strict: bool) -> bool:
        refused = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
        return not self.problems and not any(one.severity in refused for one in self.remarks)


def check_repository(asked: CheckRequest) -> ExitCode:
    """Check the repository as asked and say what was found.

    Raises:
        RepositoryMissingError: there is no such folder.
    """
    files = read_files(asked.repo)
    if asked.fix or asked.diff:
        declared = stages_of(examine(files).staged.root)
        fixed = fix_contents(files.bundle, stages=(None, *declared))
        _tell_fixes(fixed, asked)
        if not asked.diff:
            _write(asked.repo, fixed)
            files = read_files(asked.repo)
    found = _look(files, asked)
    match asked.shape:
        case CheckFormat.SARIF:
            print_json(sarif_of(found.problems, found.remarks, folder=_below_here(asked.repo)))
        case CheckFormat.JSON:
            print_json(_as_json(found))
        case CheckFormat.TEXT:
            _tell(found, asked)
    if found.unchecked:
        say_hint(f"not all could be checked: {'; '.join(found.unchecked)}")
    good = found.is_good(strict=asked.strict)
    return ExitCode.DONE if good else ExitCode.FOUND_WRONG


def _look(files: Files, asked: CheckRequest) -> _Found:
    first = examine(files, stage=asked.stage)
    declared = stages_of(first.staged.root)
    stages: tuple[str | None, ...] = (asked.stage,)
    if asked.all_stages:
        stages = (None, *declared)
    examinations = [first, *(examine(files, stage=one) for one in stages[1:])]
    problems: dict[Problem, tuple[str | None, ...]] = {}
    unchecked: dict[str, None] = {}
    for stage, examination in zip(stages, examinations, strict=True):
        for problem in examination.findings.problems:
            problems[problem] = (*problems.get(problem, ()), stage)
        unchecked.update(dict.fromkeys(examination.findings.unchecked))
    return _Found(
        problems=problems,
        remarks=_remarks(files, examinations, stages, declared),
        unchecked=tuple(unchecked),
        stages=stages,
        declared=declared,
    )


def _remarks(
    files: Files,
    examinations: Sequence[Examination],
    stages: tuple[str | None, ...],
    declared: tuple[str, ...],
) -> tuple[Remark, ...]:
    """Remarks on what was looked at. That something is nowhere can be said only after looking everywhere."""
    others = [one for one in (None, *declared) if one not in stages]
    further = [examine(files, stage=one) for one in others]
    every = lint([*examinations, *further], stages=[*stages, *others])
    return tuple(one for one in every if set(one.stages) & set(stages))


def _tell(found: _Found, asked: CheckRequest) -> None:
    """Mistakes and remarks together, in the order of files and lines; how many there are comes last."""
    mistakes = [(one, _of_mistake(one, stages)) for one, stages in found.problems.items()]
    remarks = [(one.problem, _of_remark(one)) for one in found.remarks]
    shown = [text for _, text in sorted((*mistakes, *remarks), key=lambda one: one[0])]
    if shown:
        say(Text().join([*shown, _tally(found)]))
    if not found.problems:
        where = f" in stage {asked.stage}" if asked.stage else ""
        all_of = f" in {counted(len(found.declared), 'stage')}" if asked.all_stages else ""
        if asked.all_stages and not found.declared:
            all_of = "; remit.yaml lists no stages"
        name = asked.repo if asked.repo.name else Path.cwd().name
        say(f"{name}: no mistakes{where}{all_of}")
    left = [one for one in found.declared if one not in found.stages]
    if left and asked.stage is None:
        say_hint(f"stages not checked: {', '.join(left)}; --all-stages checks them")


def _of_mistake(problem: Problem, stages: Sequence[str | None]) -> Text:
    return render_problem(problem, notes=_where(stages))


def _of_remark(remark: Remark) -> Text:
    kind = KINDS[remark.code]
    style = {Severity.ERROR: "red", Severity.WARNING: "yellow"}.get(remark.severity, "cyan")
    mend = f"{kind.mend} `--fix` does." if remark.edits else kind.mend
    notes = [f"why: {kind.why}", f"do:  {mend}", *_where(remark.stages)]
    label = f"{remark.severity.value}[{remark.code}] "
    return render_problem(remark.problem, label=label, style=style, notes=notes)


def _tally(found: _Found) -> Text:
    counts = []
    if found.problems:
        files = len({one.file for one in found.problems})
        counts.append(f"{counted(len(found.problems), 'mistake')} in {counted(files, 'file')}")
    counts += [
        counted(number, severity.value)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
        if (number := sum(one.severity is severity for one in found.remarks))
    ]
    return Text(", ".join(counts), style="bold red" if found.problems else "bold")


def _where(stages: Sequence[str | None]) -> list[str]:
    named = [one for one in stages if one is not None]
    return [] if None in stages else [f"in stage {', '.join(named)}"]


def _as_json(found: _Found) -> list[dict[str, object]]:
    problems = [
        _json_of(one, Severity.ERROR, stages) for one, stages in sorted(found.problems.items())
    ]
    remarks = [
        {**_json_of(one.problem, one.severity, one.stages), "fixable": bool(one.edits)}
        for one in found.remarks
    ]
    return [*problems, *remarks]


def _json_of(
    problem: Problem, severity: Severity, stages: Sequence[str | None]
) -> dict[str, object]:
    kind = KINDS.get(problem.code)
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "code": problem.code,
        "severity": severity.value,
        "message": problem.message,
        "expected": problem.expected,
        "why": "" if kind is None else kind.why,
        "mend": "" if kind is None else kind.mend,
        "stages": list(stages),
        "fixable": False,
    }


def _tell_fixes(fixed: Fixed, asked: CheckRequest) -> None:
    if asked.diff:
        sys.stdout.write(fixed.diff)
        return
    for name in sorted(fixed.after):
        kinds = sorted({one.code for one in fixed.remarks if one.problem.file == name})
        say_hint(f"mended {name}: {', '.join(kinds)}")


def _write(repo: Path, fixed: Fixed) -> None:
    """Write each file whole, under its old mode. What changed since it was read is left as it is."""
    for name, content in sorted(fixed.after.items()):
        path = (repo / name).resolve()
        if path.read_bytes() != fixed.before[name]:
            say_error(f"`{name}` changed meanwhile", mend="run it again")
            continue
        descriptor, temporary = tempfile.mkstemp(prefix=".remit-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(temporary).chmod(stat.S_IMODE(path.stat().st_mode))
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _below_here(repo: Path) -> str:
    """Where the folder is below the root of the sources: that of the Git repository, or else this folder."""
    place = repo.resolve()
    roots = [one for one in (place, *place.parents) if (one / ".git").exists()]
    root = roots[0] if roots else Path.cwd()
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else ""
