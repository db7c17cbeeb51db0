"""What another host answers, asked for without becoming a stranger's hand.

A document is fetched from an address that a stranger, or an operator, named; a form, or a
message, is sent to an endpoint that an operator named. Whether a URL may be asked at all is decided by
`reach`, on every address that its name has. The connection goes to the address that was
checked, so a second answer of the DNS changes nothing. Documents of one site wait for each
other, so that a stranger's hosts that hang keep others from nothing. Refuses redirects, encodings, bodies
beyond the limit, and, of a document, every status but 200 and everything but JSON.

Source: CIMD §5, §8.6, §8.7; MCP SBP26 SSRF.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import ClassVar
from urllib.parse import urlencode
from weakref import WeakValueDictionary

import httpx2

from remit.clock import Seconds
from remit.errors import Error
from remit.web.freshness import fresh_for, whole_number
from remit.web.reach import (
    Address,
    Destination,
    FetchRefusedError,
    Reach,
    destination_of,
    is_public_address,
    may_be_dialled,
)
from remit.web.resolution import Resolve, SystemResolver

__all__ = [
    "Answer",
    "Document",
    "DocumentFetcher",
    "FetchDocument",
    "FetchFailedError",
    "FetchLimits",
    "FetchRefusedError",
    "HostSilentError",
    "Reach",
    "Resolve",
    "SystemResolver",
    "is_public_address",
]

_JSON_TYPE = re.compile(
    r'application/(?:[A-Za-z0-9.\-]+\+)?json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?\s*', re.IGNORECASE
)
_FIELD_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_MAX_ADDRESSES = 3
_FORM_ANSWER = 65_536
"""Bytes of what a token endpoint may answer: an ID token with many groups is long."""
_PUBLIC = Reach()


class FetchFailedError(Error):
    """The answer could not be had: the name, the network or the host failed."""

    code: ClassVar[str] = "fetch_failed"


class HostSilentError(FetchFailedError):
    """The host was asked, and did not answer in time. Not raised where we never came to ask it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much a stranger's document may cost us."""

    body_bytes: int = 5_120
    """CIMD §8.7 recommends 5 KB."""
    timeout: float = 5.0
    """Seconds for everything together: name, connection, TLS, answer."""
    at_once: int = 8
    per_site: int = 2
    """How many documents of one site at once; a site is the last two labels of a host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What was fetched. `fresh_for` is what its HTTP headers say; `None` when they say nothing."""

    url: str
    body: bytes
    fresh_for: Seconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint said to a form. `media_type` is without parameters and in lower case."""

    status: int
    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One request, before it is known which address it goes to."""

    method: str
    destination: Destination
    headers: Mapping[str, str]
    content: bytes | None = None


FetchDocument = Callable[[str], Awaitable[Document]]
"""`DocumentFetcher.fetch`, as those who need a document see it."""


