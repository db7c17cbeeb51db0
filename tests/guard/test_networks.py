"""Where a call comes from has the names that the catalog gives it, told from the peer's address alone."""

from dataclasses import replace

import pytest

from remit.audit.context import Context, Network
from remit.guard import Deny, Permit
from remit.guard.networks import NetworkNames, Zones
from remit.policy import CedarEngine, PolicySource

NAMES = NetworkNames(
    {
        "vpn": ("198.51.100.0/24", "2001:db8::/32"),
        "office": ("192.0.2.0/24",),
        "desk": ("192.0.2.7/32",),
    }
)


@pytest.mark.parametrize(
    ("ip", "names"),
    [
        ("192.0.2.1", ("office",)),
        ("192.0.2.7", ("desk", "office")),
        ("::ffff:192.0.2.7", ("desk", "office")),
        ("2001:db8::1", ("vpn",)),
        ("2001:db8::1%eth0", ("vpn",)),
        ("203.0.113.1", ()),
        ("not an address", ()),
        ("192.0.2.1, 198.51.100.1", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_an_address_is_in_every_network_that_has_it(ip, names):
    for _ in range(2):  # asked again, it is told from memory
        assert NAMES.of(ip) == names


def test_where_no_networks_are_declared_nobody_is_in_one():
    assert NetworkNames({}).of("192.0.2.1") == ()


def test_more_addresses_than_are_remembered_are_told_right():
    names = NetworkNames({"ten": ("10.0.0.0/8",)})
    for number in range(8_200):
        assert names.of(f"10.0.{number // 256}.{number % 256}") == ("ten",)
    assert names.of("11.0.0.1") == ()


@pytest.mark.parametrize(
    ("ip", "outcome"), [("192.0.2.1", Permit), ("198.51.100.1", Deny), (None, Deny)]
)
async def test_a_policy_asks_where_a_call_comes_from(world, ip, outcome):
    world.directory.catalog = replace(
        world.directory.catalog, networks={"office": ("192.0.2.0/24",)}
    )
    text = (
        '@id("all") permit(principal, action, resource);'
        '@id("office") forbid(principal, action in Remit::Action::"call", resource)'
        ' unless { context.networks.contains("office") };'
    )
    engine = CedarEngine.load([PolicySource(text, "policies/x.cedar")], world.directory.catalog)
    world.decisions.publish(engine)
    call = world.call(context=Context(network=Network(ip, "agent/1")))
    assert isinstance(await world.guard.decide(call), outcome)


async def test_other_ranges_hold_as_soon_as_the_catalog_does(world):
    text = (
        '@id("office") permit(principal, action in Remit::Action::"call", resource)'
        ' when { context.networks.contains("office") };'
    )
    catalogs = [
        replace(world.directory.catalog, networks={"office": (one,)})
        for one in ("192.0.2.0/24", "198.51.100.0/24")
    ]
    engine = CedarEngine.load([PolicySource(text, "policies/x.cedar")], catalogs[0])
    world.decisions.publish(engine)
    for catalog, outcome in zip(catalogs, (Permit, Deny), strict=True):
        world.directory.catalog = catalog
        assert isinstance(await world.guard.decide(world.call()), outcome)


def test_the_log_has_the_networks_of_the_catalog_in_force(world):
    zones = Zones(world.directory)
    assert zones.of("192.0.2.7") == ()
    world.directory.catalog = replace(world.directory.catalog, networks={"vpn": ("192.0.2.0/24",)})
    assert zones.of("192.0.2.7") == ("vpn",)
    assert zones.of("203.0.113.1") == zones.of(None) == ()
    world.directory.catalog = replace(world.directory.catalog, networks={"den": ("192.0.2.0/24",)})
    assert zones.of("192.0.2.7") == ("den",)
    many = {f"n{number}": ("192.0.2.0/24",) for number in range(40)}
    world.directory.catalog = replace(world.directory.catalog, networks=many)
    assert len(zones.of("192.0.2.7")) == 16
