from dataclasses import replace

from remit.model import (
    Approvals,
    HttpUpstream,
    IdentityProvider,
    Notifier,
    NotifierKind,
    SignIn,
    StdioUpstream,
    ThirdParty,
)
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


def test_what_the_authorization_server_needs_counts_as_well(tmp_path):
    catalog = catalog_of(tmp_path)
    crm = replace(
        catalog.servers["crm"],
        upstream=HttpUpstream(url="http://127.0.0.1:1/mcp"),
        introspection_secret="env:CRM_ASKS",
        connection=ThirdParty(issuer="https://b.example", client_id="r", secret="env:BOOKS"),
    )
    providers = {
        name: IdentityProvider(
            name=name, title="T", issuer=f"https://{name}.example", client_id="r", secret=secret
        )
        for name, secret in (("with", "env:LOGIN"), ("without", None))
    }
    found = named_secrets(
        replace(catalog, servers={"crm": crm}, agents={}, sign_in=SignIn(providers=providers))
    )
    assert list(found) == [
        NamedSecret("env:CRM_ASKS", "introspection by server crm"),
        NamedSecret("env:BOOKS", "connection of server crm"),
        NamedSecret("env:LOGIN", "identity provider with"),
    ]


def test_a_notifier_cannot_work_without_its_secret(tmp_path):
    notifiers = {
        "with": Notifier(name="with", kind=NotifierKind.SLACK, secret="env:HOOK"),
        "without": Notifier(name="without", kind=NotifierKind.SLACK, url="https://h.example/x"),
    }
    catalog = replace(
        catalog_of(tmp_path), servers={}, agents={}, approvals=Approvals(notifiers=notifiers)
    )
    assert list(named_secrets(catalog)) == [NamedSecret("env:HOOK", "notifier with")]
