"""A busy organisation for tests and benchmarks: a policy repository of some size, and a log of calls under it.

Every call is decided by the real guard and recorded in a real audit log; who calls what, with which
arguments, from where and when follows from a seed alone.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit.context import Context, Network
from remit.audit.file_log import FileAuditLog
from remit.audit.record_seal import RecordSeal
from remit.audit.redact import Redactor
from remit.audit.stream import StreamSettings
from remit.canonical import JsonObject
from remit.guard import Call, Guard, GuardSettings, Permit, Standing
from remit.guard.call import CallResult
from remit.guard.definitions import NO_DEFINITIONS, Definitions
from remit.ids import AgentId, ClientId, GrantId, ScopeName, ServerName, TenantId
from remit.model import Catalog, Environment, Sensitivity
from remit.policy import CedarEngine, DecisionPoint, ResourceKind
from remit.repository import LoadedRepository
from remit.testing.clock import FixedClock
from remit.tokens import AccessToken, KeySet, SigningKey, TokenVerifier, audience_of, mint

__all__ = ["RECORD_KEY", "Traffic", "record_calls", "write_busy_repository"]

RECORD_KEY: Final = b"r" * 32
"""What the records of `record_calls` are sealed under."""
_URL: Final = "https://remit.example"
_TENANTS: Final = {"acme": "America/New_York", "globex": "Europe/Berlin", "initech": "Asia/Tokyo"}
_SYSTEMS: Final = ("crm", "payments", "hr", "wiki", "tickets")
_ROLES: Final = ("support", "finance", "sales", "intern")
_REGIONS: Final = ("eu", "us", "apac")
_ADDRESSES: Final = ("10.20.0.7", "192.0.2.44", "2001:db8::9", None)
_AT_ONCE: Final = 200
_LIFETIME: Final = 60 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How many calls, from when on (epoch seconds), `apart` seconds after each other."""

    count: int
    start: int = 1_767_625_200
    apart: float = 6.0
    seed: int = 7
    edit: Callable[[Call], Call] = field(default=lambda call: call)


