"""What a check found as SARIF, for code hosts that show it beside the lines of a review.

Paths are relative to `%SRCROOT%`, columns count characters, and every kind of problem is a rule with its
help. A problem keeps its fingerprint while lines are added above it. Source: SARIF 2.1.0 (OASIS), §3.
"""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from remit.canonical import Json, JsonObject
from remit.documents import Problem
from remit.repository.lint import KINDS, Kind, Remark, Severity

__all__ = ["sarif_of"]

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT: Final = "%SRCROOT%"
_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
    Severity.OFF: "none",
}


def sarif_of(problems: Iterable[Problem], remarks: Iterable[Remark], *, folder: str) -> JsonObject:
    """The log of one run. `folder` is where the repository is below the root of the sources, such as `policy`."""
    found = [(one, Severity.ERROR) for one in problems]
    found += [(one.problem, one.severity) for one in remarks]
    codes = sorted(KINDS)
    rules: list[Json] = [_rule(KINDS[code]) for code in codes]
    results: list[Json] = [
        _result(problem, level, folder=folder, index=codes.index(_code(problem)))
        for problem, level in sorted(found)
    ]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "remit",
                        "semanticVersion": version("remit"),
                        "rules": rules,
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {
                    _ROOT: {"description": {"text": "the root of the checked-out sources"}}
                },
                "results": results,
            }
        ],
    }


def _rule(kind: Kind) -> JsonObject:
    return {
        "id": kind.code,
        "name": "".join(word.capitalize() for word in kind.code.split("-")),
        "shortDescription": {"text": f"{kind.title}."},
        "fullDescription": {"text": kind.why},
        "help": {
            "text": f"{kind.why} {kind.mend}",
            "markdown": f"{kind.why}\n\n**What to do:** {kind.mend}",
        },
        "defaultConfiguration": {
            "level": _LEVELS[kind.severity],
            "enabled": kind.severity is not Severity.OFF,
        },
        "properties": {"tags": ["security", "mistake" if kind.is_mistake else "lint"]},
    }


def _result(problem: Problem, level: Severity, *, folder: str, index: int) -> JsonObject:
    expected = f" Expected {problem.expected}." if problem.expected else ""
    uri = (PurePosixPath(folder) / problem.file).as_posix()
    return {
        "ruleId": _code(problem),
        "ruleIndex": index,
        "level": _LEVELS[level],
        "message": {"text": f"{problem.message}.{expected}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(uri), "uriBaseId": _ROOT},
                    "region": {
                        "startLine": problem.line,
                        "startColumn": problem.column,
                        "endLine": problem.line,
                        "endColumn": problem.column + max(problem.width, 1),
                    },
                }
            }
        ],
        "partialFingerprints": {"remit/v1": _fingerprint(problem)},
    }


def _fingerprint(problem: Problem) -> str:
    """What stays the same while the lines around it change."""
    parts = (problem.file, _code(problem), problem.message, problem.excerpt.strip())
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


def _code(problem: Problem) -> str:
    return problem.code if problem.code in KINDS else "consistency"
