"""One document from an address that a stranger named, without becoming the stranger's hand.

Decides whether a URL may be asked at all: https, a DNS name, and every address
that the name has public. The connection goes to the address that was checked,
so a second answer of the DNS changes nothing. Refuses redirects, every status
but 200, encodings, anything but JSON, and bodies beyond the limit.

Source: CIMD §5, §8.6, §8.7; RFC 6890 and IANA's special-purpose registries; MCP SBP26 SSRF.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ClassVar, Protocol

import httpx2

from remit.clock import Seconds
from remit.errors import Error

__all__ = [
    "Document",
    "DocumentFetcher",
    "FetchDocument",
    "FetchFailedError",
    "FetchLimits",
    "FetchRefusedError",
    "Resolve",
    "SystemResolver",
    "is_public_address",
]

Address = IPv4Address | IPv6Address

_URL = re.compile(
    r"https://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>[/?](?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)?"
)
_JSON_TYPE = re.compile(
    r'application/(?:[A-Za-z0-9.\-]+\+)?json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?\s*', re.IGNORECASE
)
_MAX_ADDRESSES = 3
_MAX_URL = 2_048

# IANA IPv4 special-purpose registry, whole, and 168.63.129.16, behind which Azure keeps
# its host's metadata although the address is public.
_SPECIAL_V4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32",
        "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
        "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# IPv6 has one block of public unicast addresses. What lies outside it (loopback, mapped and
# translated IPv4, 5f00::/16, fc00::/7, fe80::/10, fec0::/10, ff00::/8) needs no list.
_PUBLIC_V6 = ip_network("2000::/3")
# IANA IPv6 special-purpose registry, as far as it lies inside: IETF protocol assignments
# with Teredo, documentation, 6to4, AS112.
_SPECIAL_V6 = tuple(
    ip_network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


class FetchRefusedError(Error):
    """Remit will not ask this URL, or not take what it answered. Asking again changes nothing."""

    code: ClassVar[str] = "fetch_refused"


class FetchFailedError(Error):
    """The document could not be had: the name, the network or the host failed."""

    code: ClassVar[str] = "fetch_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much a stranger's document may cost us."""

    body_bytes: int = 5_120
    """CIMD §8.7 recommends 5 KB."""
    timeout: float = 5.0
    """Seconds for everything together: name, connection, TLS, answer."""
    at_once: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What was fetched. `fresh_for` is what its HTTP headers say; `None` when they say nothing."""

    url: str
    body: bytes
    fresh_for: Seconds | None


class Resolve(Protocol):
    """How a host name becomes addresses: all of them, asked once."""

    async def __call__(self, host: str, port: int) -> tuple[Address, ...]: ...


FetchDocument = Callable[[str], Awaitable[Document]]
"""`DocumentFetcher.fetch`, as those who need a document see it."""


class SystemResolver:
    """The resolver of the machine, in threads of its own.

    A name server that does not answer holds a thread for longer than we wait; it
    must not be one that somebody else waits for.
    """

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolver")

    async def __call__(self, host: str, port: int) -> tuple[Address, ...]:
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


class DocumentFetcher:
    """Fetches documents, a few at once, each over a connection of its own.

    `transport` is where a request to a checked address leaves the process. Tests
    hand in one that leads to a server of theirs; the checks before it stay in force.
    """

    def __init__(
        self,
        limits: FetchLimits = FetchLimits(),
        *,
        resolve: Resolve | None = None,
        transport: Callable[[], httpx2.AsyncBaseTransport] | None = None,
    ) -> None:
        self._limits = limits
        self._resolve = resolve or SystemResolver()
        self._transport = transport or _https_transport(ssl.create_default_context())
        self._places = asyncio.Semaphore(limits.at_once)

    async def fetch(self, url: str) -> Document:
        """The JSON document at `url`, its bytes unread.

        Raises:
            FetchRefusedError: `url` may not be asked, or its answer may not be taken.
            FetchFailedError: there was no answer in time.
        """
        host, port, target = _split(url)
        try:
            async with asyncio.timeout(self._limits.timeout), self._places:
                addresses = await self._public_addresses(host, port)
                async with self._transport() as transport:
                    return await self._get(transport, url, _pinned(host, port, target, addresses))
        except TimeoutError as error:
            raise FetchFailedError(f"`{host}` did not answer in time", cause=error) from error

    async def _public_addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Every address of `host`; a single one that is not public refuses them all.

        A name that does not resolve reads the same, so that nobody can ask us which
        names exist on the inside.
        """
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise FetchRefusedError(f"`{host}` has no public address", cause=error) from error
        if not addresses or not all(is_public_address(address) for address in addresses):
            raise FetchRefusedError(f"`{host}` has no public address")
        return addresses[:_MAX_ADDRESSES]

    async def _get(
        self, transport: httpx2.AsyncBaseTransport, url: str, requests: tuple[httpx2.Request, ...]
    ) -> Document:
        response = await _first_answer(transport, requests)
        try:
            _check_head(response)
            body = await self._read(response)
        except httpx2.HTTPError as error:
            raise FetchFailedError("the answer broke off", cause=error) from error
        finally:
            await response.aclose()
        return Document(url=url, body=body, fresh_for=_fresh_for(response.headers))

    async def _read(self, response: httpx2.Response) -> bytes:
        declared = _whole_number(response.headers.get("content-length", "0"))
        limit = self._limits.body_bytes
        body = bytearray()
        if declared is not None and declared <= limit:
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > limit:
                    break
            else:
                return bytes(body)
        raise FetchRefusedError(f"the document is larger than {limit} bytes")


