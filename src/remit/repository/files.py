"""Which files of a folder are the policy repository, and what identifies their whole.

Counted: `remit.yaml`, `scopes.yaml`, `roles.yaml`, `people.yaml`, `trust.yaml`,
`servers/*.yaml`, `agents/*.yaml`, `policies/*.cedar`. Hidden files, `README.md` and folders of other names do not
count and are not read. Refused: what stands where only counted files belong
(a `crm.yml` that would be ignored in silence), a link that leads out of the
folder, what is no plain file, files that are too large or too many.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from remit.documents import Problem, did_you_mean, quoted
from remit.documents.reading import MAX_BYTES
from remit.errors import Error

__all__ = [
    "AGENTS",
    "MAX_FILES",
    "MAX_TOTAL_BYTES",
    "PEOPLE",
    "POLICIES",
    "ROLES",
    "ROOT",
    "SCOPES",
    "SERVERS",
    "TRUST",
    "Files",
    "digest_of",
    "read_files",
]

ROOT: Final = "remit.yaml"
SCOPES: Final = "scopes.yaml"
ROLES: Final = "roles.yaml"
PEOPLE: Final = "people.yaml"
TRUST: Final = "trust.yaml"
SERVERS: Final = "servers"
AGENTS: Final = "agents"
POLICIES: Final = "policies"

MAX_FILES = 2_000
MAX_TOTAL_BYTES = 64 * MAX_BYTES

_SINGLE: Final = (ROOT, SCOPES, ROLES, PEOPLE, TRUST)
_REQUIRED: Final = (ROOT, SCOPES)
_FOLDERS: Final[Mapping[str, str]] = {SERVERS: ".yaml", AGENTS: ".yaml", POLICIES: ".cedar"}


class RepositoryMissingError(Error):
    """Where the policy repository should be is no folder: nothing is wrong in it, the path is."""

    code: ClassVar[str] = "repository_missing"


@dataclass(frozen=True, slots=True)
class Files:
    """The bytes of every counted file by its path in the repository, and what kept others out."""

    contents: Mapping[str, bytes]
    problems: tuple[Problem, ...]


def read_files(folder: Path) -> Files:
    """Read what counts in `folder`. Mistakes are in the result, not raised.

    Raises:
        RepositoryMissingError: `folder` is none.
    """
    if not folder.is_dir():
        raise RepositoryMissingError(f"there is no folder {quoted(folder)}")
    problems: list[Problem] = []
    candidates = list(_candidates(folder, problems))
    contents: dict[str, bytes] = {}
    if len(candidates) > MAX_FILES:
        problems.append(
            _at_top(ROOT, f"the repository has {len(candidates)} files", f"at most {MAX_FILES}")
        )
        candidates = []
    total = 0
    for name in candidates:
        content = _read(folder, name, problems)
        if content is None:
            continue
        total += len(content)
        if total > MAX_TOTAL_BYTES:
            problems.append(
                _at_top(name, "the repository is too large", f"at most {MAX_TOTAL_BYTES} bytes")
            )
            break
        contents[name] = content
    return Files(contents, tuple(problems))


def digest_of(contents: Mapping[str, bytes]) -> str:
    """The SHA-256, in hexadecimal, over every path and content, in the order of the paths.

    Each is preceded by its length, so that nothing can move from one file to the next unseen.
    """
    whole = hashlib.sha256()
    for name in sorted(contents):
        path, content = name.encode(), contents[name]
        whole.update(b"%d:%b%d:" % (len(path), path, len(content)))
        whole.update(content)
    return whole.hexdigest()


def _candidates(folder: Path, problems: list[Problem]) -> Iterator[str]:
    """The paths of the files that count, in order. Near misses are problems."""
    present = {entry.name: entry for entry in folder.iterdir() if not entry.name.startswith(".")}
    problems.extend(
        _at_top(
            name, f"{quoted(name)} is missing", "a file of that name at the top of the repository"
        )
        for name in _REQUIRED
        if name not in present
    )
    for name in sorted(present):
        entry = present[name]
        if name in _SINGLE:
            yield name
        elif name in _FOLDERS:
            yield from _in_folder(folder, name, problems)
        elif near := _near_miss(entry):
            problems.append(
                _at_top(
                    name,
                    f"{quoted(name)} is not read{near}",
                    f"{quoted(name)} elsewhere, or under the name meant",
                )
            )


def _near_miss(entry: Path) -> str:
    if entry.is_dir():
        return did_you_mean(entry.name, _FOLDERS)
    if entry.suffix in {".yaml", ".yml", ".cedar"}:
        return did_you_mean(entry.name, _SINGLE)
    return ""


def _in_folder(folder: Path, name: str, problems: list[Problem]) -> Iterator[str]:
    place, suffix = folder / name, _FOLDERS[name]
    if not place.is_dir() or not _is_inside(place, folder):
        problems.append(_at_top(name, f"{quoted(name)} is no folder of the repository", "a folder"))
        return
    for entry in sorted(place.iterdir(), key=lambda one: one.name):
        if entry.name.startswith(".") or entry.name == "README.md":
            continue
        if entry.suffix != suffix or entry.is_dir():
            path = f"{name}/{entry.name}"
            problems.append(
                _at_top(
                    path,
                    f"{quoted(path)} is not read",
                    f"files named `*{suffix}` and nothing else in `{name}/`",
                )
            )
        else:
            yield f"{name}/{entry.name}"


def _read(folder: Path, name: str, problems: list[Problem]) -> bytes | None:
    path = folder / name
    try:
        if not _is_inside(path, folder):
            problems.append(
                _at_top(name, "a link that leads out of the repository", "the file itself")
            )
            return None
        if not path.is_file():
            problems.append(_at_top(name, "no plain file", "a plain file"))
            return None
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        problems.append(
            _at_top(name, f"cannot read the file: {(error.strerror or 'unknown').lower()}")
        )
        return None
    if len(content) > MAX_BYTES:
        problems.append(_at_top(name, "the file is too large", f"at most {MAX_BYTES} bytes"))
        return None
    return content


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _at_top(name: str, message: str, expected: str = "") -> Problem:
    return Problem(file=name, line=1, column=1, message=message, expected=expected)
