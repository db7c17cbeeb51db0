"""What a text says in another spelling: base64, hexadecimal, escapes, characters that only look like others.

Of what is encoded, the stretches that are printable ASCII are read, wherever in a run they begin, and what they say is
read again, to a few turns: who encodes twice by accident is found, and who hides on purpose has other ways. Nothing
here takes more than linear time in the length of what it reads.

Source: RFC 4648; RFC 3986 §2.1; RFC 2045 §6.7; UAX #15 (NFKC); UTS #39 for what looks alike.
"""

import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

__all__ = ["MOST_TURNS", "decoded", "undisguised"]

MOST_TURNS: Final = 3
"""How often something may be encoded and still be read."""

_TEXT: Final = re.compile(rb"[\t\n\r -~]{8,}")
# Each group of four is three printable characters, so that random ones are hardly ever read: see RFC 4648 §4.
_GROUP: Final = (
    "[I-Za-f][C-HS-Xi-nyz0-3](?:[AEIMQUYcgkosw048][g-z0-9+/_-]|[BFJNRVZdhlptx159][A-Za-z0-9+/_-])"
)
_BASE64: Final = re.compile(rf"(?:{_GROUP}\n?){{3,}}[A-Za-z0-9+/_-]{{0,3}}")
_SHORTEST_WORD: Final = 12
_HEX: Final = re.compile(r"(?:[2-7][0-9A-Fa-f]){8,}")
_SPACED_HEX: Final = re.compile(r"[2-7][0-9A-Fa-f](?:[ :,-](?:0x)?[2-7][0-9A-Fa-f]){7,}")
_PAIR: Final = re.compile(r"[2-7][0-9A-Fa-f]")
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_QUOTED: Final = re.compile(r"=([2-7][0-9A-F])")
_ESCAPED: Final = re.compile(r"\\(?:u\{?0{0,4}|x|U0000)([0-9A-Fa-f]{2,4})\}?")
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TO_STANDARD: Final = str.maketrans("-_", "+/", "\n")

_LOOK_ALIKES: Final = str.maketrans(
    "АВЕКМНОРСТУХаеорсухіјѕһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανρτυικ∕⁄‐‑‒–—―−․。．＠﹫∶：ꓸ",  # noqa: RUF001  that is the point
    "ABEKMHOPCTYXaeopcyxijshdqwABEZHIKMNOPTYXoavptuik//-------...@@::.",
)
_BLANK: Final = "\u115f\u1160\u3164\uffa0\u2800"
_MOST_GROWTH: Final = 4
_SOME: Final = 256
_FEW: Final = 32


def decoded(text: str) -> Iterator[str]:
    """What `text`, or a part of it, stands for where it is encoded, one turn."""
    if "%" in text and _PERCENT.search(text) is not None:
        yield unquote(text)
    if "&#" in text:
        yield html.unescape(text)
    if "\\" in text and _ESCAPED.search(text) is not None:
        yield _ESCAPED.sub(_character, text)
    if "=" in text and _QUOTED.search(text) is not None:
        yield _QUOTED.sub(_character, text)
    yield from _long_words(text)
    for match in _HEX.finditer(text):
        yield from _texts(bytes.fromhex(match.group()))
    for match in _SPACED_HEX.finditer(text):
        yield from _texts(bytes.fromhex("".join(_PAIR.findall(match.group().replace("0x", "")))))


def _long_words(text: str) -> Iterator[str]:
    """What words say that are long enough to be base64; one may go on in the next line."""
    words = "\n".join([word for word in text.split() if len(word) >= _SHORTEST_WORD])
    if not words:
        return
    for match in _BASE64.finditer(words):
        yield from _texts(_from_base64(match.group()))


def undisguised(text: str) -> str | None:
    """`text` with every character as the one that it looks like, and without those that nobody sees.

    `None`: it is made of characters that stand for many each, and nobody writes so.
    """
    if text.isascii():
        return text if text.isprintable() else _UNSEEN.sub("", text)
    seen, foreign = text, set(_FOREIGN.findall(text))
    if len(foreign) > _FEW:
        seen = _FOREIGN.sub(lambda match: _as_seen(match.group()), text)
    else:
        for character in foreign:
            seen = seen.replace(character, _as_seen(character))
    if len(seen) > _MOST_GROWTH * len(text) + _SOME:
        return None
    return seen if seen.isprintable() else _UNSEEN.sub("", seen)


def _from_base64(run: str) -> bytes:
    whole = run.translate(_TO_STANDARD)
    whole = whole[: len(whole) - (len(whole) % 4 == 1)]
    return binascii.a2b_base64(whole + "=" * (-len(whole) % 4))


def _texts(data: bytes) -> Iterator[str]:
    for match in _TEXT.finditer(data):
        yield match.group().decode()


def _character(match: "re.Match[str]") -> str:
    return chr(int(match.group(1), 16))


@lru_cache(maxsize=8_192)
def _as_seen(character: str) -> str:
    """One that is not ASCII as what it looks like: several, one, or nothing."""
    plain = unicodedata.normalize("NFKC", character.translate(_LOOK_ALIKES))
    plain = unicodedata.normalize("NFD", plain.translate(_LOOK_ALIKES))
    return "".join([_plainly(one) for one in plain])


def _plainly(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in {"Cf", "Cc", "Mn", "Me"} or character in _BLANK:
        return ""
    return " " if category == "Zs" else character
