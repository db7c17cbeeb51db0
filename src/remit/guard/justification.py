"""Why a call is made, in the caller's own words: where it stands in a request, and what may stand there.

A door reads it: an MCP client says it in `_meta["dev.remit/justification"]` of the request, in both eras; another
gateway in `context.justification` of its question. It proves nothing; policies may demand it, compare it, and the log
keeps that it was given.

Refused: what `remit.model.justification` says is none. So is what a policy might read and a person could not.

Source: MISSION B7; MCP 2026-07-28, `_meta` (keys with a prefix).
"""

from typing import ClassVar, Final

from remit.canonical import Json
from remit.errors import Error
from remit.model.justification import LONGEST, justification_text

__all__ = ["JUSTIFICATION_KEY", "LONGEST", "InvalidJustificationError", "justification_of"]

JUSTIFICATION_KEY: Final = "dev.remit/justification"


class InvalidJustificationError(Error):
    """What stands in its place is no justification; `detail` does not repeat it."""

    code: ClassVar[str] = "invalid_justification"


def justification_of(value: Json) -> str | None:
    """The justification that `value` is, a line or an object of lines, as the one text that is kept; `None` for none.

    Raises:
        InvalidJustificationError: it is something else.
    """
    if value is None:
        return None
    text = justification_text(value)
    if text is None:
        raise InvalidJustificationError(
            f"the justification is neither one line of 1 to {LONGEST} printable characters that say something, "
            "nor an object of such lines"
        )
    return text
