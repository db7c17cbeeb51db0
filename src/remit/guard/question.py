"""The question to the decision point, made of verified facts alone.

Only the arguments are the caller's own words, and they are typed by the catalog.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remit.clock import EpochSeconds
from remit.guard.caller import Caller
from remit.guard.limits import is_workload
from remit.guard.target import Target
from remit.ids import ScopeName
from remit.policy.evaluation import (
    AgentFacts,
    ArgumentValue,
    Context,
    Evaluation,
    Phase,
    Subject,
    SubjectKind,
    TokenFacts,
)

__all__ = ["Moment", "question"]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a call comes, and from where."""

    now: EpochSeconds
    ip: str | None


def question(
    phase: Phase,
    caller: Caller,
    *,
    target: Target,
    scopes: Sequence[ScopeName],
    arguments: Mapping[str, ArgumentValue] | None,
    moment: Moment,
) -> Evaluation:
    """May `caller`, holding `scopes`, use `target` with `arguments`?"""
    token, agent = caller.token, caller.agent
    return Evaluation(
        phase=phase,
        subject=Subject(
            kind=SubjectKind.WORKLOAD if is_workload(token) else SubjectKind.USER,
            id=token.sub,
            tenant=token.organization_id,
            roles=token.roles,
            attributes=token.attributes,
        ),
        agent=AgentFacts(
            id=agent.id,
            agent_class=agent.agent_class,
            owner=agent.owner,
            max_sensitivity=caller.clearance,
        ),
        token=TokenFacts(
            client_id=token.client_id,
            scopes=tuple(scopes),
            acr=token.acr,
            amr=token.amr,
            auth_time=token.auth_time,
            purpose=token.purpose,
        ),
        resource=target.facts,
        context=Context(
            now=moment.now,
            time_zone=caller.catalog.tenants[token.organization_id].time_zone,
            ip=moment.ip,
            arguments=arguments,
        ),
    )
