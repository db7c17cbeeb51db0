"""Which files are the policy repository, what each is for, and what identifies their whole.

Counted: `remit.yaml`, `scopes.yaml`, `roles.yaml`, `people.yaml`, `trust.yaml`, `approvals.yaml`, `audit.yaml`,
`servers/*.yaml`, `agents/*.yaml`, `policies/*.cedar`, `rules/*.yaml`; the same below `stages/<stage>/`, laid over them in that stage; and
`tests/**/*.yaml`, which decide nothing but are reviewed with the rest. All of them together are a bundle.
Hidden files, `README.md` and folders of other names do not count and are not read. Refused: what stands
where only counted files belong (a `crm.yml` that would be ignored in silence).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from remit.documents import Problem, did_you_mean, quoted
from remit.documents.reading import MAX_BYTES

__all__ = [
    "AGENTS",
    "APPROVALS",
    "AUDIT",
    "CASES",
    "FOLDERS",
    "MAX_FILES",
    "MAX_TOTAL_BYTES",
    "PEOPLE",
    "POLICIES",
    "REQUIRED",
    "ROLES",
    "ROOT",
    "RULES",
    "SCOPES",
    "SERVERS",
    "SINGLE",
    "STAGES",
    "TRUST",
    "Files",
    "at_top",
    "digest_of",
    "files_of",
    "is_left_out",
    "missing",
    "unread",
]

ROOT: Final = "remit.yaml"
SCOPES: Final = "scopes.yaml"
ROLES: Final = "roles.yaml"
PEOPLE: Final = "people.yaml"
TRUST: Final = "trust.yaml"
APPROVALS: Final = "approvals.yaml"
AUDIT: Final = "audit.yaml"
SERVERS: Final = "servers"
AGENTS: Final = "agents"
POLICIES: Final = "policies"
RULES: Final = "rules"
STAGES: Final = "stages"
CASES: Final = "tests"

MAX_FILES = 2_000
MAX_TOTAL_BYTES = 64 * MAX_BYTES

SINGLE: Final = (ROOT, SCOPES, ROLES, PEOPLE, TRUST, APPROVALS, AUDIT)
REQUIRED: Final = (ROOT, SCOPES)
FOLDERS: Final[Mapping[str, str]] = {
    SERVERS: ".yaml", AGENTS: ".yaml", POLICIES: ".cedar", RULES: ".yaml",
}  # fmt: skip
"""The folders of counted files, and how these files end."""

_CASE: Final = ".yaml"
_TEMPORARY_ENDS: Final = ("~", ".swp", ".swo", ".bak", ".orig", ".rej", ".tmp")


@dataclass(frozen=True, slots=True)
class Files:
    """The bytes of every counted file by its path in the repository, and what kept others out.

    `contents` is what holds in every stage. `overlays` has, by stage, what is laid over it there, by
    the path that it is laid over; `cases` what stands in `tests/`.
    """

    contents: Mapping[str, bytes]
    problems: tuple[Problem, ...]
    overlays: Mapping[str, Mapping[str, bytes]]
    cases: Mapping[str, bytes]

    @property
    def bundle(self) -> dict[str, bytes]:
        """Every file that counts, by its path."""
        laid = {
            f"{STAGES}/{stage}/{name}": content
            for stage, overlay in self.overlays.items()
            for name, content in overlay.items()
        }
        return {**self.contents, **self.cases, **laid}


def files_of(contents: Mapping[str, bytes]) -> Files:
    """Tell the files of a bundle apart by their paths. Mistakes are in the result, not raised.

    A path that does not count is refused: who put it there believes in something that never holds.
    """
    base: dict[str, bytes] = {}
    cases: dict[str, bytes] = {}
    overlays: dict[str, dict[str, bytes]] = {}
    problems: list[Problem] = []
    if len(contents) > MAX_FILES:
        problems.append(too_many(len(contents)))
    elif sum(map(len, contents.values())) > MAX_TOTAL_BYTES:
        problems.append(too_large(ROOT))
    else:
        for path in sorted(contents):
            parts = PurePosixPath(path).parts
            inner = "/".join(parts[2:])
            if _counts(path):
                base[path] = contents[path]
            elif _is_case(path):
                cases[path] = contents[path]
            elif path == f"{STAGES}/{'/'.join(parts[1:2])}/{inner}" and _counts(inner):
                overlays.setdefault(parts[1], {})[inner] = contents[path]
            else:
                problems.append(unread(path, "files of a policy repository and nothing else"))
        problems.extend(missing(base))
    return Files(base, tuple(problems), overlays, cases)


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


def is_left_out(name: str) -> bool:
    """Whether a file or folder of this name may stand anywhere and is never read."""
    return name.startswith(".") or name == "README.md"


def missing(present: Mapping[str, bytes] | frozenset[str]) -> Iterator[Problem]:
    """Files that have to be there and are not."""
    for name in REQUIRED:
        if name not in present:
            message = f"{quoted(name)} is missing"
            yield at_top(name, message, "a file of that name at the top of the repository")


def unread(path: str, expected: str) -> Problem:
    """A file that would be left out in silence."""
    name = PurePosixPath(path).name
    if name.endswith(_TEMPORARY_ENDS) or name.startswith("#"):
        expected = "no file that an editor left behind; remove it, or save what is open"
    return at_top(path, f"{quoted(path)} is not read", expected)


def near_miss(name: str, *, is_folder: bool) -> str:
    """Which counted file or folder something at the top was meant to be, as the end of a sentence."""
    if is_folder:
        return did_you_mean(name, (*FOLDERS, STAGES, CASES))
    if name.endswith((".yaml", ".yml", ".cedar")):
        return did_you_mean(name, SINGLE)
    return ""


def too_many(count: int) -> Problem:
    return at_top(ROOT, f"the repository has {count} files", f"at most {MAX_FILES}")


def too_large(name: str) -> Problem:
    return at_top(name, "the repository is too large", f"at most {MAX_TOTAL_BYTES} bytes")


def at_top(name: str, message: str, expected: str = "") -> Problem:
    """A problem with a file as a whole."""
    return Problem(file=name, line=1, column=1, message=message, expected=expected)


def _counts(path: str) -> bool:
    """Whether `path` is one that the catalog or its policies are made of."""
    if path in SINGLE:
        return True
    folder, _, name = path.partition("/")
    suffix = FOLDERS.get(folder)
    return suffix is not None and "/" not in name and name.endswith(suffix) and name != suffix


def _is_case(path: str) -> bool:
    parts = path.split("/")
    return (
        len(parts) > 1
        and parts[0] == CASES
        and path.endswith(_CASE)
        and not any(not part or part.startswith(".") for part in parts)
    )
