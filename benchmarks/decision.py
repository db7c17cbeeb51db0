"""One decision: Cedar through the engine and the decision point, then the whole of `Guard.decide`.

The floor is the bare call of the Cedar binding in the same run: the same question, every
handle parsed beforehand, no translation and no rule around it. At each number of policies a
tenth concern the tool that is asked about, as in a repository with policies per tool; the
column "one scan" is the floor over all of them, which is what Cedar does without buckets.
*Anew* hands Cedar the bucket and all that is known; *decision point*, *list* and `guard.decide`
are asked the very same thing again and again, so that they show what a decision costs that may
be reused: `benchmarks.protected_call` has those that may not.
Times are of the processor, in the fastest run, so that other work counts as little as it can.
"""

import asyncio
import time

from cedarpy import Entities, PolicySet, is_authorized

from remit.audit.context import Context as AuditContext
from remit.audit.context import Network
from remit.audit.redact import Redactor
from remit.guard import Call, Guard, GuardSettings, Permit, Standing
from remit.guard.definitions import NO_DEFINITIONS
from remit.model import AgentClass, Operation, Sensitivity
from remit.policy import (
    AgentFacts,
    CedarEngine,
    Context,
    DecisionPoint,
    Evaluation,
    Phase,
    PolicySource,
    ResourceFacts,
    ResourceKind,
    Subject,
    SubjectKind,
    TokenFacts,
)
from remit.policy.buckets import could_matter
from remit.policy.cedar_request import (
    context_json,
    principal_entity,
    principal_uid,
    resource_entities,
    resource_uid,
)
from remit.policy.check import checked_policies, schema_handle
from remit.policy.vocabulary import ACTION_TYPE, group_names
from remit.testing.audit import InMemoryAuditLog
from remit.testing.catalog import ACME, CRM, PROD, small_catalog
from remit.testing.clock import FixedClock
from remit.tokens import AccessToken, KeySet, SigningKey, TokenVerifier, audience_of, mint

URL = "https://remit.example"
RUNS = 15
TOOLS = ("get_account", "update_account", "export_accounts", "read_tenant")


def policies(count: int) -> str:
    """One permit for everybody; a tenth of the rest about the tool asked for, nine tenths about others."""
    lines = ['@id("everyone") permit(principal, action in Remit::Action::"call", resource);']
    for n in range(count - 1):
        tool = TOOLS[0] if n % 10 == 0 else TOOLS[1 + n % 3]
        lines.append(
            f'@id("rule-{n}") @refusal("not now") '
            f'forbid(principal, action == Remit::Action::"crm/{tool}", resource) '
            f'when {{ context.time.hour > 22 && principal.roles.contains("role-{n}") }};'
        )
    return "\n".join(lines)


def micros(work, seconds: float = 0.25) -> float:
    """The mean time of one `work()` in the fastest of several runs."""
    for _ in range(20):
        work()
    samples = []
    for _ in range(RUNS):
        count, started = 0, time.thread_time()
        while time.thread_time() - started < seconds / RUNS or count < 10:
            work()
            count += 1
        samples.append((time.thread_time() - started) / count * 1e6)
    return min(samples)


def evaluation(clock: FixedClock) -> Evaluation:
    return Evaluation(
        phase=Phase.CALL,
        subject=Subject(kind=SubjectKind.USER, id="usr_1", tenant=ACME, roles=("support",)),
        agent=AgentFacts(
            id="assistant",
            agent_class=AgentClass.ASSISTANT,
            owner="platform",
            max_sensitivity=Sensitivity.HIGH,
        ),
        token=TokenFacts(client_id="cli_1", scopes=("crm:accounts.read",)),
        resource=ResourceFacts(
            kind=ResourceKind.TOOL,
            server=CRM,
            name="get_account",
            tenant=None,
            environment=PROD,
            operation=Operation.READ,
            sensitivity=Sensitivity.LOW,
            owner="sales",
        ),
        context=Context(
            now=clock.now(),
            time_zone="Europe/Berlin",
            ip="192.0.2.1",
            arguments={"account": "acc_1"},
        ),
    )


