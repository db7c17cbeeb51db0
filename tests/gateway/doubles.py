"""Stand-ins on the gateway's own ports: a guard with a list of names, a server with a script, a wire."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from remit.audit.port import AuditUnavailableError, Receipt
from remit.clock import EpochSeconds, SystemClock
from remit.gateway import GatewayApp, GatewayDeps, GatewaySettings, HandleKeys
from remit.gateway.jsonrpc import Message, Request, Response
from remit.gateway.upstream.port import Outgoing, Reply
from remit.guard.call import Call, CallResult
from remit.guard.definitions import NO_DEFINITIONS
from remit.guard.outcome import Challenge, Deny, Permit, RefusalReason
from remit.guard.ports import Standing
from remit.guard.visible import Visible
from remit.model import (
    Agent,
    AgentClass,
    AgentClients,
    Catalog,
    Environment,
    Guardrails,
    HttpUpstream,
    Issuer,
    Operation,
    Registration,
    Sensitivity,
    Server,
    Tool,
)
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason
from remit.policy.evaluation import ResourceKind
from remit.tokens.access_token import AccessToken

PUBLIC_URL = "http://127.0.0.1:8080"
VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def token_of(name: str, *, grant: str = "g1") -> AccessToken:
    return AccessToken(
        iss=PUBLIC_URL, sub=name, aud=f"{PUBLIC_URL}/mcp/crm", client_id="c1", jti=f"j-{name}",
        iat=EpochSeconds(0), exp=EpochSeconds(2**40), scopes=(), grant_id=grant, agent_id="a1",
        organization_id="acme", environment=Environment("prod"), sensitivity=Sensitivity.LOW,
    )  # fmt: skip


DECISION = Decision(
    outcome=DecisionOutcome.ALLOW,
    reason=DecisionReason.PERMITTED,
    rules=(),
    policy_version="v1",
    engine="list",
)


class ListGuard:
    """Knows whom it was told of, forbids the names it was told to, and keeps every account."""

    def __init__(
        self, *, people: tuple[str, ...] = ("dana", "eve"), forbidden: tuple[str, ...] = ()
    ):
        self.people = set(people)
        self.forbidden = set(forbidden)
        self.decided: list[Call] = []
        self.authenticated: list[Call] = []
        self.completed: list[tuple[Call, CallResult]] = []
        self.log_full = False

    async def authenticate(
        self, call: Call, *, counted: bool = False
    ) -> AccessToken | Challenge | Deny:
        self.authenticated.append(call)
        return self._who(call)

    def backs(self, token: AccessToken) -> bool:
        return token.sub in self.people

    async def decide(self, call: Call) -> Permit | Challenge | Deny:
        who = self._who(call)
        if not isinstance(who, AccessToken):
            return who
        if call.kind is ResourceKind.TOOL and call.name is None:
            return Deny(decision_id="dec_1", reason=RefusalReason.NOT_FOUND, detail="unknown tool")
        self.decided.append(call)
        if call.name in self.forbidden:
            return Deny(
                decision_id="dec_1", reason=RefusalReason.FORBIDDEN, detail="a policy forbids it"
            )
        return Permit(decision_id="dec_1", token=who, decision=DECISION)

    async def visible(self, call: Call) -> Visible | Challenge | Deny:
        who = self._who(call)
        if not isinstance(who, AccessToken):
            return who
        return AllBut(
            decision_id="dec_1", token=who, names={ResourceKind.TOOL: frozenset(self.forbidden)}
        )

    async def complete(self, permit: Permit, call: Call, *, result: CallResult) -> Receipt | None:
        if self.log_full:
            raise AuditUnavailableError("the log is full")
        self.completed.append((call, result))
        return Receipt(8, "b" * 64)

    @property
    def outcomes(self) -> list[str]:
        return [result.outcome for _, result in self.completed]

    def _who(self, call: Call) -> AccessToken | Challenge:
        if not call.authorization:
            return Challenge(
                decision_id="dec_0", reason=RefusalReason.MISSING_TOKEN, detail="a token is needed"
            )
        name = call.authorization[0].removeprefix("Bearer ")
        if name not in self.people or len(call.authorization) > 1:
            return Challenge(
                decision_id="dec_0",
                reason=RefusalReason.INVALID_TOKEN,
                detail="the token is not valid",
            )
        return token_of(name)


class AllBut(Visible):
    """Admits everything but what it names."""

    def offers(self, kind: ResourceKind) -> bool:
        return True

    def admits(self, kind: ResourceKind, name: str) -> bool:
        return name not in self.names[ResourceKind.TOOL]


Script = Callable[[Outgoing[Request]], list[Message | Exception | asyncio.Event]]


@dataclass
class ScriptedServer:
    """Answers by script: messages in order; an exception breaks off; an event is waited for.

    With more than a response in it, a script is streamed.
    """

    script: Script
    asked: list[Outgoing] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    unasked: "asyncio.Queue[Message | None]" = field(default_factory=asyncio.Queue)
    left_early: int = 0
    closed: int = 0
    looked_again: int = 0
    swept: int = 0

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        self.asked.append(outgoing)
        steps = self.script(outgoing)
        if steps and isinstance(steps[0], Exception):
            raise steps[0]
        done = False

        async def play() -> AsyncIterator[Message]:
            nonlocal done
            for step in steps:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    done = isinstance(step, Response)
                    yield step

        try:
            yield Reply(200, streamed=len(steps) != 1, messages=play())
        finally:
            self.left_early += not done

    def open_session(self) -> "ScriptedServer":
        return self

    async def tell(self, outgoing: Outgoing) -> None:
        self.told.append(outgoing.message)

    @asynccontextmanager
    async def listen(self, outgoing_version: str) -> AsyncIterator[AsyncIterator[Message]]:
        async def play() -> AsyncIterator[Message]:
            while (message := await self.unasked.get()) is not None:
                yield message

        yield play()

    def end_unbacked(self, backs) -> None:
        self.looked_again += 1

    def sweep(self) -> None:
        self.swept += 1

    async def close(self) -> None:
        self.closed += 1

    def of(self, server: Server) -> "ScriptedServer":
        return self


def answering(result: dict) -> Script:
    """A script that answers every request with `result`."""
    return lambda outgoing: [Response(outgoing.message.id, result=result)]


class FixedDirectory:
    def __init__(self, *servers: Server) -> None:
        self.catalog = catalog_of(*servers)
        self.standing = Standing(as_of=EpochSeconds(0))
        self.definitions = NO_DEFINITIONS


def server_of(name: str = "crm", upstream=None) -> Server:
    tool = Tool(
        name="find",
        operation=Operation.READ,
        scopes=("crm:accounts.read",),
        sensitivity=Sensitivity.LOW,
    )
    return Server(
        name=name, title="CRM", owner="sales", tenant=None, environment=Environment("prod"),
        upstream=upstream or HttpUpstream(url="http://127.0.0.1:1/mcp"), tools={"find": tool},
        baseline_scopes=("crm:accounts.read",),
    )  # fmt: skip


def catalog_of(*servers: Server) -> Catalog:
    nobody = Agent(
        id="unregistered", name="", owner="", agent_class=AgentClass.UNREGISTERED, scopes=(),
        environments=(), tenants=(), clients=AgentClients(),
    )  # fmt: skip
    return Catalog(
        version="v1", issuer=Issuer(name="remit"), tenants={}, environments=(), guardrails=Guardrails(),
        registration=Registration(), servers={server.name: server for server in servers}, scopes={},
        hierarchy={}, roles={}, attribute_rules=(), agents={}, unregistered=nobody,
    )  # fmt: skip


def gateway(
    guard: ListGuard, upstreams, *servers: Server, clock=None, keys=None, answers=None, **settings
) -> GatewayApp:
    chosen = {"public_url": PUBLIC_URL, "drain": 1, **settings}
    return GatewayApp(
        GatewayDeps(
            guard=guard,
            directory=FixedDirectory(*(servers or (server_of(),))),
            upstreams=upstreams,
            settings=GatewaySettings(**chosen),
            clock=clock or SystemClock(),
            issuer=chosen["public_url"],
            keys=keys or HandleKeys(),
            answers=answers,
        )
    )


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    ended: bool = False

    def header(self, name: str) -> str | None:
        return next((v.decode() for n, v in self.headers if n == name.encode()), None)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def events(self) -> list[dict]:
        blocks = self.body.replace(b"\r\n", b"\n").split(b"\n\n")
        lines = [line for block in blocks for line in block.split(b"\n")]
        return [
            json.loads(line[5:]) for line in lines if line.startswith(b"data:") and line[5:].strip()
        ]


class Wire:
    """One HTTP request to an ASGI application, chunk by chunk, and the client's end of the connection."""

    def __init__(self, app, method="POST", path="/mcp/crm", headers=(), chunks=(b"",)):
        self.answer = Answer()
        self.gone = asyncio.Event()
        self.wrote = asyncio.Event()
        self._chunks = list(chunks)
        self._app = app
        self.scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers],
            "client": ("127.0.0.1", 5000), "server": ("127.0.0.1", 8080), "scheme": "http",
        }  # fmt: skip

    async def run(self) -> Answer:
        await self._app(self.scope, self._receive, self._send)
        return self.answer

    async def _receive(self):
        if self._chunks:
            chunk = self._chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event):
        if event["type"] == "http.response.start":
            assert not self.answer.status, "an answer starts once"
            self.answer.status, self.answer.headers = event["status"], list(event["headers"])
            return
        assert not self.answer.ended, "an answer ends once"
        self.answer.chunks.append(event.get("body", b""))
        self.answer.body += event.get("body", b"")
        self.answer.ended = not event.get("more_body", False)
        self.wrote.set()


BASE_HEADERS = (
    ("host", "127.0.0.1:8080"),
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
    ("authorization", "Bearer dana"),
)


def without(headers, *names):
    return tuple((n, v) for n, v in headers if n not in names)


def modern(method: str, params: dict | None = None, *, request_id=1, name: str | None = None):
    """Headers and body of a well-formed modern request."""
    body = {
        "jsonrpc": "2.0",
        "id": request_id,
        "method": method,
        "params": {"_meta": META, **(params or {})},
    }
    headers = [*BASE_HEADERS, ("mcp-protocol-version", VERSION), ("mcp-method", method)]
    if name is not None:
        headers.append(("mcp-name", name))
    return tuple(headers), body


async def post(app, headers, body, **more) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    counted = (*headers, ("content-length", str(len(raw))))
    return await Wire(app, headers=counted, chunks=[raw], **more).run()


async def call_tool(app, tool="find", arguments=None, **more) -> Answer:
    headers, body = modern("tools/call", {"name": tool, "arguments": arguments or {}}, name=tool)
    return await post(app, headers, body, **more)


async def until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Return once `happened()` is true; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            if happened():
                return
            await asyncio.sleep(0.005)


def changed(server: Server, **changes) -> Server:
    return replace(server, **changes)
