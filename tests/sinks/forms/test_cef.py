r"""One record in, one line out, whatever somebody had written into it."""

import re

import pytest

from remit.sinks.forms.cef import cef_of
from tests.sinks.made import ENTRY, told

HOSTILE = {
    "newline": "a\nCEF:0|Evil|Evil|1|x|y|10|suser=root",
    "return": "a\r\nb",
    "ansi": "\x1b[31mred\x1b[0m",
    "pipe": "a|b|c",
    "equals": "act=allowed outcome=allow",
    "backslash": "a\\|b\\=c\\\\",
    "right-to-left": "abc\u202edcba",
    "separator": "a\u2028b\u2029c\x85d",
    "null": "a\0b",
    "long": "x" * 1_000_000,
}


def parsed(line):
    """The head, unescaped, and the extension, as a receiver reads them."""
    fields, rest, current, escaped = [], line, "", False
    for place, character in enumerate(line):
        if escaped:
            current, escaped = current + character, False
        elif character == "\\":
            escaped = True
        elif character == "|":
            fields.append(current)
            current = ""
            if len(fields) == 7:
                rest = line[place + 1 :]
                break
        else:
            current += character
    keys = list(re.finditer(r"(?:^|\s)(\w+)(?<!\\)=", rest))
    extension = {}
    for one, following in zip(keys, [*keys[1:], None], strict=True):
        end = following.start() if following else len(rest)
        extension[one[1]] = re.sub(r"\\([\\=])", r"\1", rest[one.end() : end])
    return fields, extension


def test_a_decision_is_one_line_that_reads_back():
    head, extension = parsed(cef_of(told()))
    assert head == ["CEF:0", "Remit", "Remit", "0.1.0", "decision", "decision deny policy", "5"]
    assert extension["rt"] == "1795366800123"
    assert extension["suid"] == "usr_1"
    assert extension["src"] == "192.0.2.7"
    assert (extension["cn1Label"], extension["cn1"]) == ("sequence", "7")
    assert (extension["cs1Label"], extension["cs1"]) == ("leaf", told().leaf)
    assert extension["destinationServiceName"] == "payments"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_nothing_that_somebody_wrote_ends_the_line_or_a_field(text):
    entry = {
        **ENTRY,
        "kind": "decision",
        "net": {"ip": text, "ua": text},
        "agent": text,
        "body": {**ENTRY["body"], "reason": text, "name": text, "server": text},
    }
    line = cef_of(told(entry))
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    head, extension = parsed(line)
    assert len(head) == 7
    assert head[:5] == ["CEF:0", "Remit", "Remit", "0.1.0", "decision"]
    assert head[6] == "5"
    assert extension["outcome"] == "deny"
    assert extension["externalId"] == told().entry["id"]


def test_a_kind_with_a_bar_in_it_is_still_one_field():
    head, _ = parsed(cef_of(told({**ENTRY, "kind": "a|b\\c"})))
    assert head[4] == "a|b\\c"


@pytest.mark.parametrize(
    ("ip", "said", "not_said"),
    [("192.0.2.7", " src=192.0.2.7 ", "c6a2"), ("2001:db8::7", " c6a2=2001:db8::7 ", " src="),
     ("nowhere", " externalId=", " src="), (None, " externalId=", " src=")],
)  # fmt: skip
def test_an_address_stands_under_the_key_of_its_version(ip, said, not_said):
    line = cef_of(told({**ENTRY, "net": {"ip": ip, "ua": None}}))
    assert said in line
    assert not_said not in line.partition(" remitRecord=")[0]
