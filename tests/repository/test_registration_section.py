import pytest

from remit.model import Admission, AdmissionRule, DocumentHost, Registration, RegistrationMode

from .conftest import Repository

WRITTEN = """\
registration:
  mode: gated
  metadata_documents: true
  document_hosts:
    - claude.ai
    - {host: '*.acme.example', admission: approve, owner: it@acme.example, environment: dev, max_fresh: 1h}
  redirect_uri_schemes: [cursor]
  rules:
    - name: local-tools
      redirect_uris: ['http://127.0.0.1:*/callback', 'http://localhost/*', 'cursor://anysphere/*']
      grant_types: [authorization_code, refresh_token, token_exchange]
      auth_methods: [none]
      scopes: [crm:accounts.read]
      admission: approve
      owner: it@acme.example
      environment: dev
      lifetime: 30d
    - {name: ours, redirect_uris: ['https://*.acme.example/cb']}
  otherwise: refuse
  unused_lifetime: 30d
  removal_notice: 7d
  per_hour: 10
"""


def test_what_is_left_out_has_its_default(repository: Repository) -> None:
    assert repository.catalog().registration == Registration()


def test_what_is_written_is_what_holds(repository: Repository) -> None:
    catalog = repository.append("remit.yaml", WRITTEN).catalog()
    assert catalog.registration == Registration(
        mode=RegistrationMode.GATED,
        document_hosts=(
            DocumentHost(host="claude.ai"),
            DocumentHost(
                host="*.acme.example",
                admission=Admission.APPROVE,
                owner="it@acme.example",
                environment="dev",
                max_fresh=3_600,
            ),
        ),
        redirect_uri_schemes=("cursor",),
        rules=(
            AdmissionRule(
                name="local-tools",
                redirect_uris=(
                    "http://127.0.0.1:*/callback",
                    "http://localhost/*",
                    "cursor://anysphere/*",
                ),
                grant_types=(
                    "authorization_code",
                    "refresh_token",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                ),
                auth_methods=("none",),
                scopes=("crm:accounts.read",),
                admission=Admission.APPROVE,
                owner="it@acme.example",
                environment="dev",
                lifetime=30 * 86_400,
            ),
            AdmissionRule(name="ours", redirect_uris=("https://*.acme.example/cb",)),
        ),
        otherwise=Admission.REFUSE,
        unused_lifetime=30 * 86_400,
        removal_notice=7 * 86_400,
        per_hour=10,
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dynamic: true", "unknown key `dynamic`"),
        ("mode: closed", "`closed` is not known here"),
        ("mode: shut", "`shut` is not known here"),
        ("metadata_documents: 'yes'", "`yes` where `true` or `false` belongs"),
        ("document_hosts: ['https://claude.ai']", "`https://claude.ai` is no host name"),
        ("document_hosts: [localhost]", "`localhost` is no host name"),
        ("document_hosts: ['*.com']", "`*.com` is no host name"),
        ("document_hosts: ['*.co.uk']", "anybody may have a name like `*.co.uk`"),
        ("document_hosts: ['*.github.io']", "anybody may have a name like `*.github.io`"),
        ("document_hosts: ['a.*.example']", "`a.*.example` is no host name"),
        ("document_hosts: ['*']", "`*` is no host name"),
        ("document_hosts: ['10.0.0.1']", "`10.0.0.1` is no host name"),
        ("document_hosts: [{host: a.example, trust: all}]", "unknown key `trust`"),
        ("document_hosts: [{admission: approve}]", "`host` is missing"),
        (
            "document_hosts: [{host: a.example, max_fresh: 1s}]",
            "the length of time is out of bounds",
        ),
        (
            "document_hosts: [{host: a.example, environment: moon}]",
            "unknown environment `moon`",
        ),
        ("redirect_uri_schemes: [javascript]", "`javascript` is no private-use URI scheme"),
        ("redirect_uri_schemes: [intent]", "`intent` is no private-use URI scheme"),
        ("redirect_uri_schemes: [https]", "`https` is no private-use URI scheme"),
        ("redirect_uri_schemes: ['cursor://x']", "`cursor://x` is no private-use URI scheme"),
        ("otherwise: maybe", "`maybe` is not known here"),
        ("unused_lifetime: 1m", "the length of time is out of bounds"),
        ("unused_lifetime: 7d", "`removal_notice` is longer than `unused_lifetime`"),
        ("per_hour: 0", "`0` is out of bounds"),
        ("rules: [{redirect_uris: ['http://localhost/cb']}]", "`name` is missing"),
        ("rules: [{name: x}]", "`redirect_uris` is missing"),
        ("rules: [{name: x, redirect_uris: []}]", "a list is out of bounds"),
        (
            "rules: [{name: x, redirect_uris: ['http://localhost/cb'], grant_types: [client_credentials]}]",
            "a client that registered itself cannot act for itself",
        ),
        (
            "rules: [{name: x, redirect_uris: ['http://localhost/cb'], auth_methods: [tls]}]",
            "`tls` is not known here",
        ),
        (
            "rules: [{name: x, redirect_uris: ['http://localhost/cb'], lifetime: 1m}]",
            "the length of time is out of bounds",
        ),
        (
            "rules: [{name: x, redirect_uris: ['http://localhost/cb'], environment: moon}]",
            "unknown environment `moon`",
        ),
        (
            "rules: [{name: x, redirect_uris: ['http://localhost/cb'], scopes: ['a:b.c']}]",
            "unknown scope `a:b.c`",
        ),
    ],
)
def test_what_cannot_hold_is_refused_at_its_line(
    repository: Repository, text: str, says: str
) -> None:
    repository.append("remit.yaml", f"registration: {{{text}}}\n")
    assert repository.said() == [f"remit.yaml:6 {says}"]
