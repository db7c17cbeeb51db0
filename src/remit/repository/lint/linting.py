"""All remarks on a repository: every rule, over every stage, with what silences them and what they are worth.

What is said of a part that stands nowhere (an unused scope, a tool out of reach) holds only if it holds in
every stage that was looked at, and only while every file can be told; what is said of a part that is there,
wherever it does. Nothing is mended while a file cannot be told: what it says may be why a part is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from remit.documents import Document, Problem
from remit.documents.reading import decode
from remit.errors import Error
from remit.repository.kinds import KINDS, Severity, lint_codes
from remit.repository.lint.approval_lints import approval_lints
from remit.repository.lint.ignoring import exceptions_in
from remit.repository.lint.inventory import inventory_of
from remit.repository.lint.layout_lints import layout_lints
from remit.repository.lint.noticed import Edit, Noticed
from remit.repository.lint.reach_lints import reach_lints
from remit.repository.lint.scope_lints import scope_lints
from remit.repository.lint.use_lints import use_lints
from remit.repository.loading import Examination

__all__ = ["Remark", "lint", "severities_of"]

_HIDING: Final = frozenset({"file", "stage", "yaml", "schema"})
"""Mistakes behind which a part may stand that is not seen."""
_UNLESS_FORBIDDEN: Final = frozenset({"redundant-scope"})
"""Remarks that hold unless a part that may not be seen forbids the wider scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something worth a second look. `edits` mend it, where that changes nothing that is permitted."""

    problem: Problem
    severity: Severity
    edits: tuple[Edit, ...] = ()
    stages: tuple[str | None, ...] = (None,)
    """The stages it was found in; `None` is the repository without any overlay."""

    @property
    def code(self) -> str:
        return self.problem.code


def lint(examinations: Sequence[Examination], *, stages: Sequence[str | None]) -> list[Remark]:
    """Every remark on a repository that was examined once for each of `stages`, in the order of files and lines."""
    if not examinations:
        return []
    first = examinations[0]
    severities = severities_of(first.staged.root)
    found: dict[tuple[str, Problem], list[tuple[str | None, Noticed]]] = {}
    for stage, examination in zip(stages, examinations, strict=True):
        for one in _noticed(examination):
            found.setdefault((one.code, one.problem), []).append((stage, one))
    everywhere = len(examinations)
    blind = any(
        one.code in _HIDING for examination in examinations for one in examination.findings.problems
    )
    kept = [
        replace(seen[0][1], edits=seen[0][1].edits if len(seen) == everywhere else ())
        for (code, _), seen in found.items()
        if not KINDS[code].absence or (len(seen) == everywhere and not blind)
        if not (blind and code in _UNLESS_FORBIDDEN)
    ]
    seen_in = {one: tuple(stage for stage, _ in seen) for one, seen in found.items()}
    remarks = [
        Remark(
            problem=one.problem,
            severity=severities[one.code],
            edits=one.edits if KINDS[one.code].fixable and not blind else (),
            stages=seen_in.get((one.code, one.problem), (None,)),
        )
        for one in exceptions_in(_texts(first)).silence(kept)
        if severities[one.code] is not Severity.OFF and not (blind and KINDS[one.code].absence)
    ]
    return sorted(remarks, key=lambda one: one.problem)


def severities_of(root: Document | None) -> Mapping[str, Severity]:
    """What each kind is worth, as `lint:` of `remit.yaml` says; what it says wrongly is a mistake of its own."""
    worth = {code: kind.severity for code, kind in KINDS.items()}
    if root is not None:
        node, exists = root.nearest(("lint",))
        if exists and isinstance(node.value, dict):
            for code, value in node.value.items():
                if code in lint_codes() and value in set(Severity):
                    worth[code] = Severity(str(value))
    return MappingProxyType(worth)


def _noticed(found: Examination) -> list[Noticed]:
    inventory = inventory_of(found.draft)
    policies = [one.text for one in found.staged.policies]
    return [
        *scope_lints(inventory),
        *use_lints(inventory, policies),
        *reach_lints(inventory),
        *approval_lints(inventory, policies),
        *layout_lints(found, inventory),
    ]


def _texts(found: Examination) -> dict[str, str]:
    texts: dict[str, str] = {}
    for file, content in found.files.bundle.items():
        if file.endswith(".yaml"):
            try:
                texts[file] = decode(content, file=file)
            except Error:
                continue  # A mistake of its own.
    return texts
