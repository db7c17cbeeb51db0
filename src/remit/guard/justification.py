"""Why a call is made, in the caller's own words: where it stands in a request, and what may stand there.

A door reads it: an MCP client says it in `_meta["dev.remit/justification"]` of the request, in both eras; another
gateway in `context.justification` of its question. It proves nothing; policies may demand it, compare it, and the log
keeps that it was given.

Refused: what `remit.model.justification` says is none. So is what a policy might read and a person could not.

Source: MISSION B7; MCP 2026-07-28, `_meta` (keys with a prefix).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from remit.canonical import Json, canonical_text
from remit.errors import Error
from remit.model.approvals import JustificationField
from remit.model.justification import LONGEST, fitting, justification_text, told_in

__all__ = [
    "JUSTIFICATION_KEY",
    "LONGEST",
    "InvalidJustificationError",
    "justification_of",
    "told_by_name",
    "told_to_policies",
]

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


def told_to_policies(
    text: str | None, consented: str | None, fields: Mapping[str, JustificationField]
) -> str | None:
    """What policies are told of `text`, and of what the token's own details say; `None` for nothing.

    The call's own word counts before what was consented to. Where the repository declares what a justification looks
    like, they are told by their names, and what is not as it is declared counts as not told.
    """
    if text is None and consented is None:
        return None
    if not fields and (text is None or consented is None):
        return text or consented
    told = fitting({**told_in(consented), **told_in(text)}, fields)
    return canonical_text(dict(told)) if told else None


def told_by_name(
    text: str | None, fields: Mapping[str, JustificationField]
) -> Mapping[str, str] | None:
    """What of `text` is declared in `fields`, and as it is declared, by its name; `None` for nothing."""
    if text is None or not fields:
        return None
    told = {name: one for name, one in fitting(told_in(text), fields).items() if name in fields}
    return MappingProxyType(told) if told else None
