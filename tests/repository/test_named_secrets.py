from dataclasses import replace

from remit.model import HttpUpstream, StdioUpstream
from remit.repository import NamedSecret, load_repository, named_secrets, write_example


def catalog_of(tmp_path):
    write_example(tmp_path)
    return load_repository(tmp_path).catalog


def test_the_secrets_of_servers_and_of_clients_are_named_with_who_needs_them(tmp_path):
    assert list(named_secrets(catalog_of(tmp_path))) == [
        NamedSecret("env:CRM_GATEWAY_TOKEN", "server crm"),
        NamedSecret("env:REMIT_BILLING_JOB_SECRET", "client billing-job"),
    ]


def test_what_a_child_gets_counts_when_it_is_a_secret(tmp_path):
    catalog = catalog_of(tmp_path)
    environment = {"PLAIN": "x", "A": "env:A_TOKEN", "B": "file:/run/b"}
    upstreams = (
        StdioUpstream(command=("python",), environment=environment),
        HttpUpstream(url="http://127.0.0.1:1/mcp"),
    )
    servers = {
        name: replace(server, upstream=upstream)
        for (name, server), upstream in zip(catalog.servers.items(), upstreams, strict=True)
    }
    found = named_secrets(replace(catalog, servers=servers, agents={}))
    assert [one.reference for one in found] == ["env:A_TOKEN", "file:/run/b"]
