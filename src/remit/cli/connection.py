"""Talking to the management API: of the server that runs, or, when none does, opened in this process.

Or of a Remit elsewhere, where one is named (`remote`). Either way the same application answers the same requests; only the road differs.
A socket nobody listens on counts as no server. Refused: a folder that no Remit has
used, but where something is begun: a slip of the finger would otherwise make another
installation, with keys of its own, and answer from there. Source: docs/adr/0004.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar
from urllib.parse import quote

import httpx2

from remit.canonical import Json, JsonObject, parse_json
from remit.cli.options import Where
from remit.cli.remote import Remote, remote_meant
from remit.errors import Error
from remit.model import MANAGEMENT_OPERATIONS

__all__ = [
    "Management",
    "ManagementRefusedError",
    "NoInstallationError",
    "NotReachableError",
    "NotRunningError",
    "ask",
    "ask_running",
    "data_folder",
]

T = TypeVar("T")

Query: TypeAlias = Mapping[str, str | int | None]
"""What is asked for; a value of `None` is left out."""

_TIMEOUT = 30.0
_REPLAYING = 3_600.0
"""Seconds for what decides recorded calls again: a long log takes its time."""
_REPLAYS = frozenset({"plans.create", "proposals.create"})
_PAGE = 500
_TRACES = ("remit.lock", "remit.sqlite3", "audit", "master.key")


class ManagementRefusedError(Error):
    """The management API refused: `code` is its own, `problems` what it named."""

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str, *, reason: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.reason = reason
        self.problems = problems


class NotReachableError(Error):
    """A server seems to run, but does not answer."""

    code: ClassVar[str] = "not_reachable"


class NoInstallationError(Error):
    """No Remit has used the data folder that is meant."""

    code: ClassVar[str] = "no_installation"


class NotRunningError(Error):
    """No server runs, and only a running one can do it."""

    code: ClassVar[str] = "not_running"


class Management:
    """The management API. `online` says whether a running server answers."""

    def __init__(self, client: httpx2.AsyncClient, *, online: bool) -> None:
        self._client = client
        self.online = online

    async def get(self, path: str, **query: str | int | None) -> JsonObject:
        """Ask for something; a query value of `None` is left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return await self._send("GET", path, params=given)

    async def post(self, path: str, body: JsonObject | None = None) -> JsonObject:
        """Ask for a change."""
        return await self._send("POST", path, json=body or {})

    async def _replay(self, path: str, body: JsonObject | None) -> JsonObject:
        return await self._send("POST", path, json=body or {}, timeout=_REPLAYING)

    async def patch(self, path: str, body: JsonObject) -> JsonObject:
        """Ask for a change of some members."""
        return await self._send("PATCH", path, json=body)

    async def call(
        self,
        name: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Query | None = None,
        body: JsonObject | None = None,
    ) -> JsonObject:
        """Call the operation `name` of `remit.model.management`; `path` fills its placeholders."""
        operation = MANAGEMENT_OPERATIONS[name]
        address = _address(operation.path, path or {})
        if operation.method == "GET":
            return await self.get(address, **(query or {}))
        if operation.method == "PATCH":
            return await self.patch(address, body or {})
        if name in _REPLAYS:
            return await self._replay(address, body)
        return await self.post(address, body)

    async def every(self, name: str, members: str, query: Query | None = None) -> list[Any]:
        """Everything that the list `name` has under `members`, page after page."""
        found: list[Any] = []
        cursor: str | None = None
        while True:
            wanted = {**(query or {}), "limit": _PAGE, "cursor": cursor}
            page = await self.call(name, query=wanted)
            items, following = page.get(members), page.get("next")
            found += items if isinstance(items, list) else []
            if not isinstance(following, str):
                return found
            cursor = following

    async def lines(self, name: str, **query: str | int | None) -> AsyncIterator[str]:
        """The lines of an answer that goes on and on."""
        path = MANAGEMENT_OPERATIONS[name].path
        given = {name: value for name, value in query.items() if value is not None}
        try:
            async with self._client.stream("GET", path, params=given, timeout=None) as response:
                if response.status_code != 200:
                    _raise_problem(response.status_code, await response.aread())
                async for line in response.aiter_lines():
                    if line:
                        yield line
        except httpx2.TransportError as error:
            raise _broken(error) from error

    async def download(
        self, name: str, body: JsonObject, into: Callable[[bytes], object]
    ) -> Mapping[str, str]:
        """Hand the bytes that the operation `name` answers to `into`, piece by piece; the headers of the answer."""
        path = MANAGEMENT_OPERATIONS[name].path
        try:
            async with self._client.stream("POST", path, json=body, timeout=None) as response:
                if response.status_code != 200:
                    _raise_problem(response.status_code, await response.aread())
                async for piece in response.aiter_bytes():
                    into(piece)
                return response.headers
        except httpx2.TransportError as error:
            raise _broken(error) from error

    async def _send(self, method: str, path: str, **options: Any) -> JsonObject:
        try:
            response = await self._client.request(method, path, **options)
        except httpx2.TransportError as error:
            raise _broken(error) from error
        if response.status_code >= 400:
            _raise_problem(response.status_code, response.content)
        # Remit's own answer: lists of people and grants are as long as they are.
        try:
            value = parse_json(response.content, max_values=len(response.content))
        except Error:
            value = None
        if not isinstance(value, dict) or response.status_code >= 300:
            raise NotReachableError("what answers there is not remit's management API")
        return value


