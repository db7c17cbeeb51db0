import pytest
from pydantic import TypeAdapter, ValidationError

from remit.documents import parse_yaml
from remit.repository.web_addresses import (
    HttpsUrl,
    IssuerUrl,
    WebUrl,
    private_address_faults,
    shared_suffix_fault,
)


def said(text: str) -> list[str]:
    document = parse_yaml(text.encode(), file="f")
    return [f"{one.line} {one.message}" for one in private_address_faults(document, ("x",))]


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.acme.example",
        "https://login.acme.example/",
        "https://login.acme.example:8443/realms/acme",
        "https://kubernetes.default.svc.cluster.local",
        "http://127.0.0.1:8080/realms/acme",
    ],
)
def test_an_issuer_is_a_url_to_the_letter(issuer: str) -> None:
    assert TypeAdapter(IssuerUrl).validate_python(issuer) == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "login.acme.example",
        "ftp://login.acme.example",
        "https://",
        "https:///x",
        "https://login.acme.example?x",
        "https://login.acme.example#x",
        "https://user:hunter2@login.acme.example",
        "https://login.acme.example:port",
        "https://login acme.example",
        "https://login.acme.example\\x",
        "https://[::1",
        "https://" + "a" * 2_048,
    ],
)
def test_what_is_no_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(IssuerUrl).validate_python(issuer)
    assert "hunter2" not in caught.value.errors()[0]["msg"]


def test_keys_of_a_client_are_asked_for_by_https_alone() -> None:
    assert TypeAdapter(HttpsUrl).validate_python("https://a.example/jwks?x")
    assert TypeAdapter(WebUrl).validate_python("http://a.example/jwks?x")
    with pytest.raises(ValidationError):
        TypeAdapter(HttpsUrl).validate_python("http://127.0.0.1/jwks")


@pytest.mark.parametrize(
    "text",
    [
        "x: {issuer: 'https://a.example'}",
        "x: {issuer: 'http://127.0.0.1:1', private_network: true}",
        "x: {issuer: 'http://localhost:1', private_network: true}",
        "x: {issuer: 'https://10.0.0.1', private_network: true}",
        "x: {issuer: nonsense}",
        "x: {}",
        "y: {}",
    ],
)
def test_an_address_that_may_be_asked_is_no_problem(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x: {issuer: 'http://a.example'}", "`http://a.example` would be asked in the clear"),
        ("x: {issuer: 'http://127.0.0.1:1'}", "`http://127.0.0.1:1` would be asked in the clear"),
        (
            "x: {issuer: 'http://10.0.0.1', private_network: true}",
            "`http://10.0.0.1` would be asked in the clear",
        ),
        (
            "x: {issuer: 'http://127.0.0.1.evil.example', private_network: true}",
            "`http://127.0.0.1.evil.example` would be asked in the clear",
        ),
        ("x: {issuer: 'https://10.0.0.1'}", "`https://10.0.0.1` is a private address"),
        ("x: {issuer: 'https://[::1]'}", "`https://[::1]` is a private address"),
        ("x: {jwks_uri: 'https://169.254.169.254/x'}", "`https://169.254.169.254/x` is a private address"),
        ("x: {jwks_uri: 'https://localhost/x', private_network: 'true'}", "`https://localhost/x` is a private address"),
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_asked_is_a_problem(text: str, says: str) -> None:
    assert said(text) == [f"1 {says}"]


@pytest.mark.parametrize("suffix", ["com", "co.uk", "com.au", "github.io", "workers.dev", "localhost"])  # fmt: skip
def test_beneath_some_domains_strangers_have_names(suffix: str) -> None:
    assert shared_suffix_fault(suffix) is not None


@pytest.mark.parametrize("suffix", ["acme.example", "acme.co.uk", "acme.github.io", "co.acme"])
def test_beneath_others_one_owner_has(suffix: str) -> None:
    assert shared_suffix_fault(suffix) is None
