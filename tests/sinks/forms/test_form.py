"""Forms by name, what fits where little is taken, and that every copy says where its record is."""

import hashlib
import json

import orjson
import pytest

from remit.audit.source import Record
from remit.sinks.forms.form import FORMS, shipment_of, stub_of
from remit.sinks.shipment import told_of
from tests.sinks.forms.test_cef import HOSTILE
from tests.sinks.made import ENTRY, record, told


def test_as_json_a_copy_is_the_record_and_hashes_to_its_leaf():
    shipment = shipment_of(told(), FORMS["json"], longest=100_000)
    content = json.loads(shipment.content)
    assert (content.pop("log"), content.pop("leaf")) == ("remit/main", shipment.leaf)
    line = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    assert line == record().line
    assert hashlib.sha256(b"\0" + line).hexdigest() == shipment.leaf


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_every_form_says_which_record_of_which_log_it_is(form):
    shipment = shipment_of(told(), form, longest=100_000)
    for said in (shipment.leaf, shipment.log, shipment.id):
        assert said.encode() in shipment.content
    assert shipment.sequence == 7
    assert shipment.tenant == "acme"
    assert shipment.trace == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_one_record_is_one_line_in_every_form(form, text):
    shipment = shipment_of(told(reason=text, name=text), form, longest=8_192)
    assert b"\n" not in shipment.content
    assert b"\r" not in shipment.content
    if form.is_json:
        assert isinstance(json.loads(shipment.content), dict)


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_what_is_too_long_loses_its_largest_fields_and_says_so(form):
    big = told(input={"note": "x" * 12_000})
    shipment = shipment_of(big, form, longest=8_192)
    assert len(shipment.content) <= 8_192
    assert b"omitted_sha256" in shipment.content
    assert b"refund" in shipment.content
    assert shipment.leaf.encode() in shipment.content


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_where_not_even_that_fits_it_says_that_it_is_and_where(form):
    entry = {**ENTRY, "agent": "a" * 500, "flow": "f" * 500, "client": "c" * 500}
    shipment = shipment_of(told(entry), form, longest=1_536)
    assert len(shipment.content) <= 1_536
    assert shipment.leaf.encode() in shipment.content
    assert shipment.id == told(entry).entry["id"]


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_stub_holds_nothing_of_what_the_record_says(form):
    stub = stub_of(told(name="Ana-Maria"), form)
    assert b"Ana-Maria" not in stub.content
    assert b"usr_1" not in stub.content
    assert stub.id.encode() in stub.content


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b"{}", b'"x"', b"\xff\xfe"])
def test_a_record_that_nobody_can_read_is_told_as_such(form, line):
    shipment = shipment_of(told_of(Record("remit/main", 3, line)), form, longest=8_192)
    assert b"unreadable" in shipment.content
    assert shipment.id == "remit/main/3"
    if form.is_json:
        json.loads(shipment.content)