class DocumentFetcher:
    """Asks other hosts, a few at once, each over a connection of its own.

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
        self._sites: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def fetch(
        self, url: str, *, reach: Reach = _PUBLIC, body_bytes: int | None = None
    ) -> Document:
        """The JSON document at `url`, its bytes unread; at most `body_bytes` of them.

        Raises:
            FetchRefusedError: `url` may not be asked, or its answer may not be taken.
            FetchFailedError: there was no answer in time.
        """
        question = _Question(
            method="GET",
            destination=destination_of(url, reach),
            headers={"Accept": "application/json"},
        )
        limit = self._limits.body_bytes if body_bytes is None else body_bytes
        # Attack: hosts of a stranger that hang. They wait for each other before they take a place.
        site = self._site(question.destination)
        response, body = await self._ask(
            question, reach, check=_check_document, limit=limit, site=site
        )
        return Document(url=url, body=body, fresh_for=fresh_for(response.headers))

    async def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        authorization: str | None = None,
        reach: Reach = _PUBLIC,
    ) -> Answer:
        """What the endpoint at `url` answers to `fields`, whatever its status, but for a redirect.

        `authorization` is the whole field value. Sent once: an answer that fails to come is
        not asked for again.

        Raises:
            FetchRefusedError: `url` may not be asked, or its answer may not be taken.
            FetchFailedError: there was no answer in time.
        """
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if authorization is not None:
            headers["Authorization"] = authorization
        question = _posted(url, urlencode(fields).encode(), headers=headers, reach=reach)
        response, body = await self._ask(question, reach, check=_check_answer, limit=_FORM_ANSWER)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answer(status=response.status_code, body=body, media_type=media_type)

    async def post(
        self, url: str, content: bytes, *, headers: Mapping[str, str], reach: Reach = _PUBLIC
    ) -> int:
        """The status with which the endpoint at `url` answers to `content`, but for a redirect.

        Sent once. Nothing of what it says besides is read.

        Raises:
            FetchRefusedError: `url` may not be asked, or it sends us elsewhere.
            FetchFailedError: there was no answer in time.
        """
        question = _posted(url, content, headers=headers, reach=reach)
        response, _ = await self._ask(question, reach, check=_check_not_elsewhere, limit=0)
        return response.status_code

    async def _ask(
        self,
        question: _Question,
        reach: Reach,
        *,
        check: Callable[[httpx2.Response], None],
        limit: int,
        site: asyncio.Semaphore | None = None,
    ) -> tuple[httpx2.Response, bytes]:
        host = question.destination.host
        failure, turn = FetchFailedError, site or nullcontext()
        try:
            async with asyncio.timeout(self._limits.timeout), turn, self._places:
                failure = HostSilentError
                addresses = await self._admitted_addresses(question.destination, reach)
                async with await self._leaving(reach) as transport:
                    response = await _first_answer(transport, _pinned(question, addresses))
                    return response, await _body_of(response, check=check, limit=limit)
        except TimeoutError as error:
            raise failure(f"`{host}` did not answer in time", cause=error) from error

    def _site(self, destination: Destination) -> asyncio.Semaphore:
        """The places of the site; kept for as long as somebody waits for one or has one."""
        name = destination.host
        if destination.literal is None:
            name = ".".join(name.split(".")[-2:])
        return self._sites.setdefault(name, asyncio.Semaphore(self._limits.per_site))

    async def _admitted_addresses(
        self, destination: Destination, reach: Reach
    ) -> tuple[Address, ...]:
        """Every address of the host; a single one that may not be dialled refuses them all.

        A name that does not resolve reads the same, so that nobody can ask us which
        names exist on the inside.
        """
        kind = "address within reach" if reach.private else "public address"
        refusal = f"`{destination.host}` has no {kind}"
        try:
            addresses = (
                (destination.literal,)
                if destination.literal is not None
                else await self._resolve(destination.host, destination.port)
            )
        except (OSError, UnicodeError) as error:
            raise FetchRefusedError(refusal, cause=error) from error
        if not addresses or not all(may_be_dialled(one, destination, reach) for one in addresses):
            raise FetchRefusedError(refusal)
        return addresses[:_MAX_ADDRESSES]

    async def _leaving(self, reach: Reach) -> httpx2.AsyncBaseTransport:
        """The way out, believing whom `reach` says. The file is read each time: authorities rotate."""
        if reach.ca_file is None:
            return self._transport()
        trusting = partial(ssl.create_default_context, cafile=reach.ca_file)
        try:
            context = await asyncio.to_thread(trusting)
        except (OSError, ssl.SSLError) as error:
            raise FetchFailedError(
                f"the authority in `{reach.ca_file}` cannot be read", cause=error
            ) from error
        return _https_transport(context)()


def _posted(url: str, content: bytes, *, headers: Mapping[str, str], reach: Reach) -> _Question:
    if any(_FIELD_VALUE.fullmatch(value) is None for value in headers.values()):
        raise FetchRefusedError("what goes along, such as the authorization, is not a field value")
    return _Question(
        method="POST", destination=destination_of(url, reach), headers=headers, content=content
    )


def _pinned(question: _Question, addresses: tuple[Address, ...]) -> tuple[httpx2.Request, ...]:
    """One request per address, each to that address and no other, yet for the host in TLS and HTTP."""
    destination = question.destination
    headers = {
        "Host": destination.authority,
        "Accept-Encoding": "identity",
        "User-Agent": "remit",
        "Connection": "close",
        **question.headers,
    }
    return tuple(
        httpx2.Request(
            question.method,
            httpx2.URL(
                scheme=destination.scheme,
                host=str(address),
                port=destination.port,
                raw_path=destination.target.encode(),
            ),
            headers=headers,
            content=question.content,
            extensions={"sni_hostname": destination.host},
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
    how = "over TLS" if requests[0].url.scheme == "https" else "here"
    raise FetchFailedError(f"the host could not be reached {how}", cause=failure)


async def _body_of(
    response: httpx2.Response, *, check: Callable[[httpx2.Response], None], limit: int
) -> bytes:
    """The whole body of an answer that `check` lets pass; with a `limit` of 0, nothing of it."""
    try:
        check(response)
        return await _read(response, limit) if limit else b""
    except httpx2.HTTPError as error:
        raise FetchFailedError("the answer broke off", cause=error) from error
    finally:
        await response.aclose()


async def _read(response: httpx2.Response, limit: int) -> bytes:
    declared = whole_number(response.headers.get("content-length", "0"))
    body = bytearray()
    if declared is not None and declared <= limit:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > limit:
                break
        else:
            return bytes(body)
    raise FetchRefusedError(f"the document is larger than {limit} bytes")


def _check_document(response: httpx2.Response) -> None:
    if response.status_code != 200:
        raise FetchRefusedError(f"the host answered {response.status_code}, not 200")
    _check_not_encoded(response)
    if _JSON_TYPE.fullmatch(response.headers.get("content-type", "")) is None:
        raise FetchRefusedError("the document is not declared as JSON in UTF-8")


def _check_answer(response: httpx2.Response) -> None:
    # A form with a secret in it follows nobody's advice where to go next.
    if response.status_code != 200 and response.status_code < 400:
        raise FetchRefusedError(f"the host answered {response.status_code}")
    _check_not_encoded(response)


def _check_not_elsewhere(response: httpx2.Response) -> None:
    if not 200 <= response.status_code < 300 and response.status_code < 400:
        raise FetchRefusedError(f"the host answered {response.status_code}")


def _check_not_encoded(response: httpx2.Response) -> None:
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise FetchRefusedError("the document is encoded, though identity was asked for")


def _https_transport(context: ssl.SSLContext) -> Callable[[], httpx2.AsyncBaseTransport]:
    """HTTP/1.1 over TLS, straight to the address: no proxy from the environment, no retries."""

    def transport() -> httpx2.AsyncBaseTransport:
        return httpx2.AsyncHTTPTransport(verify=context, trust_env=False, http1=True, http2=False)

    return transport
