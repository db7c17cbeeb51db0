import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.audit.detectors import (
    DETECTORS,
    MAX_SCANNED,
    Found,
    find,
    names_a_secret,
    normal_form,
    scrubbed,
)
from remit.model import Classification

_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF"
_FOUND = [
    ("private_key", "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJB\n-----END RSA PRIVATE KEY-----"),
    ("jwt", _JWT),
    ("vendor_token", "AKIAIOSFODNN7EXAMPLE"),
    ("vendor_token", "ghp_" + "a1B2" * 9),
    ("vendor_token", "sk-ant-api03-" + "x7" * 20),
    ("pan", "4111 1111 1111 1111"),
    ("pan", "5555-5555-5555-4444"),
    ("pan", "378282246310005"),
    ("iban", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "DE89370400440532013000"),
    ("ssn", "123-45-6789"),
    ("email", "ann.smith+crm@example.co.uk"),
    ("phone", "+49 30 1234567"),
    ("phone", "(415) 555-2671"),
]
_AROUND = [("", ""), ("it is ", ", as was said"), ("«", "»"), ("12 ", "; 7"), ("a=1&to=", "&b=2")]


@pytest.mark.parametrize(("before", "after"), _AROUND)
@pytest.mark.parametrize(("detector", "text"), _FOUND)
def test_it_is_found_where_it_stands_and_nothing_else_is(detector, text, before, after):
    found = find(f"{before}{text}{after}")
    assert [(one.detector, one.start, one.end) for one in found] == [
        (detector, len(before), len(before) + len(text))
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgres://app:hunter2@db/x", "postgres://[secret]@db/x"),
        ("password=hunter2", "password=[secret]"),
        ('{"api_key": "zx91jq0042"}', '{"api_key": "[secret]"}'),
        (
            "https://crm.example/x?access_token=abcdefgh&page=2",
            "https://crm.example/x?access_token=[secret]&page=2",
        ),
        ("Authorization: Bearer abc123def456", "Authorization: Bearer [secret]"),
        ("SSN: 123456789", "SSN: [pii]"),
    ],
)
def test_what_is_called_a_secret_is_one_and_its_name_stays(text, left):
    assert scrubbed(text) == left


@pytest.mark.parametrize("text", [text for _, text in _FOUND if "\n" not in text])
@pytest.mark.parametrize(
    "spell",
    [
        lambda text: base64.b64encode(f"it is {text} again".encode()).decode(),
        lambda text: base64.urlsafe_b64encode(f"?{text}?".encode()).decode().rstrip("="),
        lambda text: f"x is {text.encode().hex()}",
        lambda text: "".join(f"%{octet:02x}" for octet in text.encode()),
        "\u200b".join,
        lambda text: "".join(chr(ord(one) + 0xFEE0) if one.isalnum() else one for one in text),
    ],
    ids=["base64", "base64url", "hexadecimal", "percent", "zero_width", "full_width"],
)
def test_in_another_spelling_it_is_found_and_the_whole_text_goes(spell, text):
    found = find(spell(text))
    assert found
    assert found[0].detector in {"encoded", "disguised"} or len(found) == 1
    assert all(part not in scrubbed(spell(text)) for part in (text, text[-6:]))


def test_letters_of_another_alphabet_hide_no_address():
    assert scrubbed("аnn@exаmple.com") == "[pii]"  # noqa: RUF001


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T10:00:00.000Z",
        "1700000000000",
        "tok1.text.abcdefghijklmnopqrstuvwxyz",
        "af09" * 16,
        "crm/search",
        "192.168.100.10:8443",
        "invoice 2026-000-1234",
        "INV-2024-0001-0002-0003",
        "https://crm.example/customers/42?page=2",
        "the token: expired",
        "secret: `crm_secret`",
        "bearer authentication is needed",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0",
        "4111111111111112",
        "GB82 WEST 1234 5698 7654 33",
        "000-12-3456",
        "Müller & Söhne GmbH",
        "日本語のテキストです",
        "@everyone look here",
        "",
    ],
)
def test_what_is_harmless_stays_as_it_is(text):
    assert find(text) == ()
    assert scrubbed(text) == text


