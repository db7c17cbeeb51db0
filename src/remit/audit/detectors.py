"""What in a text looks like a secret, a card, an account, or a way to reach somebody; and where it stands.

Told by form alone: words that nobody would take for a secret are not found. A form with a check digit is found
only where the check holds. What is encoded, or spelt with characters that only look like others,
is read as what it stands for (`spellings`); then the whole text counts as found, since there is no place to point at.
No pattern takes more than linear time in the length of what it reads.

Source: AUDIT §1.6; ISO/IEC 7812-1 (Luhn); ISO 13616 (IBAN, mod 97-10); SSA POMS RM 10201.030; E.164; RFC 7519.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_letters, digits
from types import MappingProxyType
from typing import Final

from remit.audit.numbers import CARDS_BEGIN, iban_at, is_luhn
from remit.audit.spellings import MOST_TURNS, decoded, undisguised
from remit.model import Classification

__all__ = ["DETECTORS", "MAX_SCANNED", "Found", "find", "names_a_secret", "normal_form", "scrubbed"]

MAX_SCANNED: Final = 16 * 1024
"""Characters of a text that are read; of a longer one the rest counts as found."""

_SECRET, _PAN, _PII, _FINANCIAL = (
    Classification.SECRET,
    Classification.PAN,
    Classification.PII,
    Classification.FINANCIAL,
)

DETECTORS: Final = MappingProxyType(
    {
        "private_key": (_SECRET, "PEM blocks of private keys"),
        "jwt": (_SECRET, "JSON Web Tokens, signed or encrypted"),
        "vendor_token": (_SECRET, "keys of well-known services, by their beginnings"),
        "url_password": (_SECRET, "passwords within URLs"),
        "assigned": (_SECRET, "what follows `password=`, `api_key:`, `Bearer` and the like"),
        "pan": (_PAN, "card numbers whose check digit is right"),
        "iban": (_FINANCIAL, "IBANs whose check digits are right"),
        "ssn": (_PII, "U.S. social security numbers"),
        "email": (_PII, "e-mail addresses"),
        "phone": (_PII, "telephone numbers, international or North American"),
        "encoded": (
            _SECRET,
            "any of these in base64, hexadecimal, percent-encoding or escapes, up to three times over",
        ),
        "disguised": (
            _SECRET,
            "any of these in characters that look like others, or with some that nobody sees",
        ),
    }
)
"""Each by its name, the class of what it finds, and what that is."""

_NONE: Final[frozenset[str]] = frozenset()
_OURS: Final = "tok1."
_LONGEST_FORM: Final = 512
_SHORTEST_CARD: Final = 13
_FEWEST_DIGITS: Final = 8
_AFTER_NAMES: Final = " \t\r\n\"'"

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^-]*(?:-----END[A-Z0-9 ]{0,50}-----)?"
)
_JWT = re.compile(r"(?<![\w-])ey[JK][\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*){0,3}")
_URL_PASSWORD = re.compile(r"://(?P<is>[^\s/@:?#]{0,128}:[^\s/@?#]{1,256})@")
_SIGN = re.compile(r"""[=:](?<=[dwentlsypvcDWENTLSYPVC"'\s][=:])""")
"""Where something may be given to a name: the last letters of those below, a quote or a space before it."""
_VALUE = re.compile(r"""\s{0,4}["']?(?P<is>[^\s"'&,;<>]{4,512})""")
_SECRET_NAMES: Final = (
    "pass", "password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential", "credentials",
    *(f"{what}{between}key" for what in ("api", "access", "account", "private") for between in ("", "_", "-", " ")),
    "signature", "authorization", "otp", "pin", "cvv", "cvc",
)  # fmt: skip
_PRESENTED = re.compile(r"(?:bearer|basic|dpop)\s{1,4}(?P<is>[\w.~+/-]{8,}=*)")
_BY_BEGINNING: Final = tuple(
        (beginning, re.compile(f"{re.escape(beginning)}{rest}"))
        for beginnings, rest in (
            (("AKIA", "ASIA", "AROA", "AIDA"), "[0-9A-Z]{16}"),
            (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "[A-Za-z0-9]{30,}"),
            (("github_pat_",), r"\w{22,}"),
            (("glpat-", "dckr_pat_", "hvs.", "ya29.", "eyJrIjoi"), r"[\w-]{20,}"),
            (("xoxa-", "xoxb-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"), r"[\w.-]{10,}"),
            (("sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_"), r"\w{10,}"),
            (("whsec_",), r"[\w+/=-]{16,}"),
            (("sk-",), r"(?<![A-Za-z0-9]sk-)[\w-]{20,}"),
            (("AIza",), r"[\w-]{30,}"),
            (("npm_", "lin_api_", "ntn_"), r"\w{30,}"),
            (("pypi-",), r"[\w-]{16,}"),
            (("SG.",), r"(?<![A-Za-z0-9]SG\.)[\w-]{16,256}\.[\w-]{16,}"),
            (("hf_",), r"(?<![A-Za-z0-9]hf_)[A-Za-z]{30,}"),
            (("dop_v1_",), "[0-9a-f]{32,}"),
            (("shpat_", "shpss_", "shpca_", "shppa_"), "[0-9a-fA-F]{32}"),
            (("AGE-SECRET-KEY-1",), "[0-9A-Z]{40,}"),
            (("SK",), "(?<![A-Za-z0-9]SK)[0-9a-f]{32}"),
            (("sq0",), r"[a-z]{3}-[\w-]{20,}"),
            (("EAACEdEose0cBA",), r"\w+"),
        )
        for beginning in beginnings
)  # fmt: skip
_VENDORS: Final = MappingProxyType(
    {
        mark: tuple(
            [
                one
                for one in _BY_BEGINNING
                if mark == ("_" if "_" in one[0] else "-" if "-" in one[0] else "")
            ]
        )
        for mark in ("_", "-", "")
    }
)
"""By a character in the beginning, so that a text without it need not be looked through for each."""
_FIGURES = re.compile(r"[+(0-9][0-9 ().\-/_\t\r\n]{6,}[0-9]")
"""Where there may be a number, quickly; `_NUMBER` is what one looks like."""
_NUMBER = re.compile(
    r"[+(0-9](?<![A-Za-z0-9][+(0-9])[0-9]?(?:[ ().\-/_\t\r\n]{0,2}[0-9]){7,30}(?![A-Za-z0-9])"
)
_NO_DIGITS: Final = str.maketrans("", "", " +().-/_\t\r\n")
_SSN = re.compile(
    r"(?<![0-9])(?:(?!000|666)[0-8][0-9]{2})([- ])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![0-9])"
)
_SSN_NAMED = re.compile(
    r"(?i)(?:ssn|social security)[^0-9]{0,20}(?P<is>(?!000|666)[0-8][0-9]{8})(?![0-9])"
)
_PHONE = re.compile(
    r"\+[1-9][0-9](?:[ ().-]{0,2}[0-9]){5,12}|(?<![0-9])(?:\+?1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}([ .-]))[2-9][0-9]{2}[ .-][0-9]{4}(?![0-9])"
)
_IBAN = re.compile(
    r"[0-9](?<=[A-Za-z]{2}[0-9])(?<![A-Za-z0-9][A-Za-z]{2}[0-9])[0-9](?: ?[A-Za-z0-9]){11,30}"
)
"""From its first digit on, which is rarer than letters are."""
_MAIL_NAME: Final = ascii_letters + digits + "._%+-"
_MAIL_HOST = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62}){1,8}"
)
_DIGIT = re.compile(r"[0-9]")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a text, from `start` to `end`, and by what it was found."""

    detector: str
    classification: Classification
    start: int
    end: int


def find(text: str, *, off: frozenset[str] = _NONE) -> tuple[Found, ...]:
    """What there is in `text`, in order and apart from each other. `off` are the names of detectors that are not asked."""
    if len(text) < 8:
        return ()
    if len(text) > MAX_SCANNED:
        seen = find(text[:MAX_SCANNED], off=off)
        # What begins before the end and goes on beyond it is not seen: so much of the end goes too.
        start = max(MAX_SCANNED - _LONGEST_FORM, seen[-1].end if seen else 0)
        return (*seen, Found("encoded", _SECRET, start, len(text)))
    plain = _apart(_plain(text, off))
    hidden = _hidden(_without(text, plain), off)
    return plain if hidden is None else (Found(*hidden, 0, len(text)),)


def scrubbed(text: str, *, off: frozenset[str] = _NONE) -> str:
    """`text` with `[class]` where something was found: for words of which nobody needs to match what they held."""
    found = find(text, off=off)
    return text if not found else _replaced(text, found)


def normal_form(text: str, found: Found) -> str:
    """The one spelling of all that write the same thing: so that the same address has the same token."""
    value = text[found.start : found.end]
    match found.detector:
        case "email":
            return value.lower()
        case "iban":
            return value.replace(" ", "").upper()
        case "pan" | "ssn":
            return "".join(_DIGIT.findall(value))
        case "phone":
            digits = "".join(_DIGIT.findall(value))
            return f"+{digits}" if value.startswith("+") or len(digits) != 10 else f"+1{digits}"
        case _:
            return value


def _replaced(text: str, found: Iterable[Found]) -> str:
    parts: list[str] = []
    place = 0
    for one in found:
        parts += (text[place : one.start], f"[{one.classification._value_}]")
        place = one.end
    return "".join((*parts, text[place:]))


def _plain(text: str, off: frozenset[str]) -> Iterator[Found]:
    """What stands there as it is. Each pattern is tried only where something it needs occurs at all."""
    if "PRIVATE KEY" in text:
        yield from _matches("private_key", _PRIVATE_KEY, text, off)
    if "eyJ" in text or "eyK" in text:
        yield from _matches("jwt", _JWT, text, off)
    if "vendor_token" not in off:
        for mark, vendors in _VENDORS.items():
            if mark in text:
                for beginning, pattern in vendors:
                    if beginning in text:
                        yield from _matches("vendor_token", pattern, text, off)
    if "://" in text and "@" in text:
        yield from _matches("url_password", _URL_PASSWORD, text, off)
    if "assigned" not in off:
        yield from _assigned(text)
    if "@" in text and "email" not in off:
        yield from _mails(text)
    if _DIGIT.search(text) is not None:
        yield from _numbers(text, off)


def _numbers(text: str, off: frozenset[str]) -> Iterator[Found]:
    if "iban" not in off:
        for match in _IBAN.finditer(text):
            start = match.start() - 2
            length = iban_at(text[start : match.end()])
            if length:
                yield Found("iban", _FINANCIAL, start, start + length)
    for figures in _FIGURES.finditer(text):
        if len(figures.group().translate(_NO_DIGITS)) >= _FEWEST_DIGITS:
            for match in _NUMBER.finditer(text, figures.start(), figures.end() + 1):
                yield from _in_number(match.group(), match.start(), off)
    if "ssn" not in off:
        lowered = text.lower()
        if "ssn" in lowered or "social security" in lowered:
            yield from _matches("ssn", _SSN_NAMED, text, off)


def _in_number(run: str, start: int, off: frozenset[str]) -> Iterator[Found]:
    if "pan" not in off and len(run) >= _SHORTEST_CARD:
        yield from _cards(run, start)
    if run.isdigit():  # the others have something in between, or before
        return
    for detector, pattern in (("ssn", _SSN), ("phone", _PHONE)):
        if detector not in off:
            for one in pattern.finditer(run):
                yield Found(detector, _PII, start + one.start(), start + one.end())


def _cards(run: str, start: int) -> Iterator[Found]:
    """Cards among the groups of digits in `run`, which begins at `start`: what stands before one may be another number."""
    groups = list(_DIGITS.finditer(run))
    for first, begin in enumerate(groups):
        if run[begin.start()] not in CARDS_BEGIN:
            continue
        number = ""
        for group in groups[first:]:
            number += group.group()
            if len(number) > 19:
                break
            if is_luhn(number):
                yield Found("pan", _PAN, start + begin.start(), start + group.end())
                break


def _assigned(text: str) -> Iterator[Found]:
    done = 0
    for match in _SIGN.finditer(text):
        begin = match.start()
        if begin < done:
            continue
        name = text[max(0, begin - 24) : begin].rstrip(_AFTER_NAMES).lower()
        value = _VALUE.match(text, begin + 1) if name.endswith(_SECRET_NAMES) else None
        if value is None:
            continue
        start, done = value.span("is")
        # After a colon stand words of prose as well, and values only sometimes.
        if text[begin] == "=" or (done - start > 5 and _DIGIT.search(text, start, done)):
            yield from _secret(text, start, done)
    lowered = text.lower()
    if len(lowered) == len(text) and (
        "bearer" in lowered or "basic" in lowered or "dpop" in lowered
    ):
        for match in _PRESENTED.finditer(lowered):
            start, end = match.span("is")
            if _DIGIT.search(text, start, end):
                yield from _secret(text, start, end)


def _secret(text: str, start: int, end: int) -> Iterator[Found]:
    if not text.startswith(_OURS, start):
        yield Found("assigned", _SECRET, start, end)


def _mails(text: str) -> Iterator[Found]:
    place = text.find("@")
    while place >= 0:
        before = text[max(0, place - 64) : place]
        start = place - len(before) + len(before.rstrip(_MAIL_NAME))
        host = _MAIL_HOST.match(text, place + 1)
        if start < place and host is not None:
            yield Found("email", _PII, start, host.end())
        place = text.find("@", place + 1)


def _matches(
    detector: str, pattern: "re.Pattern[str]", text: str, off: frozenset[str]
) -> Iterator[Found]:
    if detector in off:
        return
    classification = DETECTORS[detector][0]
    for match in pattern.finditer(text):
        start, end = match.span(match.lastgroup or 0)
        if not text.startswith(_OURS, start):
            yield Found(detector, classification, start, end)


def _apart(found: Iterable[Found]) -> tuple[Found, ...]:
    """Those that begin first; of what overlaps the one before it, only what lies beyond."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
        elif one.end > kept[-1].end:
            last = kept[-1]
            kept[-1] = Found(last.detector, last.classification, last.start, one.end)
    return tuple(kept)


