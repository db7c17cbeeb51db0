import json
from decimal import Decimal

import pytest

from remit.policy import Money, Phase
from remit.policy.cedar_request import context_json, principal_entity, resource_entities


def context(desk, **changes):
    return json.loads(context_json(desk.ask(**changes)))


@pytest.mark.parametrize(
    ("ip", "said"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_said_as_a_network_rule_means_it(desk, ip, said):
    assert context(desk, ip=ip)["ip"] == {"__extn": {"fn": "ip", "arg": said}}


def test_an_unknown_address_is_absent_and_a_wrong_one_is_an_error(desk):
    assert "ip" not in context(desk, ip=None)
    with pytest.raises(ValueError):
        context(desk, ip="10.0.0.0/8")


def test_time_is_said_in_the_tenants_zone(desk):
    desk.clock.set(1_767_567_600)  # 2026-01-04T23:00:00Z
    time = context(desk, time_zone="Europe/Berlin")["time"]
    assert (time["hour"], time["weekday"], time["date"]) == (0, "mon", "2026-01-05")
    time = context(desk, time_zone="UTC")["time"]
    assert (time["hour"], time["weekday"], time["date"]) == (23, "sun", "2026-01-04")


@pytest.mark.parametrize(
    ("value", "said"), [("5", "5.0000"), ("-0.1", "-0.1000"), ("1E+2", "100.0000")]
)
def test_a_decimal_is_said_with_four_places(desk, value, said):
    arguments = context(desk, arguments={"a": Decimal(value), "m": Money(Decimal(value), "EUR")})[
        "arguments"
    ]
    assert arguments["a"] == {"__extn": {"fn": "decimal", "arg": said}}
    assert arguments["m"] == {
        "value": {"__extn": {"fn": "decimal", "arg": said}},
        "currency": "EUR",
    }


@pytest.mark.parametrize("value", ["0.00001", "NaN", "Infinity", "1E+40"])
def test_a_decimal_that_is_not_exact_is_an_error(desk, value):
    with pytest.raises(Exception, match=r".*"):
        context(desk, arguments={"a": Decimal(value)})


def test_at_issuance_there_are_no_arguments(desk):
    assert "arguments" not in context(desk, phase=Phase.ISSUE)


def test_attributes_of_the_person_are_tags(desk):
    (entity,) = json.loads(principal_entity(desk.ask().subject))
    assert entity["tags"] == {"department": "sales"}
    assert entity["attrs"]["roles"] == ["support"]


def test_a_shared_server_has_no_tenant(desk):
    thing = json.loads(resource_entities(desk.ask().resource, "crm/get_account"))[0]
    assert "tenant" not in thing["attrs"]
    assert (
        json.loads(resource_entities(desk.refund("1").resource, "x"))[0]["attrs"]["tenant"]
        == "acme"
    )