def floors(text: str, question: Evaluation) -> tuple[float, float]:
    """The bare call over the bucket and over everything, all handles parsed."""
    catalog = small_catalog()
    checked, _ = checked_policies([PolicySource(text, "bench.cedar")], catalog)
    schema, action = schema_handle(catalog), "crm/get_account"
    entities = Entities.from_json_str(resource_entities(question.resource, action))
    entities = entities.with_added_json_str(principal_entity(question.subject))
    request = {
        "principal": principal_uid(question.subject),
        "action": {"type": ACTION_TYPE, "id": action},
        "resource": resource_uid(question.resource),
        "context": context_json(question),
    }
    groups = group_names(CRM, Operation.READ)
    bucket = "\n".join(checked[n].text for n in could_matter(checked, action, groups))
    some, every = PolicySet.from_str(bucket), PolicySet.from_str(text)
    return (
        micros(lambda: is_authorized(request, some, entities, schema)),
        micros(lambda: is_authorized(request, every, entities, schema)),
    )


def token_of(clock: FixedClock) -> tuple[TokenVerifier, str]:
    keys = KeySet([SigningKey.generate(clock.now())])
    token = AccessToken(
        iss=URL,
        sub="usr_1",
        aud=audience_of(URL, CRM),
        client_id="cli_1",
        jti="jti_1",
        iat=clock.now(),
        exp=clock.now() + 600,
        scopes=("crm:accounts.read",),
        grant_id="gnt_1",
        agent_id="assistant",
        organization_id=ACME,
        environment=PROD,
        sensitivity=Sensitivity.HIGH,
        roles=("support",),
    )
    return TokenVerifier(keys, URL, clock), mint(keys, token)


class Directory:
    """The small catalog, and nobody stopped."""

    def __init__(self, clock: FixedClock) -> None:
        self.catalog = small_catalog()
        self.standing = Standing(as_of=clock.now())
        self.definitions = NO_DEFINITIONS


def guard_of(engine: CedarEngine, clock: FixedClock) -> tuple[Guard, Call]:
    verifier, raw = token_of(clock)
    guard = Guard(
        verifier,
        Directory(clock),
        decisions=DecisionPoint(engine, clock),
        audit=InMemoryAuditLog(),
        redactor=Redactor(b"k" * 32),
        settings=GuardSettings(public_url=URL),
    )
    call = Call(
        server=CRM,
        method="tools/call",
        authorization=(f"Bearer {raw}",),
        context=AuditContext(network=Network("192.0.2.1")),
        kind=ResourceKind.TOOL,
        name="get_account",
        arguments={"account": "acc_1"},
        protocol_version="2026-07-28",
    )
    return guard, call


def main() -> None:
    """Print one line for each number of policies."""
    clock = FixedClock()
    question = evaluation(clock)
    print(
        "| policies | floor: bare call | one scan | anew | decision point | list | guard.decide |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in (10, 100, 1000):
        text = policies(count)
        floor, scan = floors(text, question)
        engine = CedarEngine.load([PolicySource(text, "bench.cedar")], small_catalog())
        point = DecisionPoint(engine, clock)
        assert point.decide(question).allowed
        anew = micros(lambda: engine.evaluate_anew(question))  # noqa: B023  the same
        decided = micros(lambda: point.decide(question))  # noqa: B023  measured before the next turn
        open_question = Evaluation(
            phase=Phase.LIST,
            subject=question.subject,
            agent=question.agent,
            token=question.token,
            resource=question.resource,
            context=Context(now=clock.now(), time_zone="Europe/Berlin", ip="192.0.2.1"),
        )
        listed = micros(lambda: point.decide(open_question))  # noqa: B023  the same
        whole = asyncio.run(_whole(engine, clock))
        figures = (floor, scan, anew, decided, listed, whole)
        print(f"| {count} | " + " | ".join(f"{figure:,.0f} µs" for figure in figures) + " |")
    print(f"\ntoken, verdict remembered: {_token(clock):.1f} µs")


async def _whole(engine: CedarEngine, clock: FixedClock) -> float:
    """The whole ladder with a remembered token and a log that takes the event at once."""
    guard, call = guard_of(engine, clock)
    assert isinstance(await guard.decide(call), Permit)
    samples = []
    for _ in range(RUNS):
        started = time.thread_time()
        for _ in range(100):
            await guard.decide(call)
        samples.append((time.thread_time() - started) / 100 * 1e6)
    return min(samples)


def _token(clock: FixedClock) -> float:
    verifier, raw = token_of(clock)
    return micros(lambda: verifier.verify(raw, audience=audience_of(URL, CRM)))


if __name__ == "__main__":
    main()
