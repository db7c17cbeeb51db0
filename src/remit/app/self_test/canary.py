"""Whether a policy that fails while it is evaluated refuses the call.

Cedar leaves out a policy that fails; if the decision point did not make a refusal of that, a `forbid` with a
mistake in it would be a permission (docs/adr/0006). It passes every check, so only a call can tell.
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from remit.clock import Clock
from remit.ids import AgentId, ClientId, ScopeName, ServerName, TenantId
from remit.model import (
    AgentClass,
    Catalog,
    Environment,
    HttpUpstream,
    Operation,
    Sensitivity,
    Server,
    Tool,
)
from remit.policy import CedarEngine, DecisionPoint, PolicySource, ResourceKind
from remit.policy.decision import DecisionReason
from remit.policy.evaluation import (
    AgentFacts,
    Context,
    Evaluation,
    Phase,
    ResourceFacts,
    Subject,
    SubjectKind,
    TokenFacts,
)

__all__ = ["failing_policy_refuses"]

_POLICIES: Final = """
@id("permits-everything")
permit (principal, action, resource);

@id("fails")
forbid (principal, action, resource)
when { 9223372036854775807 + context.time.hour + 1 > 0 };
"""
_NAME: Final = ServerName("self-test")
_TENANT: Final = TenantId("self-test")
_ENVIRONMENT: Final = Environment("self-test")
_TOOL: Final = Tool(
    name="canary",
    operation=Operation.READ,
    scopes=(ScopeName("self-test:canary"),),
    sensitivity=Sensitivity.LOW,
)
_SERVER: Final = Server(
    name=_NAME,
    title="Self-test",
    owner="remit",
    tenant=None,
    environment=_ENVIRONMENT,
    upstream=HttpUpstream(url="about:blank"),
    tools=MappingProxyType({_TOOL.name: _TOOL}),
)


def failing_policy_refuses(catalog: Catalog, clock: Clock) -> bool:
    """Whether the engine and the decision point that serve refuse when a `forbid` fails."""
    alone = replace(catalog, servers=MappingProxyType({_NAME: _SERVER}))
    engine = CedarEngine.load([PolicySource(_POLICIES, "self-test.cedar")], alone)
    decision = DecisionPoint(engine, clock).decide(_question(clock))
    return not decision.allowed and decision.reason is DecisionReason.ENGINE_ERROR


def _question(clock: Clock) -> Evaluation:
    return Evaluation(
        phase=Phase.CALL,
        subject=Subject(kind=SubjectKind.USER, id="self-test", tenant=_TENANT),
        agent=AgentFacts(
            id=AgentId("self-test"),
            agent_class=AgentClass.WORKLOAD,
            owner="remit",
            max_sensitivity=Sensitivity.LOW,
        ),
        token=TokenFacts(client_id=ClientId("self-test"), scopes=_TOOL.scopes),
        resource=ResourceFacts(
            kind=ResourceKind.TOOL,
            server=_NAME,
            name=_TOOL.name,
            tenant=None,
            environment=_ENVIRONMENT,
            operation=_TOOL.operation,
            sensitivity=_TOOL.sensitivity,
        ),
        context=Context(now=clock.now(), time_zone="UTC", arguments=MappingProxyType({})),
    )