def _without(text: str, found: tuple[Found, ...]) -> str:
    for one in reversed(found):
        text = f"{text[: one.start]} {text[one.end :]}"
    return text


def _hidden(text: str, off: frozenset[str]) -> tuple[str, Classification] | None:
    """By what something is found that `text` holds in another spelling, and its class."""
    waiting = [("", text, 0)]
    while waiting:
        detector, said, turn = waiting.pop()
        if turn:
            for one in _plain(said, off):
                return detector, one.classification
        if turn == MOST_TURNS:
            continue
        if "encoded" not in off:
            waiting += [(detector or "encoded", one, turn + 1) for one in decoded(said)]
        if "disguised" not in off and not (said.isascii() and said.isprintable()):
            shown = undisguised(said)
            if shown is None:
                return detector or "disguised", _SECRET
            if shown != said:
                waiting.append((detector or "disguised", shown, turn + 1))
    return None


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_NAME = re.compile(
    r"(?:.*[_. -])?(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|(?:api|access|account|private)[_ -]?key|apikey"
    r"|signature|authorization|otp|pin|cvv|cvc|ssn|iban|(?:card|account)[_ -]?number)"
)


@lru_cache(maxsize=4_096)
def names_a_secret(name: str) -> bool:
    """Whether a member of that name holds one: `password`, `apiKey`, `card_number`. Names of more than 40 characters say nothing."""
    return len(name) <= 40 and _SECRET_NAME.fullmatch(_CAMEL.sub("_", name).lower()) is not None