def is_public_address(address: Address) -> bool:
    """Whether `address` is a public unicast one, by the registries and not by the standard library.

    The tables of Python 3.11 let fec0::/10, 192.88.99.0/24, 5f00::/16 and 3fff::/20 pass.
    """
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _SPECIAL_V4)
    return address in _PUBLIC_V6 and not any(address in block for block in _SPECIAL_V6)


def _split(url: str) -> tuple[str, int, str]:
    """Host, port and request target of an https URL, read by our own grammar."""
    match = _URL.fullmatch(url) if len(url) <= _MAX_URL else None
    if match is None or ".." in match["host"]:
        raise FetchRefusedError("the URL is not an https URL with a plain host name")
    host = match["host"].lower()
    port = int(match["port"] or 443)
    last_label = host.rpartition(".")[2]
    # An IPv4 address in one of its many spellings ends in a number (or hexadecimal).
    if port > 65535 or last_label.isdigit() or last_label.startswith("0x"):
        raise FetchRefusedError("the URL is not an https URL with a plain host name")
    target = match["target"] or "/"
    return host, port, target if target.startswith("/") else "/" + target


def _pinned(
    host: str, port: int, target: str, addresses: tuple[Address, ...]
) -> tuple[httpx2.Request, ...]:
    """One request per address, each to that address and no other, yet for `host` in TLS and HTTP."""
    headers = {
        "Host": host if port == 443 else f"{host}:{port}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "remit",
        "Connection": "close",
    }
    return tuple(
        httpx2.Request(
            "GET",
            httpx2.URL(scheme="https", host=str(address), port=port, raw_path=target.encode()),
            headers=headers,
            extensions={"sni_hostname": host},
        )
        for address in addresses
    )


async def _first_answer(
    transport: httpx2.AsyncBaseTransport, requests: tuple[httpx2.Request, ...]
) -> httpx2.Response:
    """The answer of the first address that takes the connection."""
    failure: httpx2.HTTPError | None = None
    for request in requests:
        try:
            return await transport.handle_async_request(request)
        except httpx2.ConnectError as error:
            failure = error
        except httpx2.HTTPError as error:
            failure = error
            break
    raise FetchFailedError("the host could not be reached over TLS", cause=failure)


def _check_head(response: httpx2.Response) -> None:
    if response.status_code != 200:
        raise FetchRefusedError(f"the host answered {response.status_code}, not 200")
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise FetchRefusedError("the document is encoded, though identity was asked for")
    if _JSON_TYPE.fullmatch(response.headers.get("content-type", "")) is None:
        raise FetchRefusedError("the document is not declared as JSON in UTF-8")


def _fresh_for(headers: Mapping[str, str]) -> Seconds | None:
    """How long the host says its document holds (RFC 9111 §4.2), its age taken off."""
    directives = _directives(headers.get("cache-control", ""))
    if "no-store" in directives or "no-cache" in directives:
        return Seconds(0)
    if "max-age" in directives:
        lifetime = _whole_number(directives["max-age"])
        age = _whole_number(headers.get("age", "0"))
        return Seconds(0 if lifetime is None or age is None else max(0, lifetime - age))
    if "expires" not in headers:
        return None
    try:
        expires = parsedate_to_datetime(headers["expires"])
        date = parsedate_to_datetime(headers.get("date", ""))
        return Seconds(max(0, int((expires - date).total_seconds())))
    except (ValueError, TypeError, OverflowError):
        return Seconds(0)


def _whole_number(text: str) -> int | None:
    """A non-negative number in ASCII digits, cut at nine of them."""
    return int(text[:9]) if text.isascii() and text.isdigit() else None


def _directives(cache_control: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in cache_control.lower().split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _https_transport(context: ssl.SSLContext) -> Callable[[], httpx2.AsyncBaseTransport]:
    """HTTP/1.1 over TLS, straight to the address: no proxy from the environment, no retries."""

    def transport() -> httpx2.AsyncBaseTransport:
        return httpx2.AsyncHTTPTransport(verify=context, trust_env=False, http1=True, http2=False)

    return transport