def ask(
    where: Where, question: Callable[[Management], Awaitable[T]], *, may_begin: bool = False
) -> T:
    """Run `question` against the management API, however it is reached.

    `may_begin`: an installation may begin with it, so the data folder need not be one yet.

    Raises:
        NoInstallationError: the data folder is none; nothing was made.
    """

    async def run() -> T:
        async with _open(where, may_begin=may_begin) as management:
            return await question(management)

    return asyncio.run(run())


def ask_running(where: Where, question: Callable[[Management], Awaitable[T]]) -> T:
    """As `ask`, of a running server only.

    Raises:
        NoInstallationError: the data folder is none.
        NotRunningError: there is none.
    """

    async def run() -> T:
        remote = remote_meant(where)
        if remote is not None:
            async with _client_of(remote) as client:
                return await question(Management(client, online=True))
        socket = data_folder(where).absolute() / "remit.sock"
        if not await _listens(socket):
            _expect_installation(data_folder(where))
            raise NotRunningError(f"no server runs on the data folder `{socket.parent}`")
        async with _client(httpx2.AsyncHTTPTransport(uds=str(socket))) as client:
            return await question(Management(client, online=True))

    return asyncio.run(run())


def data_folder(where: Where) -> Path:
    """The data folder that is meant, without reading more settings than that takes."""
    if where.data is not None:
        return where.data
    if os.environ.get("REMIT_DATA"):
        return Path(os.environ["REMIT_DATA"])
    if where.config is not None or os.environ.get("REMIT_CONFIG"):
        from remit.settings import load_settings  # reads YAML; rarely needed

        return load_settings(
            flags=where.flags, environ=os.environ, config=where.config
        ).settings.data
    return Path("data")


@asynccontextmanager
async def _open(where: Where, *, may_begin: bool) -> AsyncIterator[Management]:
    remote = remote_meant(where)
    if remote is not None:
        async with _client_of(remote) as client:
            yield Management(client, online=True)
        return
    socket = data_folder(where).absolute() / "remit.sock"
    if await _listens(socket):
        transport: httpx2.AsyncBaseTransport = httpx2.AsyncHTTPTransport(uds=str(socket))
        async with _client(transport) as client:
            yield Management(client, online=True)
        return
    if not may_begin:
        _expect_installation(data_folder(where))
    # The whole of Remit, a second of imports: only when there is no server to ask.
    from remit.cli.offline import open_in_process

    async with (
        open_in_process(where) as application,
        _client(httpx2.ASGITransport(application)) as client,
    ):
        yield Management(client, online=False)


def _expect_installation(folder: Path) -> None:
    """Any of what the first start leaves will do: a restored back-up has no lock."""
    if not any((folder / name).exists() for name in _TRACES):
        raise NoInstallationError(f"there is no Remit in `{folder}`")


def _client(transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=transport, base_url="http://remit", timeout=_TIMEOUT, trust_env=False
    )


def _client_of(remote: Remote) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=remote.url,
        headers=dict(remote.headers),
        verify=remote.verified_by,
        timeout=_TIMEOUT,
        trust_env=False,
    )


def _address(template: str, values: Mapping[str, str]) -> str:
    """`template` with its placeholders filled, each by one segment of a path."""
    return template.format(**{name: quote(value, safe="") for name, value in values.items()})


async def _listens(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except OSError as error:
        raise NotReachableError(
            f"cannot open `{socket}`: {(error.strerror or '').lower()}; "
            "only the user that remit runs as may",
            cause=error,
        ) from error
    writer.close()
    return True


def _broken(error: httpx2.TransportError) -> NotReachableError:
    return NotReachableError(
        "remit cannot be reached, or went away before it had answered; look at its log",
        cause=error,
    )


def _raise_problem(status: int, content: bytes) -> None:
    """Turn an RFC 9457 problem into the error it came from."""
    try:
        # A list of all that is wrong with a repository may be long.
        value: Json = parse_json(content, max_values=max(len(content), 1))
    except Error:
        value = None
    problem = value if isinstance(value, dict) else {}
    problems = problem.get("problems")
    if status == 413:
        raise ManagementRefusedError(
            "that is larger than this remit takes there: apply it at its socket, on its own machine, "
            "or raise its setting `max_request_body`",
            reason="content_too_large",
        )
    raise ManagementRefusedError(
        str(problem.get("detail", f"remit answered {status}")),
        reason=str(problem.get("code", status)),
        problems=tuple(str(one) for one in problems) if isinstance(problems, list) else (),
    )
