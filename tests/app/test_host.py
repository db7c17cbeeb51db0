import httpx2
import pytest
from starlette.responses import PlainTextResponse

from remit.app.host import OwnHost, own_hosts
from remit.settings import Settings

PUBLIC = Settings(public_url="https://remit.example", port=8600)
LOCAL = Settings(port=8600)


async def site(scope, receive, send):
    await PlainTextResponse("site")(scope, receive, send)


async def asked(settings: Settings, path: str, *hosts: str) -> int:
    transport = httpx2.ASGITransport(OwnHost(site, own_hosts(settings)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as http:
        request = http.build_request("GET", path)
        del request.headers["host"]
        request.headers = httpx2.Headers([*request.headers.items(), *(("host", h) for h in hosts)])
        return (await http.send(request)).status_code


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (PUBLIC, "remit.example"),
        (PUBLIC, "Remit.Example:443"),
        (LOCAL, "127.0.0.1:8600"),
        (LOCAL, "localhost:8600"),
        (LOCAL, "[::1]:8600"),
    ],
)
async def test_who_asks_us_by_our_name_is_answered(settings, host):
    assert await asked(settings, "/login", host) == 200


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (PUBLIC, "rebound.example"),
        (PUBLIC, "remit.example:8600"),
        (PUBLIC, "remit.example.evil.example"),
        (PUBLIC, "localhost:8600"),
        (PUBLIC, "127.0.0.1:8600"),
        (LOCAL, "rebound.example:8600"),
        (LOCAL, "localhost.evil.example:8600"),
        (LOCAL, "localhost:8601"),
        (LOCAL, "localhost"),
        (LOCAL, ""),
    ],
)
@pytest.mark.parametrize("path", ["/login", "/jwks", "/readyz/", "/%72eadyz"])
async def test_a_name_that_was_turned_to_our_address_reads_nothing(settings, host, path):
    assert await asked(settings, path, host) == 421


@pytest.mark.parametrize("hosts", [(), ("127.0.0.1:8600", "127.0.0.1:8600")])
async def test_a_request_names_one_host(hosts):
    assert await asked(LOCAL, "/login", *hosts) == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_need_no_name(path):
    assert await asked(PUBLIC, path, "10.0.0.7:8600") == 200
    assert await asked(PUBLIC, path) == 200


@pytest.mark.parametrize("host", ["10.0.0.7:8600", "127.0.0.1", "[2001:db8::7]:8600"])
async def test_metrics_may_be_read_by_address(host):
    assert await asked(PUBLIC, "/metrics", host) == 200


@pytest.mark.parametrize("host", ["rebound.example:8600", "10.0.0.7.evil.example", "[::1].evil:1"])
async def test_metrics_are_not_read_by_another_name(host):
    assert await asked(PUBLIC, "/metrics", host) == 421
