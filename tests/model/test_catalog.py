"""Which engine elsewhere permits calls: the server's own word, then the tenant's; of Remit's own management nobody."""

from dataclasses import replace
from types import MappingProxyType

from remit.model import MANAGEMENT, EngineKind, ExternalEngine
from remit.testing.catalog import ACME, CRM, GLOBEX, small_catalog, with_server


def catalog_with(server=None, tenant=None):
    catalog = small_catalog()
    catalog = with_server(catalog, replace(catalog.servers[CRM], engine=server))
    tenants = {**catalog.tenants, ACME: replace(catalog.tenants[ACME], engine=tenant)}
    engines = {name: ExternalEngine(name=name, kind=EngineKind.PLUGIN) for name in ("one", "two")}
    return replace(catalog, tenants=MappingProxyType(tenants), engines=MappingProxyType(engines))


def test_without_a_word_the_repository_s_policies_permit():
    catalog = catalog_with()
    assert catalog.engine_for(catalog.servers[CRM], ACME) is None


def test_a_tenant_s_word_is_for_its_own_people():
    catalog = catalog_with(tenant="one")
    assert catalog.engine_for(catalog.servers[CRM], ACME).name == "one"
    assert catalog.engine_for(catalog.servers[CRM], GLOBEX) is None


def test_a_server_s_word_counts_before_a_tenant_s():
    catalog = catalog_with(server="two", tenant="one")
    assert catalog.engine_for(catalog.servers[CRM], ACME).name == "two"
    assert catalog.engine_for(catalog.servers[CRM], GLOBEX).name == "two"


def test_nobody_elsewhere_permits_the_management_of_remit_itself():
    assert catalog_with(tenant="one").engine_for(MANAGEMENT, ACME) is None
