"""What `--fix` does: mends remarks that a machine can mend, and nothing that anybody could notice but a reader.

Each edit leaves every other part of its file as it was. After all of them the repository is checked again:
with a mistake more than before nothing is changed at all. To fix what was fixed changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from types import MappingProxyType

from remit.documents.reading import decode
from remit.errors import Error
from remit.policy import check_policies
from remit.repository.files import files_of
from remit.repository.lint.edits import apply_edit
from remit.repository.lint.linting import Remark, lint
from remit.repository.loading import Examination, PolicyCheck, examine

__all__ = ["Fixed", "fix_contents"]

_MOST_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """The files that changed, by their paths, and what was mended."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    remarks: tuple[Remark, ...]

    @property
    def diff(self) -> str:
        """Every change, as `diff -u` shows it."""
        return "".join(
            line
            for name in sorted(self.after)
            for line in unified_diff(
                _lines(self.before[name]), _lines(self.after[name]), f"a/{name}", f"b/{name}"
            )
        )


def fix_contents(
    contents: Mapping[str, bytes],
    *,
    stages: Sequence[str | None],
    check: PolicyCheck = check_policies,
) -> Fixed:
    """Mend what can be mended in a bundle, which is looked at in each of `stages`. Writes nothing."""
    current = dict(contents)
    mended: list[Remark] = []
    examinations = _examined(current, stages, check)
    for _ in range(_MOST_ROUNDS):
        remarks = [one for one in lint(examinations, stages=stages) if one.edits]
        # All at once if that does, since every check takes its time; else as many as do one after the other.
        for batch in (remarks, *([one] for one in remarks)):
            changed, made = _mended(current, batch)
            again = _examined(changed, stages, check) if made else None
            if again is not None and _is_no_worse(examinations, again):
                current, examinations = changed, again
                mended += made
                break
        else:
            break
    after = {name: one for name, one in current.items() if one != contents[name]}
    return Fixed(
        before=MappingProxyType({name: contents[name] for name in after}),
        after=MappingProxyType(after),
        remarks=tuple(mended),
    )


def _examined(
    contents: Mapping[str, bytes], stages: Sequence[str | None], check: PolicyCheck
) -> list[Examination]:
    files = files_of(contents)
    return [examine(files, stage=stage, check=check) for stage in stages]


def _mended(
    contents: Mapping[str, bytes], remarks: Sequence[Remark]
) -> tuple[dict[str, bytes], list[Remark]]:
    """`contents` after the edits of those of `remarks` whose edits can all be made, and which these are."""
    changed = dict(contents)
    made: list[Remark] = []
    for remark in remarks:
        edited = _edited(changed, remark)
        if edited is not None:
            changed = edited
            made.append(remark)
    return changed, made


def _edited(contents: Mapping[str, bytes], remark: Remark) -> dict[str, bytes] | None:
    changed = dict(contents)
    for edit in remark.edits:
        try:
            text = decode(changed[edit.file], file=edit.file)
        except (KeyError, Error):
            return None
        edited = apply_edit(text, edit)
        if edited is None:
            return None
        changed[edit.file] = edited.encode()
    return changed


def _is_no_worse(before: Sequence[Examination], after: Sequence[Examination]) -> bool:
    """Whether there is no mistake in any stage that was not there."""
    return all(
        {one.message for one in new.findings.problems}
        <= {one.message for one in old.findings.problems}
        for old, new in zip(before, after, strict=True)
    )


def _lines(content: bytes) -> list[str]:
    return content.decode().splitlines(keepends=True)
