"""Networks are ranges that somebody answers for, by names that policies know."""

import pytest
from pydantic import TypeAdapter, ValidationError

from remit.repository.networks_section import Networks, networks_of

ADAPTER = TypeAdapter(Networks)


def test_ranges_are_kept_by_name_and_in_one_form():
    given = {"office": ["10.0.0.0/8", "2001:DB8::/32"], "desk": ["192.0.2.7"]}
    assert networks_of(ADAPTER.validate_python(given)) == {
        "office": ("10.0.0.0/8", "2001:db8::/32"),
        "desk": ("192.0.2.7/32",),
    }


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("10.0.0.5/8", "does not begin with the first address"),
        ("0.0.0.0/0", "every address there is"),
        ("::/0", "every address there is"),
        ("10.0.0.0/33", "no range of addresses"),
        ("office", "no range of addresses"),
        ("::ffff:10.0.0.0/104", "IPv4 written as IPv6"),
        ("::ffff:0:0/96", "IPv4 written as IPv6"),
        ("::ffff:10.1.2.3", "IPv4 written as IPv6"),
        ("fe80::%eth0/64", "no range of addresses"),
        ("", "no range of addresses"),
    ],
)
def test_what_is_no_range_is_refused(value, said):
    with pytest.raises(ValidationError, match=said):
        ADAPTER.validate_python({"office": [value]})


@pytest.mark.parametrize(
    "given", [{"office": []}, {"The Office": ["10.0.0.0/8"]}, {"office": "10.0.0.0/8"}]
)
def test_a_network_has_a_name_and_a_range(given):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(given)
