"""What may be kept of an engine's error: which policy and what went wrong, not on which values.

An error quotes what it stumbled over, and that may be an argument of the call. The
log takes no argument that has not been through the redactor.
"""

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["error_text"]

_POLICY: Final = re.compile(r"policy `([^`]*)`")
_VALUE: Final = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'")
_MARK: Final = "\N{REPLACEMENT CHARACTER}"
_MAX_LENGTH: Final = 200


def error_text(text: str, names: Mapping[str, str] | None = None) -> str:
    """`text` without anything it quotes but policies, which are called by their `@id` in `names`."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append((names or {}).get(match[1], match[1]))
        return f"policy {_MARK}"

    bare = _VALUE.sub("`…`", _POLICY.sub(keep, text.replace(_MARK, "")))
    for name in kept:
        bare = bare.replace(_MARK, f"`{name}`", 1)
    return "".join(character if character.isprintable() else " " for character in bare)[
        :_MAX_LENGTH
    ]
