"""What an adapter is made with."""

import pytest

from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.equipment import (
    bearer,
    launch_of,
    presented_by,
    secrets_of,
)
from remit.gateway.upstream.port import NOTHING_PRESENTED
from remit.model import ConnectionCredential, HttpUpstream, SecretCredential, StdioUpstream

READ = {"env:A": "aaaaaa", "file:/b": "bbbbbb", "stored:c": "cccccc"}.__getitem__
HTTP = HttpUpstream(url="https://crm.example/mcp")


def _broken(_reference):
    raise ValueError("hunter2")


@pytest.mark.parametrize("reference", ["env:A", "file:/b", "stored:c"])
def test_a_secret_is_read_wherever_it_is_kept(reference):
    upstream = HttpUpstream(url="https://x/", credential=SecretCredential(secret=reference))
    [(name, value)] = presented_by(upstream, READ).headers
    assert (name, value) == ("authorization", f"Bearer {READ(reference)}")
    assert secrets_of(upstream, READ) == (READ(reference),)


def test_a_server_without_a_credential_and_one_of_callers_are_given_nothing():
    of_callers = HttpUpstream(url="https://x/", credential=ConnectionCredential())
    for upstream in (HTTP, of_callers):
        assert presented_by(upstream, READ) == NOTHING_PRESENTED
        assert secrets_of(upstream, READ) == ()


def test_a_process_is_given_what_its_file_says_with_its_secrets_in_place():
    upstream = StdioUpstream(
        command=("python",),
        environment={"A": "env:A", "C": "stored:c", "PLAIN": "x"},
        inherit=("SSL_CERT_FILE",),
        max_open_files=32,
        max_processes=4,
    )
    launch = launch_of("crm", upstream, READ, line_bytes=100)
    assert launch.environment == {"A": "aaaaaa", "C": "cccccc", "PLAIN": "x"}
    assert launch.credentials.secrets == ("aaaaaa", "cccccc")
    assert launch.inherit == ("SSL_CERT_FILE",)
    assert launch.limits.words() == "files=32,processes=4"


@pytest.mark.parametrize(
    "upstream",
    [
        HttpUpstream(url="https://x/", bearer_secret="env:A"),
        StdioUpstream(command=("x",), environment={"A": "stored:a"}),
    ],
    ids=["http", "stdio"],
)
def test_a_secret_that_cannot_be_read_is_a_failure_that_says_nothing_of_it(upstream):
    with pytest.raises(UpstreamError) as refused:
        secrets_of(upstream, _broken)
    assert "hunter2" not in refused.value.detail


@pytest.mark.parametrize("token", ["a\nb", "a\rb", "a b\n", "", " ", "ü", "\x7f"])
def test_a_token_that_is_no_value_of_a_header_is_refused(token):
    with pytest.raises(UpstreamError):
        bearer(token)


def test_what_is_presented_does_not_print_what_is_secret_in_it():
    assert "hunter2" not in repr(bearer("hunter2"))
