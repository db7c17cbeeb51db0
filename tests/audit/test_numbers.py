import pytest

from remit.audit.numbers import iban_at, is_iban, is_luhn


@pytest.mark.parametrize(
    "card",
    ["4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "4222222222222"],
)
def test_a_card_number_checks(card):
    assert is_luhn(card)


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111112",
        "0000000000000000",
        "1700000000008",
        "41111111",
        "41111111111111111111",
        "9999999999999995",
        "2222222222222",
    ],
)
def test_what_does_not_check_or_begins_as_no_card_does_is_none(number):
    assert not is_luhn(number)


@pytest.mark.parametrize(
    "account", ["GB82WEST12345698765432", "DE89370400440532013000", "no9386011117947"]
)
def test_an_iban_checks(account):
    assert is_iban(account)


@pytest.mark.parametrize(
    "account",
    [
        "GB82WEST12345698765431",
        "ZZ82WEST12345698765432",
        "DE8937040044053201300",
        "DE89_37040044053201300",
    ],
)
def test_what_has_another_check_length_or_country_is_no_iban(account):
    assert not is_iban(account)


def test_an_iban_within_other_words_ends_where_its_country_says():
    assert iban_at("GB82 WEST 1234 5698 7654 32 and more") == len("GB82 WEST 1234 5698 7654 32")
    assert iban_at("GB82 WEST 1234 5698 7654 33 and more") == 0
    assert iban_at("GB82 WEST") == 0
