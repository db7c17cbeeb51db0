"""The gateway's own doors before a call in this process: what reaches the application, and what does not."""

import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.embedded.assembly import Assembly, Surroundings
from remit.embedded.directory import Heard
from remit.embedded.in_process import InProcess
from remit.embedded.local_log import WaitingLog
from remit.guard.snapshot import WITHHELD, PublicKey, Snapshot
from remit.model import AgentClients, EngineKind, ExternalEngine
from remit.policy import PolicyInvalidError, ResourceKind
from tests.engines.doubles import pdp
from tests.guard.conftest import POLICIES, URL
from tests.guard.test_codec import without_clients

VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
}
NOBODY = 'permit(principal, action == Remit::Action::"payments/refund", resource);'


class Application:
    """A server that answers every call alike, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    async def __call__(self, scope, receive, send):
        body = (await receive())["body"]
        self.asked.append((dict(scope["headers"]), body))
        result = {"content": [{"type": "text", "text": "done"}], "resultType": "complete"}
        answer = {"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": result}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


class Setting:
    """An assembly in the world of the guard's tests, and requests to it."""

    def __init__(self, world, *, audit=None, **changes):
        self.world = world
        self.application = Application()
        behind = InProcess(self.application, "/mcp")
        around = Surroundings(application=behind, audit=audit or world.audit, clock=world.clock)
        self.assembly = Assembly(self.snapshot(**changes), Heard(world.clock), around)

    def snapshot(self, **changes):
        jwk = self.world.keys.signing_at(self.world.clock.now()).public_jwk
        catalog = without_clients(self.world.directory.catalog)
        crm = MappingProxyType({"crm": catalog.servers["crm"]})
        made = Snapshot(
            server="crm",
            issuer=URL,
            public_url=URL,
            catalog=replace(
                catalog,
                servers=crm,
                unregistered=replace(catalog.unregistered, clients=AgentClients()),
            ),
            policies=tuple(one.strip() for one in POLICIES.split("\n\n") if "payments" not in one),
            policy_version="p" * 64,
            standing=replace(self.world.directory.standing, as_of=0),
            quarantined=frozenset(),
            keys=(PublicKey(kid=jwk["kid"], x=jwk["x"], y=jwk["y"]),),
            redaction_key="ab" * 32,
            lease=30,
        )
        return replace(made, **changes)

    async def call(self, name="get_account", *, body=None, token=None, **arguments):
        """Status and JSON of the answer to a call of the tool `name`."""
        params = {"name": name, "arguments": arguments or {"account": "acc_1"}, "_meta": META}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        sent = json.dumps(message).encode() if body is None else body
        raw = self.world.raw() if token is None else token
        headers = {
            "host": "remit.example",
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
            "content-length": str(len(sent)),
            "mcp-protocol-version": VERSION,
            "mcp-method": "tools/call",
            "mcp-name": name,
            "authorization": f"Bearer {raw}",
            "x-forwarded-user": "root",
            "cookie": "session=1",
        }
        door = InProcess(self.assembly.gateway, "/mcp/crm", host=b"remit.example")
        lines = [
            (key, value) for key, value in headers.items() if key not in {"host", "content-length"}
        ]
        async with door.request("POST", lines, sent, seconds=20) as answer:
            text = b""
            while (part := await answer.read_chunk()) is not None:
                text += part
        return answer.status, json.loads(text)


@pytest.fixture
def setting(world):
    return Setting(world)


async def test_a_permitted_call_reaches_the_application_written_anew_and_without_its_token(setting):
    status, answer = await setting.call()
    assert (status, answer["result"]["content"][0]["text"]) == (200, "done")
    ((headers, body),) = setting.application.asked
    assert not {b"authorization", b"cookie", b"x-forwarded-user"} & headers.keys()
    assert headers[b"mcp-name"] == b"get_account"
    assert b" " not in body
    kinds = [type(one).__name__ for one in setting.world.audit.events]
    assert kinds == ["Decided", "CallCompleted"]


async def test_a_call_that_is_refused_does_not_reach_it(setting):
    hidden = await setting.call("no_such_tool")
    unsigned = await setting.call(token="x.y.z")
    twice = await setting.call(body=b'{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call"}')
    batch = await setting.call(body=b"[]")
    assert hidden[1]["error"]["data"]["reason"] == "not_found"
    assert unsigned[0] == 401
    assert twice[0] == batch[0] == 400
    assert setting.application.asked == []


