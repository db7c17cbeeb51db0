"""`remit check`: every mistake in a policy repository, each with its line and a caret."""

from pathlib import Path

from remit.cli.exits import ExitCode
from remit.cli.terminal import print_json, say, say_hint
from remit.documents import Problem, render_problems
from remit.repository import check_repository as findings_in

__all__ = ["check_repository"]


def check_repository(repo: Path, *, as_json: bool) -> ExitCode:
    """Check the repository in `repo` and say what was found."""
    findings = findings_in(repo)
    problems = findings.problems
    if as_json:
        print_json([_as_json(problem) for problem in problems])
    elif problems:
        say(render_problems(problems))
    else:
        say(f"{repo}: no mistakes")
    if findings.unchecked:
        say_hint(f"not all could be checked: {'; '.join(findings.unchecked)}")
    return ExitCode.FOUND_WRONG if problems else ExitCode.DONE


def _as_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "expected": problem.expected,
    }
