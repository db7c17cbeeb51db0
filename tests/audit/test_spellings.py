import base64

import pytest

from remit.audit.spellings import decoded, undisguised

_WORDS = "ann.smith@example.com"


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(_WORDS.encode()).decode(),
        base64.urlsafe_b64encode(f"??>{_WORDS}".encode()).decode().rstrip("="),
        base64.b64encode(b"\xff\x00\x01" + _WORDS.encode() + b"\x00\xff").decode(),
        base64.b64encode(f"ü {_WORDS}".encode()).decode(),
        "ab" + base64.b64encode(_WORDS.encode()).decode(),
        "/files/7/" + base64.b64encode(_WORDS.encode()).decode(),
        "+" + base64.b64encode(_WORDS.encode()).decode(),
        base64.encodebytes(_WORDS.encode() * 5).decode(),
        _WORDS.encode().hex(),
        _WORDS.encode().hex().upper(),
        "0x" + _WORDS.encode().hex(),
        "id_" + _WORDS.encode().hex() + "-z",
        _WORDS.encode().hex(":"),
        _WORDS.encode().hex(" "),
        "".join(f"%{octet:02X}" for octet in _WORDS.encode()),
        "".join(f"&#{ord(one)};" for one in _WORDS),
        "".join(f"&#x{ord(one):x};" for one in _WORDS),
        "".join(f"\\u{ord(one):04x}" for one in _WORDS),
        "".join(f"\\u{{{ord(one):x}}}" for one in _WORDS),
        "".join(f"\\x{ord(one):02x}" for one in _WORDS),
        "".join(f"={ord(one):02X}" for one in _WORDS),
    ],
    ids=[
        "base64", "base64url", "among_octets", "not_ascii", "off_by_two", "in_a_path", "after_a_plus", "lines", "hex",
        "upper_hex", "prefixed_hex", "hex_in_a_name", "colons", "spaces", "percent", "entities", "hex_entities",
        "json", "braces", "escapes", "quoted_printable",
    ],
)  # fmt: skip
def test_what_is_encoded_is_read_wherever_it_begins(text):
    assert any(_WORDS in one for one in decoded(text))


@pytest.mark.parametrize(
    "text",
    ["", "plain words of no length", "af09" * 16, "01J9XWQ2M5N8P3R6T9V2X5Z8B1", "100% of it; a=b", "2026-11-22"],
)  # fmt: skip
def test_what_stands_for_nothing_is_read_as_nothing(text):
    assert list(decoded(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "\u200b".join(_WORDS),
        "\u2060".join(_WORDS),
        "\xad".join(_WORDS),
        "\ufe0f".join(_WORDS),
        "\U000e0020".join(_WORDS),
        "\u0301".join(_WORDS),
        "\u2800".join(_WORDS),
        "\x00".join(_WORDS),
        "\x08".join(_WORDS),
        "".join(chr(ord(one) + 0xFEE0) for one in _WORDS),
        _WORDS.replace("a", "а").replace("e", "е"),  # noqa: RUF001  that is the point
    ],
)
def test_what_nobody_sees_is_gone_and_what_looks_alike_is_the_same(text):
    assert undisguised(text) == _WORDS


def test_of_many_different_characters_each_is_seen():
    text = "".join(chr(0x3041 + number) for number in range(64)) + "".join(
        chr(0xFF10 + number) for number in range(10)
    )
    assert undisguised(text).endswith("0123456789")


def test_what_stands_for_far_more_than_it_is_is_not_read():
    assert undisguised("\ufdfa" * 1_000) is None
    assert undisguised("peace \ufdfa upon them") is not None


def test_what_is_plain_stays_the_same():
    assert undisguised("ann@example.com\n\t") == "ann@example.com\n\t"
