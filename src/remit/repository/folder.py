"""The policy repository on disk, read as it was at one instant.

Whatever writes into the folder meanwhile (an editor, a checkout, a mounted volume), either all that
was read stood there at one and the same moment, or nothing is loaded. Refused: a link that leads out
of the folder, what is no plain file, files that are too large or too many.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from remit.documents import Problem, did_you_mean, quoted
from remit.documents.reading import MAX_BYTES
from remit.errors import Error
from remit.repository import files as named
from remit.repository.files import (
    CASES,
    FOLDERS,
    SINGLE,
    STAGES,
    Files,
    at_top,
    is_left_out,
    missing,
    near_miss,
    too_large,
    too_many,
    unread,
)

__all__ = ["RepositoryMissingError", "read_files"]

_MOST_READINGS: Final = 6
_DEEPEST: Final = 8


class RepositoryMissingError(Error):
    """Where the policy repository should be is no folder: nothing is wrong in it, the path is."""

    code: ClassVar[str] = "repository_missing"


def read_files(folder: Path) -> Files:
    """Read what counts in `folder`. Mistakes are in the result, not raised.

    Raises:
        RepositoryMissingError: `folder` is none.
    """
    if not folder.is_dir():
        raise RepositoryMissingError(f"there is no folder {quoted(folder)}")
    before = _read_once(folder)
    for _ in range(_MOST_READINGS - 1):
        # Two readings in a row that are equal were both true in the instant between them.
        after = _read_once(folder)
        if after == before:
            return after
        before = after
    changing = at_top(named.ROOT, "the repository changes while it is read", "files at rest")
    return Files(before.contents, (*before.problems, changing), before.overlays, before.cases)


@dataclass(slots=True)
class _Found:
    """The paths to read, and what is in the way of others."""

    base: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    overlays: dict[str, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.base) + len(self.cases) + sum(map(len, self.overlays.values()))


def _read_once(folder: Path) -> Files:
    found = _Found()
    try:
        _look(folder, found)
    except OSError as error:
        found.problems.append(_unreadable(named.ROOT, error))
    if len(found) > named.MAX_FILES:
        return Files({}, (*found.problems, too_many(len(found))), {}, {})
    reader = _Reader(folder, found.problems)
    contents = reader.read(found.base)
    cases = reader.read(found.cases)
    overlays = {
        stage: reader.read(names, below=f"{STAGES}/{stage}/")
        for stage, names in found.overlays.items()
    }
    return Files(contents, tuple(found.problems), overlays, cases)


def _look(folder: Path, found: _Found) -> None:
    """Every path that counts, in order. Near misses are problems."""
    present = {entry.name: entry for entry in _entries(folder)}
    found.problems.extend(missing(frozenset(present)))
    for name, entry in present.items():
        if name in SINGLE:
            found.base.append(name)
        elif name in FOLDERS:
            found.base.extend(_in_folder(folder, name, found.problems))
        elif name == STAGES:
            _look_at_stages(folder, found)
        elif name == CASES:
            found.cases.extend(_cases(folder, entry, found.problems))
        elif near := near_miss(name, is_folder=entry.is_dir()):
            message = f"{quoted(name)} is not read{near}"
            expected = f"{quoted(name)} elsewhere, or under the name meant"
            found.problems.append(at_top(name, message, expected))


def _look_at_stages(folder: Path, found: _Found) -> None:
    if not _is_folder(folder, STAGES, found.problems):
        return
    for stage in _entries(folder / STAGES):
        path = f"{STAGES}/{stage.name}"
        if not stage.is_dir():
            found.problems.append(unread(path, "a folder for each stage and nothing else"))
            continue
        if not _is_folder(folder, path, found.problems):
            continue
        overlay = found.overlays.setdefault(stage.name, [])
        for entry in _entries(stage):
            if entry.name in SINGLE:
                overlay.append(entry.name)
            elif entry.name in FOLDERS:
                inside = _in_folder(folder, f"{path}/{entry.name}", found.problems)
                overlay.extend(one.removeprefix(f"{path}/") for one in inside)
            else:
                near = did_you_mean(entry.name, (*SINGLE, *FOLDERS), likeness=0.7)
                expected = "files of the repository, under the names that they have there"
                problem = unread(f"{path}/{entry.name}", expected)
                found.problems.append(
                    at_top(problem.file, problem.message + near, problem.expected)
                )


def _in_folder(folder: Path, name: str, problems: list[Problem]) -> Iterator[str]:
    suffix = FOLDERS[name.rpartition("/")[2]]
    if not _is_folder(folder, name, problems):
        return
    for entry in _entries(folder / name):
        path = f"{name}/{entry.name}"
        if entry.suffix != suffix or entry.is_dir():
            expected = f"files named `*{suffix}` and nothing else in `{name}/`"
            problems.append(unread(path, expected))
        else:
            yield path


def _cases(folder: Path, place: Path, problems: list[Problem], depth: int = 0) -> Iterator[str]:
    """Every YAML file below `tests/`; what tests it otherwise may stand beside it."""
    name = place.relative_to(folder).as_posix()
    if not _is_folder(folder, name, problems) or depth > _DEEPEST:
        return
    for entry in _entries(place):
        if entry.is_dir():
            yield from _cases(folder, entry, problems, depth + 1)
        elif entry.suffix == ".yaml":
            yield f"{name}/{entry.name}"
        elif entry.suffix == ".yml":
            problems.append(unread(f"{name}/{entry.name}", "a name that ends in `.yaml`"))


def _entries(place: Path) -> list[Path]:
    """What stands in the folder `place` and could count, in the order of names."""
    return sorted(
        (entry for entry in place.iterdir() if not is_left_out(entry.name)),
        key=lambda one: one.name,
    )


def _is_folder(folder: Path, name: str, problems: list[Problem]) -> bool:
    place = folder / name
    if place.is_dir() and _is_inside(place, folder):
        return True
    problems.append(at_top(name, f"{quoted(name)} is no folder of the repository", "a folder"))
    return False


class _Reader:
    """Reads files of one folder, and keeps account of how much that is."""

    def __init__(self, folder: Path, problems: list[Problem]) -> None:
        self._folder = folder
        self._problems = problems
        self._total = 0

    def read(self, names: list[str], *, below: str = "") -> dict[str, bytes]:
        contents: dict[str, bytes] = {}
        for name in names:
            if self._total > named.MAX_TOTAL_BYTES:
                break
            content = _read(self._folder, f"{below}{name}", self._problems)
            if content is None:
                continue
            self._total += len(content)
            if self._total > named.MAX_TOTAL_BYTES:
                self._problems.append(too_large(f"{below}{name}"))
                break
            contents[name] = content
        return contents


def _read(folder: Path, name: str, problems: list[Problem]) -> bytes | None:
    path = folder / name
    try:
        if not _is_inside(path, folder):
            problems.append(
                at_top(name, "a link that leads out of the repository", "the file itself")
            )
            return None
        if not path.is_file():
            problems.append(at_top(name, "no plain file", "a plain file"))
            return None
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        problems.append(_unreadable(name, error))
        return None
    if len(content) > MAX_BYTES:
        problems.append(at_top(name, "the file is too large", f"at most {MAX_BYTES} bytes"))
        return None
    return content


def _unreadable(name: str, error: OSError) -> Problem:
    return at_top(name, f"cannot read the file: {(error.strerror or 'unknown').lower()}")


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
