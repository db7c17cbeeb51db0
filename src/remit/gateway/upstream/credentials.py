"""What a server was given to prove that it is called by us, and must not tell those who call it.

Refused: every message in which one of these secrets stands, wherever it stands, as it is or in one
of the spellings that an echo comes in: Base64 of anything it is part of, hexadecimal, percent
encoding, the escapes of JSON and HTML, backwards. A server that is hostile, or that only echoes the
headers it got when something fails, would hand the gateway's credential to a caller, who could then
go round the gateway. What a server makes of a secret otherwise (a cipher, a half of it) is not found:
who does not trust a server that far gives it no secret that opens anything else.

Source: MCP security best practices (token passthrough); RFC 4648 §4, §5, §8; RFC 3986 §2.1;
docs/reference/gateway.md.
"""

import html
import json
import logging
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from remit.canonical import Json
from remit.gateway.jsonrpc import Message
from remit.gateway.rejection import UpstreamError

__all__ = ["NO_CREDENTIALS", "Credentials", "spellings"]

_SHORTEST = 6
"""Shorter than this and it stands in half of all texts, and is nobody's secret."""
_SHORTEST_SPELLING = 8
_RARE = "~^`|\\@#$%&*+=<>{}[]!?;'ZQXJKVYWqzGUBFHPNLOMRDCSITAE987654321jxkv0()/-_bgpwyfmucdhlr"
"""What a text has seldom, the most seldom first; before all of them what is beyond ASCII."""
_PROBES = 6


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of one server's configuration, and those of one call to it."""

    secrets: tuple[str, ...] = field(default=(), repr=False)
    _wanted: "tuple[_Wanted, ...]" = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        wanted = dict.fromkeys(one for secret in self.secrets for one in spellings(secret))
        object.__setattr__(self, "_wanted", tuple((_probes(one), one) for one in wanted))

    def refuse_in(self, message: Message) -> None:
        """Refuse `message` if one of the secrets stands in it, in whatever spelling JSON gave it.

        Raises:
            UpstreamError: one does.
        """
        if self._wanted and _holds("\n".join(_texts(message.to_json())), self._wanted):
            logging.getLogger("remit.gateway.upstream").error(
                "an upstream sent the credential that it is called with; the message was withheld"
            )
            raise UpstreamError("the server's answer is withheld: it holds what is not to be told")

    def hidden_in(self, text: str, mark: str) -> str:
        """`text` with `mark` in the place of every secret."""
        for _, one in self._wanted:
            text = text.replace(one, mark)
        return mark if self._wanted and _holds(text, self._wanted) else text


NO_CREDENTIALS = Credentials()


def spellings(secret: str) -> Iterator[str]:
    """What an echo of `secret` may look like; nothing for what is too short to be one.

    Percent encoding and the escapes of HTML are undone where they are looked for, and have no spelling.
    """
    if len(secret) < _SHORTEST:
        return
    yield secret
    yield secret[::-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    raw = secret.encode()
    yield raw.hex()
    yield raw.hex().upper()
    # Of something longer that holds it, the encoding depends on where in three bytes it begins.
    for before in range(3):
        encoded = b64encode(bytes(before) + raw).decode().rstrip("=")
        whole = (before + len(raw)) * 8 // 6
        inner = encoded[-(-before * 8 // 6) : whole]
        if len(inner) >= _SHORTEST_SPELLING:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


_Wanted = tuple[tuple[str, ...], str]
"""A spelling, after those of its characters that a text is least likely to have."""


def _probes(spelling: str) -> tuple[str, ...]:
    """One character is looked for a hundred times as fast as a text: most texts lack one of these."""
    return tuple(sorted(set(spelling), key=_rank)[:_PROBES])


def _rank(character: str) -> int:
    if not character.isascii():
        return -1
    found = _RARE.find(character)
    return len(_RARE) if found < 0 else found


def _holds(text: str, wanted: Iterable[_Wanted]) -> bool:
    plain = _plain(text)
    return _any_in(text, wanted) or (plain is not None and _any_in(plain, wanted))


def _any_in(text: str, wanted: Iterable[_Wanted]) -> bool:
    for probes, one in wanted:
        for probe in probes:
            if probe not in text:
                break
        else:
            if one in text:
                return True
    return False


def _plain(text: str) -> str | None:
    """`text` without percent encoding and the escapes of HTML; `None` if there are none."""
    if "%" in text:
        text = unquote_plus(text, errors="replace")
    elif "&" not in text:
        return None
    return html.unescape(text) if "&" in text else text


def _texts(value: Json) -> list[str]:
    """Every string in `value`, and the name of every member."""
    found: list[str] = []
    waiting: list[Json] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            found.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return found
