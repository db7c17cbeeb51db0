"""Secrets of fourteen kinds, none of which anybody has: each is of a form that a detector knows, and there is no other like it."""

import base64
import json
import random
import string
from collections.abc import Callable, Iterator

from remit.audit.numbers import is_iban, is_luhn

__all__ = ["KINDS", "disguised", "planted"]

_LETTERS = string.ascii_letters + string.digits


def _some(draw: random.Random, count: int, characters: str = _LETTERS) -> str:
    # A digit at the end, since a form that asks for one has to be met.
    return "".join(draw.choices(characters, k=count - 1)) + draw.choice(string.digits)


def _card(draw: random.Random) -> str:
    while True:
        number = "4" + "".join(draw.choices(string.digits, k=15))
        if is_luhn(number):
            return number


def _account(draw: random.Random) -> str:
    rest = "".join(draw.choices(string.digits, k=18))
    return next(account for check in range(2, 99) if is_iban(account := f"DE{check:02d}{rest}"))


def _token(draw: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'ES256'})}.{part({'sub': _some(draw, 12)})}.{_some(draw, 43)}"


KINDS: dict[str, Callable[[random.Random], str]] = {
    "cloud key": lambda draw: f"AKIA{_some(draw, 16, string.ascii_uppercase)}",
    "forge token": lambda draw: f"ghp_{_some(draw, 36)}",
    "chat token": lambda draw: f"xoxb-{_some(draw, 24)}",
    "model key": lambda draw: f"sk-{_some(draw, 40)}",
    "payment key": lambda draw: f"sk_live_{_some(draw, 24)}",
    "maps key": lambda draw: f"AIza{_some(draw, 35)}",
    "web token": _token,
    "private key": lambda draw: (
        f"-----BEGIN PRIVATE KEY----- {_some(draw, 64)} -----END PRIVATE KEY-----"
    ),
    "card": _card,
    "social security number": lambda draw: (
        f"{draw.randint(100, 665)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}"
    ),
    "bank account": _account,
    "address": lambda draw: (
        f"{_some(draw, 10, string.ascii_lowercase)}@{_some(draw, 8, string.ascii_lowercase)}.example"
    ),
    "telephone": lambda draw: f"+1 415 {draw.randint(200, 999)} {draw.randint(1000, 9999)}",
    "password": lambda draw: f"https://app:{_some(draw, 14)}@db.example/x",
}


def planted(count: int = 500) -> Iterator[tuple[str, str]]:
    """`count` of them, kind after kind, the same every time."""
    draw = random.Random(20_261_122)
    names = list(KINDS)
    for number in range(count):
        kind = names[number % len(names)]
        yield kind, KINDS[kind](draw)


def disguised(value: str, way: int) -> str:
    """`value` in another spelling: base64, hexadecimal, percent-encoded, full width, or with invisible characters in it."""
    match way % 5:
        case 0:
            return base64.b64encode(value.encode()).decode()
        case 1:
            return value.encode().hex()
        case 2:
            return "".join(f"%{octet:02X}" for octet in value.encode())
        case 3:
            return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in value)
        case _:
            return "\u200b".join(value)