@pytest.mark.parametrize(("detector", "text"), _FOUND)
def test_a_detector_that_is_off_finds_nothing(detector, text):
    off = frozenset({detector, "assigned", "vendor_token", "phone"})
    assert find(text, off=off) == ()


def test_a_text_that_is_too_long_to_read_is_not_kept_beyond_what_was_read():
    text = "word " * MAX_SCANNED
    kept = scrubbed(text)
    assert kept.endswith("[secret]")
    assert MAX_SCANNED - 1_024 < len(kept) < MAX_SCANNED
    card = "4111 1111 1111 1111"
    for place in range(MAX_SCANNED - 30, MAX_SCANNED + 10):
        assert "4111" not in scrubbed(text[:place] + card + text[: 3 * MAX_SCANNED])


@pytest.mark.parametrize(
    ("detector", "spellings"),
    [
        ("email", ["Ann@Example.com", "ann@example.com"]),
        ("iban", ["GB82 WEST 1234 5698 7654 32", "gb82west12345698765432"]),
        ("pan", ["4111 1111 1111 1111", "4111-1111-1111-1111"]),
        ("phone", ["(415) 555-2671", "+1 415 555 2671", "415.555.2671"]),
    ],
)
def test_every_spelling_of_one_thing_has_one_normal_form(detector, spellings):
    pii = Classification.PII
    assert len({normal_form(one, Found(detector, pii, 0, len(one))) for one in spellings}) == 1


def test_each_detector_says_what_it_finds():
    assert len(DETECTORS) == 12
    assert all(about for _, about in DETECTORS.values())


@given(st.text(max_size=400))
def test_what_is_found_lies_within_the_text_in_order_and_apart(text):
    place = 0
    for one in find(text):
        assert place <= one.start < one.end <= len(text)
        place = one.end


def _base64(text):
    return base64.b64encode(text.encode()).decode()


def _percent(text):
    return "".join(f"%{octet:02X}" for octet in text.encode())


@pytest.mark.parametrize("text", [text for _, text in _FOUND if "\n" not in text])
@pytest.mark.parametrize(
    "spell",
    [
        lambda text: _base64(_base64(text)),
        lambda text: _percent(_percent(text)),
        lambda text: _base64(_percent(text)),
        lambda text: _percent(_base64(text)),
        lambda text: _base64(text).encode().hex(),
        lambda text: _base64(_base64(_base64(text))),
        lambda text: _percent("\u200b".join(text)),
        "\x00".join,
        lambda text: f"https://crm.example/files/{_base64(text)}",
    ],
    ids=["64_64", "p_p", "64_p", "p_64", "64_hex", "three", "hidden_within", "nul", "path"],
)
def test_what_is_encoded_more_than_once_is_found_too(spell, text):
    assert find(spell(text))
    assert text[-6:] not in scrubbed(spell(text))


@pytest.mark.parametrize("text", ["4111\t1111\t1111\t1111", "4111_1111_1111_1111"])
def test_a_card_is_found_with_whatever_stands_between_its_groups(text):
    assert [one.detector for one in find(text)] == ["pan"]


@pytest.mark.parametrize(
    "name",
    ["password", "userPassword", "apiKey", "api_key", "X-Auth-Token", "db.secret", "PIN", "cvv", "cardNumber", "ssn"],
)  # fmt: skip
def test_a_name_may_say_that_its_value_is_a_secret(name):
    assert names_a_secret(name)


@pytest.mark.parametrize(
    "name", ["spin", "passenger", "tokens_used", "secretary", "note", "x" * 50 + "_pin", ""]
)
def test_a_name_that_only_has_such_letters_in_it_says_nothing(name):
    assert not names_a_secret(name)


def test_the_times_of_a_log_are_no_cards():
    for second in range(0, 86_400, 61):
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        for text in (f"2026-11-22 {clock}", f"2026-11-22T{clock}.123Z", f"20261122 {clock}.000"):
            assert find(text) == (), text