async def test_nothing_is_called_once_the_lease_is_over(setting):
    setting.world.clock.advance(31)
    status, answer = await setting.call()
    assert (status, answer["error"]["data"]["reason"]) == (503, "stale_snapshot")
    setting.assembly.renew(Heard(setting.world.clock))
    assert (await setting.call())[0] == 200
    assert len(setting.application.asked) == 1


async def test_nothing_is_called_that_cannot_be_recorded(world):
    waiting = WaitingLog(world.audit)
    waiting.is_full = True
    setting = Setting(world, audit=waiting)
    status, answer = await setting.call()
    assert (status, answer["error"]["data"]["reason"]) == (503, "audit_unavailable")
    assert setting.application.asked == []


async def test_what_is_quarantined_is_not_called(world):
    setting = Setting(world, quarantined=frozenset({("crm", ResourceKind.TOOL, "get_account")}))
    assert (await setting.call())[1]["error"]["data"]["reason"] == "quarantined"
    assert setting.application.asked == []


async def test_another_snapshot_decides_from_then_on(setting):
    assert (await setting.call())[0] == 200
    policies = (f'@id("nobody") {NOBODY}',)
    setting.assembly.take(setting.snapshot(policies=policies), Heard(setting.world.clock))
    assert "error" in (await setting.call())[1]
    assert len(setting.application.asked) == 1


async def test_a_snapshot_whose_policies_do_not_parse_leaves_what_was_in_force(setting):
    broken = setting.snapshot(policies=("permit(everybody)",))
    with pytest.raises(PolicyInvalidError):
        setting.assembly.take(broken, Heard(setting.world.clock))
    assert (await setting.call())[0] == 200


async def test_keys_that_are_gone_verify_nothing(setting):
    setting.assembly.take(setting.snapshot(keys=()), Heard(setting.world.clock))
    assert (await setting.call())[0] == 401


def test_two_paths_lead_in_and_no_other(setting):
    assert setting.assembly.path_within("/mcp/crm") == "/mcp/crm"
    metadata = "/.well-known/oauth-protected-resource/mcp/crm"
    assert setting.assembly.path_within(metadata) == metadata
    for other in ("/", "/mcp", "/mcp/crm/", "/mcp/payments", "/metrics", "/mcp/../mcp/crm"):
        assert setting.assembly.path_within(other) is None


def permitted_elsewhere(setting, **engine):
    """A snapshot whose server an engine elsewhere permits calls of; the guard's own policies permit none."""
    declared = ExternalEngine(name="pdp", **engine)
    catalog = setting.snapshot().catalog
    crm = replace(catalog.servers["crm"], engine="pdp")
    return setting.snapshot(
        policies=(f'@id("nobody") {NOBODY}',),
        catalog=replace(
            catalog,
            servers=MappingProxyType({"crm": crm}),
            engines=MappingProxyType({"pdp": declared}),
        ),
    )


async def test_a_guard_asks_the_engine_that_permits_its_server_s_calls_itself(setting):
    async with pdp() as engine:
        snapshot = permitted_elsewhere(
            setting, kind=EngineKind.AUTHZEN, url=engine.url, timeout_ms=5000
        )
        setting.assembly.take(snapshot, Heard(setting.world.clock))
        assert (await setting.call())[0] == 200
        (question,) = engine.questions
        assert question["subject"]["id"] == "usr_1"
        await setting.assembly.close()


@pytest.mark.parametrize(
    "engine",
    [
        {"kind": EngineKind.AUTHZEN, "url": "http://127.0.0.1:1", "secret": WITHHELD},
        {"kind": EngineKind.PLUGIN, "plugin": "cerbos"},
        {"kind": EngineKind.CERBOS, "url": "http://127.0.0.1:1"},
    ],
    ids=["with-a-secret", "plug-in", "not-there"],
)
async def test_a_guard_that_cannot_ask_refuses_and_says_why_in_its_log(setting, engine):
    setting.assembly.take(permitted_elsewhere(setting, **engine), Heard(setting.world.clock))
    _, answer = await setting.call()
    assert answer["error"]["data"]["reason"] == "engine_error"
    assert setting.application.asked == []
    (event,) = setting.world.audit.events
    assert event.engine == "pdp"
    assert any(
        said in event.engine_errors[0]
        for said in ("stays with Remit", "no plug-in is loaded", "cannot be reached")
    )
    await setting.assembly.close()
