"""Which places of a document a JSONPath names.

Refused when it is read: what RFC 9535 does not have, the functions that take regular expressions (a caller's text would
be matched against them on every call), and more than a few steps. What it names is bounded by the document.

Source: RFC 9535; AUDIT §1.6.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar, Final

from remit.canonical import Json
from remit.errors import Error

__all__ = ["MAX_PATH", "BadPathError", "JsonPath", "json_path"]

MAX_PATH: Final = 256
"""Characters of one path."""
_REGULAR: Final = ("match", "search")
_MOST_DESCENTS: Final = 2
"""Each looks at all that lies below what the one before it found."""


class BadPathError(Error):
    """The text is no JSONPath that is read here; `detail` says where it goes wrong."""

    code: ClassVar[str] = "bad_json_path"


class JsonPath:
    """A path, compiled."""

    __slots__ = ("_find", "text")

    def __init__(self, text: str, find: Callable[[Any], Any]) -> None:
        self.text = text
        self._find = find

    def pointers(self, document: Json) -> list[str]:
        """The RFC 6901 pointers of the places it names in `document`.

        Raises:
            BadPathError: it cannot be followed there, such as to the bottom of it.
        """
        try:
            return [
                "".join([f"/{_escaped(part)}" for part in match.parts])
                for match in self._find(document)
            ]
        except (import_module("jsonpath").JSONPathError, RecursionError) as error:
            raise BadPathError(f"`{self.text}` cannot be followed", cause=error) from error


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
