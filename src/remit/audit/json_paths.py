"""Which places of a document a JSONPath names.

Refused when it is read: what RFC 9535 does not have, the functions that take regular expressions (a caller's text would
be matched against them on every call), and more than a few steps. It is followed in the beginning of a document where the rest
changes nothing, and otherwise in all of one that is not large (`extent`).

Source: RFC 9535; AUDIT §1.6.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from itertools import islice
from typing import Any, ClassVar, Final

from remit.audit.extent import MOST_FOLLOWED, beginning, is_followed_whole
from remit.canonical import Json
from remit.errors import Error

__all__ = ["MAX_PATH", "BadPathError", "JsonPath", "json_path"]

MAX_PATH: Final = 256
"""Characters of one path."""
_REGULAR: Final = ("match", "search")
_MOST_DESCENTS: Final = 2
"""Each looks at all that lies below what the one before it found."""
_MOST_FILTERS: Final = 2
_MOST_NAMED: Final = 8_192
_ALL_TWICE: Final = re.compile(r"\*\s*,|,\s*\*")


class BadPathError(Error):
    """The text is no JSONPath that is read here; `detail` says where it goes wrong."""

    code: ClassVar[str] = "bad_json_path"


class JsonPath:
    """A path, compiled."""

    __slots__ = ("_find", "_looks_back", "text")

    def __init__(self, text: str, find: Callable[[Any], Any]) -> None:
        self.text = text
        self._find = find
        # What a condition says, and what is counted from the end, may depend on all of a document.
        self._looks_back = "?" in text or "-" in text

    def pointers(self, document: Json) -> list[str]:
        """The RFC 6901 pointers of the places it names in `document`.

        Raises:
            BadPathError: it cannot be followed there, such as to the bottom of it, or in so much.
        """
        if not self._looks_back:
            document = beginning(document)
        elif not is_followed_whole(document):
            raise BadPathError(f"`{self.text}` is not followed in more than {MOST_FOLLOWED} values")
        try:
            named = [
                "".join([f"/{_escaped(part)}" for part in match.parts])
                for match in islice(self._find(document), _MOST_NAMED + 1)
            ]
        except (import_module("jsonpath").JSONPathError, RecursionError) as error:
            raise BadPathError(f"`{self.text}` cannot be followed", cause=error) from error
        if len(named) > _MOST_NAMED:
            raise BadPathError(f"`{self.text}` names more than {_MOST_NAMED} places")
        return named


@lru_cache(maxsize=512)
def json_path(text: str) -> JsonPath:
    """The path that `text` is.

    Raises:
        BadPathError: it is none, or does what is refused.
    """
    if len(text) > MAX_PATH or text.count("..") > _MOST_DESCENTS:
        raise BadPathError(
            f"a path has at most {MAX_PATH} characters and {_MOST_DESCENTS} times `..`"
        )
    if text.count("?") > _MOST_FILTERS or _ALL_TWICE.search(text) is not None:
        raise BadPathError(
            f"a path has at most {_MOST_FILTERS} conditions, and `*` stands alone in its brackets"
        )
    # A guard inside a server whose rules name no place does not load what reads them: a sixth of a second.
    library = import_module("jsonpath")
    environment = library.JSONPathEnvironment(strict=True)
    for name in tuple(environment.function_extensions):
        if name not in _STANDARD:
            del environment.function_extensions[name]
    try:
        compiled = environment.compile(text)
    except library.JSONPathError as error:
        raise BadPathError(
            f"`{text}` is no JSONPath by RFC 9535 without regular expressions", cause=error
        ) from error
    if not text.startswith("$") or not hasattr(compiled, "segments"):
        raise BadPathError(f"`{text}` does not begin with `$`, or is several paths")
    return JsonPath(text, compiled.finditer)


_STANDARD: Final = frozenset({"length", "count", "value"})
"""What RFC 9535 §2.4 has, without `match` and `search`."""


def _escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
