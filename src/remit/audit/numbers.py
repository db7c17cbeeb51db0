"""Numbers that carry their own check: cards (Luhn) and bank accounts (mod 97).

Source: ISO/IEC 7812-1 annex B; ISO 13616-1 §6.
"""

from types import MappingProxyType
from typing import Final

__all__ = ["CARDS_BEGIN", "iban_at", "is_iban", "is_luhn"]

_DOUBLED: Final = bytes(48) + bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)) + bytes(198)
"""What each digit, as a byte, adds where it is doubled."""
_CARD_LENGTHS: Final = range(13, 20)
CARDS_BEGIN: Final = "23456"

# Of the countries that have them, by the length of all their IBANs.
_LENGTHS: Final = MappingProxyType(
    {
        country: length
        for length, countries in {
            15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN",
            21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL OM SO",
            24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT LY ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
            28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC",
            33: "RU",
        }.items()
        for country in countries.split()
    }
)  # fmt: skip


def is_luhn(digits: str) -> bool:
    """Whether `digits` may be a card number: of a length and beginning that cards have, with a check digit that holds."""
    if len(digits) not in _CARD_LENGTHS or digits[0] not in CARDS_BEGIN:
        return False
    if len(digits) == 13 and digits[0] != "4":
        return False  # instants in milliseconds are thirteen digits too
    number = digits.encode()
    doubled = sum(number[-2::-2].translate(_DOUBLED))
    single = sum(number[-1::-2]) - 48 * len(number[-1::-2])
    return (doubled + single) % 10 == 0 and digits.count(digits[0]) < len(digits)


def is_iban(text: str) -> bool:
    """Whether `text`, without spaces, is an IBAN of a country that has them."""
    account = text.upper()
    if len(account) != _LENGTHS.get(account[:2]) or not account.isalnum() or not account.isascii():
        return False
    number = "".join(str(int(one, 36)) for one in account[4:] + account[:4])
    return int(number) % 97 == 1


def iban_at(text: str) -> int:
    """How many characters of `text`, with the spaces in it, an IBAN takes that begins there; 0 where none does."""
    length = _LENGTHS.get(text[:2].upper())
    if length is None:
        return 0
    taken = 0
    for place, character in enumerate(text, 1):
        taken += character != " "
        if taken == length:
            return place if is_iban(text[:place].replace(" ", "")) else 0
    return 0