def write_busy_repository(folder: Path) -> None:
    """Write a repository with three tenants, five servers, forty-five tools, four roles and some thirty policies."""
    for name in ("servers", "agents", "policies"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    tenants = "".join(
        f"  {one}: {{ name: {one.title()}, time_zone: {zone} }}\n" for one, zone in _TENANTS.items()
    )
    every = ", ".join(_TENANTS)
    (folder / "remit.yaml").write_text(
        f"version: 1\nissuer: {{ name: Busy }}\ntenants:\n{tenants}environments: [prod]\n"
        "guardrails: { max_scopes_per_agent: 20, max_scopes_per_token: 20 }\n"
        "registration: { mode: open, otherwise: approve }\n"
        "unregistered: { name: Nobody, owner: it@acme.example, scopes: [wiki:items.read], "
        f"environments: [prod], tenants: [{every}], max_sensitivity: low }}\n"
    )
    (folder / "scopes.yaml").write_text("\n".join(_scopes()))
    (folder / "roles.yaml").write_text("\n".join(_role_lines()))
    for system in _SYSTEMS:
        (folder / "servers" / f"{system}.yaml").write_text("\n".join(_server(system)))
    for number in range(4):
        (folder / "agents" / f"agent-{number}.yaml").write_text("\n".join(_agent(number, every)))
    (folder / "policies" / "all.cedar").write_text("\n".join(_policies()))


def record_calls(repository: LoadedRepository, folder: Path, traffic: Traffic) -> None:
    """Let a guard decide calls under `repository` and record them as the stream in `folder`."""
    asyncio.run(_record(repository, folder, traffic))


async def _record(repository: LoadedRepository, folder: Path, traffic: Traffic) -> None:
    clock = FixedClock(traffic.start)
    keys = KeySet([SigningKey.generate(clock.now())])
    directory = _Directory(repository.catalog, Standing(as_of=clock.now()))
    engine = CedarEngine.load(repository.policies, repository.catalog)
    settings = StreamSettings(folder=folder, origin="remit/traffic")
    with closing(FileAuditLog(settings, Ed25519PrivateKey.generate(), clock=clock)) as log:
        guard = Guard(
            TokenVerifier(keys, _URL, clock),
            directory,
            decisions=DecisionPoint(engine, clock),
            audit=log,
            redactor=Redactor(b"k" * 32, record_seal=RecordSeal(RECORD_KEY)),
            settings=GuardSettings(public_url=_URL),
        )
        calls = _calls(traffic, keys, clock.now())
        left = traffic.count
        while left > 0:
            batch = [traffic.edit(next(calls)) for _ in range(min(left, _AT_ONCE))]
            await asyncio.gather(*[_call(guard, one) for one in batch])
            left -= len(batch)
            clock.advance(traffic.apart * len(batch))
            directory.standing = Standing(as_of=clock.now())


async def _call(guard: Guard, call: Call) -> None:
    verdict = await guard.decide(call)
    if isinstance(verdict, Permit):
        await guard.complete(verdict, call, result=CallResult(outcome="ok", size=120, micros=900))


@dataclass(slots=True)
class _Directory:
    catalog: Catalog
    standing: Standing
    definitions: Definitions = NO_DEFINITIONS


def _calls(traffic: Traffic, keys: KeySet, now: int) -> Iterator[Call]:
    """Calls without an end."""
    chance = random.Random(traffic.seed)  # noqa: S311  it has to come again, not to be unknown
    people = [_person(number, chance) for number in range(60)]
    raws: dict[tuple[int, str], str] = {}
    while True:
        number = min(int(chance.expovariate(0.06)), len(people) - 1)
        system = chance.choice(_SYSTEMS)
        if (number, system) not in raws:
            raws[number, system] = mint(keys, _token(people[number], system, now))
        tool = chance.choice(_TOOLS)[0] if chance.random() < 0.98 else "no_such_tool"
        yield Call(
            server=ServerName(system),
            method="tools/call",
            authorization=(f"Bearer {raws[number, system]}",),
            context=Context(network=Network(chance.choice(_ADDRESSES), "client/1.0")),
            kind=ResourceKind.TOOL,
            name=tool,
            arguments=_arguments(tool, people[number], chance),
            jsonrpc_id=chance.randrange(10_000),
            protocol_version=chance.choice(["2026-07-28", "2025-11-25"]),
        )


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    tenant: str
    agent: str
    roles: tuple[str, ...]
    attributes: dict[str, str]
    acr: str | None


def _person(number: int, chance: random.Random) -> _Person:
    workload = number % 12 == 11
    agent = f"agent-{3 if workload else number % 3}"
    roles = () if workload else tuple(chance.sample(_ROLES, 1 + number % 2))
    attributes = {} if workload or number % 3 == 0 else {"region": chance.choice(_REGIONS)}
    return _Person(
        name=agent if workload else f"usr_{number}",
        tenant=list(_TENANTS)[number % 3],
        agent=agent,
        roles=roles,
        attributes=attributes,
        acr=chance.choice(["pwd", "mfa", None]),
    )


def _token(person: _Person, system: str, now: int) -> AccessToken:
    scopes = [f"{system}:items.{one}" for one in ("read", "write", "delete")]
    return AccessToken(
        iss=_URL,
        sub=person.name,
        aud=audience_of(_URL, ServerName(system)),
        client_id=ClientId(f"cli_{person.agent}"),
        jti=f"jti_{person.name}_{system}",
        iat=FixedClock(now).now(),
        exp=FixedClock(now + _LIFETIME).now(),
        scopes=tuple(ScopeName(one) for one in scopes[: 2 if len(person.name) % 2 else 3]),
        grant_id=GrantId(f"gnt_{person.name}"),
        agent_id=AgentId(person.agent),
        organization_id=TenantId(person.tenant),
        environment=Environment("prod"),
        sensitivity=Sensitivity.HIGH,
        roles=person.roles,
        attributes=MappingProxyType(person.attributes),
        purpose="customer-care",
        auth_time=FixedClock(now).now(),
        acr=person.acr,
        amr=("pwd",),
    )


def _arguments(tool: str, person: _Person, chance: random.Random) -> JsonObject:
    tenant = person.tenant if chance.random() < 0.9 else "globex"
    arguments: JsonObject = {"organization_id": tenant, "note": "as agreed on the telephone"}
    if "pay" in tool:
        arguments["amount"] = round(chance.expovariate(1 / 300), 2)
        arguments["currency"] = chance.choice(["EUR", "USD"])
    if "export" in tool:
        arguments["rows"] = chance.randrange(5_000)
        arguments["labels"] = chance.sample(["hr", "public", "secret"], 2)
    return arguments


_TOOLS: Final = tuple(
    (f"{verb}_{noun}", operation, scope, sensitivity)
    for noun in ("account", "order", "file")
    for verb, operation, scope, sensitivity in (
        ("get", "read", "read", "low"),
        ("pay", "write", "write", "medium"),
        ("export", "export", "delete", "high"),
    )
)


def _scopes() -> Iterator[str]:
    for system in _SYSTEMS:
        for one, level in (("read", "low"), ("write", "medium"), ("delete", "high")):
            yield f"{system}:items.{one}:"
            yield f"  title: {one} {system}\n  description: To {one} things in {system}."
            yield f"  sensitivity: {level}"


def _role_lines() -> Iterator[str]:
    yield "roles:"
    for place, role in enumerate(_ROLES):
        held = [
            f"{system}:items.{one}" for system in _SYSTEMS for one in ("read", "write", "delete")
        ]
        kept = [one for number, one in enumerate(held) if (number + place) % 4 or role == "finance"]
        yield f"  {role}:\n    description: {role}\n    scopes: [{', '.join(kept)}]"


def _agent(number: int, every: str) -> Iterator[str]:
    scopes = [f"{system}:items.{one}" for system in _SYSTEMS for one in ("read", "write", "delete")]
    kind = "workload" if number == 3 else "assistant"
    yield f"name: Agent {number}\nowner: it@acme.example\nclass: {kind}\npurpose: To work."
    yield f"scopes: [{', '.join(scopes[number:])}]\nenvironments: [prod]\ntenants: [{every}]"
    yield "max_sensitivity: high"


def _server(system: str) -> Iterator[str]:
    yield f"title: {system}\ndescription: {system}\nowner: it@acme.example\nshared: true"
    yield f"environment: prod\nupstream: {{ http: {{ url: 'https://{system}.example/mcp' }} }}\ntools:"
    for name, operation, scope, sensitivity in _TOOLS:
        yield f"  {name}:\n    description: {name}\n    operation: {operation}"
        yield f"    scopes: [{system}:items.{scope}]\n    sensitivity: {sensitivity}"
        yield "    arguments:\n      organization_id: { type: string, required: true, audit: keep }"
        if "pay" in name:
            yield "      amount: { type: money, currency_from: /currency, required: true }"
        if "export" in name:
            yield "      rows: { type: integer, required: true }"
            yield "      labels: { type: strings }"


def _policies() -> Iterator[str]:
    yield '@id("issue")\npermit (principal, action == Remit::Action::"issue", resource);'
    yield '@id("calls")\npermit (principal, action in Remit::Action::"call", resource);'
    for system in _SYSTEMS:
        yield f'@id("{system}-own-organisation")\n@refusal("not your organisation")'
        yield f'forbid (principal, action in Remit::Action::"server/{system}", resource)'
        yield "when { context.arguments.organization_id != principal.tenant };"
        for noun in ("account", "order"):
            yield f'@id("{system}-{noun}-limit")\n@refusal("too much")'
            yield f'forbid (principal, action == Remit::Action::"{system}/pay_{noun}", resource)'
            yield 'when { context.arguments.amount.value.greaterThan(decimal("500.00")) };'
        yield f'@id("{system}-exports-by-day")\n@refusal("not at night")'
        yield f'forbid (principal, action == Remit::Action::"{system}/export_file", resource)'
        yield "when { context.time.hour < 8 || context.time.hour >= 18 };"
    yield '@id("interns-read")\n@refusal("interns read")'
    yield 'forbid (principal, action in [Remit::Action::"write", Remit::Action::"export"], resource)'
    yield 'when { principal.roles.contains("intern") };'
    yield '@id("region")\n@refusal("not from there")'
    yield 'forbid (principal, action in Remit::Action::"export", resource)'
    yield 'when { principal.hasTag("region") && principal.getTag("region") == "apac" };'
    yield '@id("secret-labels")\n@refusal("not these")'
    yield 'forbid (principal, action in Remit::Action::"export", resource)'
    yield 'when { context.arguments has labels && context.arguments.labels.contains("secret") };'
    yield '@id("outside")\n@refusal("only from inside")'
    yield 'forbid (principal, action in Remit::Action::"export", resource)'
    yield 'unless { context has ip && context.ip.isInRange(ip("10.0.0.0/8")) };'
