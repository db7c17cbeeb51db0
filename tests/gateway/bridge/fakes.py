"""Servers of one era with a script, on the gateway's own port; and callers of either."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.principal import Principal
from remit.gateway.rejection import NoPlaceError, RejectedError, UpstreamError, unsupported_version
from remit.gateway.upstream.port import Outgoing, Presented, Reply
from tests.gateway.doubles import token_of

MODERN = "2026-07-28"
ELICITING = {"elicitation": {}}
QUESTION = {"message": "which?", "requestedSchema": {"type": "object", "properties": {}}}
INITIALIZED = {
    "protocolVersion": "2025-11-25",
    "capabilities": {
        "tools": {"listChanged": True},
        "logging": {},
        "resources": {"subscribe": True},
    },
    "serverInfo": {"name": "old", "version": "1"},
    "instructions": "ask away",
}
DISCOVERED = {
    "resultType": "complete",
    "supportedVersions": [MODERN],
    "capabilities": {"tools": {"listChanged": True}, "resources": {"subscribe": True}, "extensions": {"x/y": {}}},
    "instructions": "ask away",
    "ttlMs": 0,
    "cacheScope": "public",
    "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "new", "version": "2"}},
}  # fmt: skip


def principal_of(name="dana", *, grant="g1") -> Principal:
    return Principal.of(token_of(name, grant=grant))


def modern(method, params=None, *, name="dana", declares=None, grant="g1", meta=None, request_id=1):
    """A modern request on its way up."""
    said = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": ELICITING if declares is None else declares,
        "io.modelcontextprotocol/clientInfo": {"name": "agent", "version": "3"},
        **(meta or {}),
    }
    token = token_of(name, grant=grant)
    return Outgoing(
        Request(request_id, method, {**(params or {}), "_meta": said}), MODERN,
        (("traceparent", "00-1"), ("mcp-param-x", "1")),
        principal=Principal.of(token), token=token,
        presented=Presented(headers=(("authorization", f"Bearer for-{name}"),), secrets=(f"for-{name}",)),
    )  # fmt: skip


def legacy(message, *, name="dana", version="2025-11-25"):
    """A message of a legacy session on its way up."""
    token = token_of(name)
    return Outgoing(message, version, principal=Principal.of(token), token=token)


def call(name="find", **more):
    return {"name": name, "arguments": {}, **more}


class OldServer:
    """Speaks only in sessions. `script(session, request)` is what it does with each request after `initialize`."""

    def __init__(self, script=None, *, places=1000):
        self.script = script or answers({"content": []})
        self.places = places
        self.sessions: list[OldSession] = []
        self.initialized = dict(INITIALIZED)
        self.offers_stream = True
        self.probes: list[Outgoing] = []
        self.says: Response | Exception | None = None
        """What it answers to whatever comes outside of a session, if not by its status."""
        self.modern = None
        """Another server that answers modern requests from now on."""

    @asynccontextmanager
    async def ask(self, outgoing):
        self.probes.append(outgoing)
        if isinstance(self.says, Exception):
            raise self.says
        if self.says is not None:
            yield Reply(200, streamed=False, messages=_just(self.says))
            return
        if self.modern is None:
            raise unsupported_version(outgoing.version, ("2025-11-25",))
        async with self.modern.ask(outgoing) as reply:
            yield reply

    def open_session(self):
        if sum(not one.closed for one in self.sessions) >= self.places:
            raise NoPlaceError
        session = OldSession(self)
        self.sessions.append(session)
        return session

    async def close(self):
        return None

    @property
    def open(self):
        return [one for one in self.sessions if not one.closed]

    @property
    def calls(self):
        return [
            message
            for one in self.sessions
            for message in one.asked
            if message.method == "tools/call"
        ]


class OldSession:
    def __init__(self, server):
        self.server = server
        self.asked: list[Request] = []
        self.outgoing: list[Outgoing] = []
        self.told: list = []
        self.answers: dict = {}
        self.left: list[str] = []
        self.closed = False
        self.ended = False
        self.unasked: asyncio.Queue = asyncio.Queue()

    @asynccontextmanager
    async def ask(self, outgoing):
        request = outgoing.message
        if self.ended:
            raise UpstreamError("the server has ended the session", session_ended=True)
        self.asked.append(request)
        self.outgoing.append(outgoing)
        if self.server.modern is not None and request.method == "initialize":
            raise unsupported_version(outgoing.version, (MODERN,))

        async def play() -> AsyncIterator:
            if request.method == "initialize":
                yield Response(request.id, result=dict(self.server.initialized))
                return
            async for message in self.server.script(self, request):
                yield message

        try:
            yield Reply(200, streamed=False, messages=play())
        finally:
            self.left.append(request.method)

    async def tell(self, outgoing):
        if self.ended:
            raise UpstreamError("the server has ended the session", session_ended=True)
        self.told.append(outgoing.message)
        if isinstance(outgoing.message, Response):
            self.answered(outgoing.message.id).set_result(outgoing.message)

    def answered(self, question):
        return self.answers.setdefault(question, asyncio.get_running_loop().create_future())

    @asynccontextmanager
    async def listen(self, outgoing_version):
        if not self.server.offers_stream:
            raise RejectedError(405, "no stream")

        async def play():
            while (message := await self.unasked.get()) is not None:
                yield message

        yield play()

    async def close(self):
        self.closed = True

    @property
    def notices(self):
        return [one.method for one in self.told if isinstance(one, Notification)]


def answers(result):
    async def script(session, request):
        yield Response(request.id, result=result)

    return script


def asks(*methods, then=None, params=None):
    """A script that asks for each of `methods` and answers with what it was told."""

    async def script(session, request):
        said = []
        for number, method in enumerate(methods):
            yield Request(f"q{number}", method, QUESTION if params is None else params)
            answer = await session.answered(f"q{number}")
            said.append(answer.result if answer.error is None else answer.error)
        yield Response(request.id, result=then or {"said": said})

    return script


class NewServer:
    """Speaks only modern. `script(outgoing)` is what it answers to anything but `server/discover`."""

    def __init__(self, script=None):
        self.script = script or (
            lambda outgoing: [Response(outgoing.message.id, result={"resultType": "complete"})]
        )
        self.discovered = dict(DISCOVERED)
        self.asked: list[Outgoing] = []
        self.left = 0
        self.opened = 0
        self.closed = False

    @asynccontextmanager
    async def ask(self, outgoing):
        self.asked.append(outgoing)
        request = outgoing.message
        if request.method == "server/discover":
            steps = [Response(request.id, result=dict(self.discovered))]
        else:
            steps = self.script(outgoing)

        async def play():
            for step in steps:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step

        if steps and isinstance(steps[0], Exception):
            raise steps[0]
        try:
            yield Reply(200, streamed=len(steps) != 1, messages=play())
        finally:
            self.left += 1

    def open_session(self):
        self.opened += 1
        return RefusingSession()

    async def close(self):
        self.closed = True


class RefusingSession:
    def __init__(self):
        self.closed = False

    @asynccontextmanager
    async def ask(self, outgoing):
        error = {"code": -32022, "message": "no sessions", "data": {"supported": [MODERN]}}
        yield Reply(400, streamed=False, messages=_just(Response(outgoing.message.id, error=error)))

    async def close(self):
        self.closed = True


async def _just(message):
    yield message


async def said(asking):
    """Everything that comes of one request."""
    async with asking as reply:
        return [message async for message in reply.messages]


async def result(asking):
    """What the response to one request holds."""
    response = (await said(asking))[-1]
    return response.result if response.error is None else response.error
