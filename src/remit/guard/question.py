"""The question to the decision point, made of verified facts alone.

Only the arguments and the justification are the caller's own words; the catalog types the one, and
`justification` says what may be the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remit.clock import EpochSeconds
from remit.guard.caller import Caller
from remit.guard.target import Target
from remit.ids import ScopeName
from remit.model import MANAGEMENT, ExternalEngine
from remit.policy.evaluation import ArgumentValue, Context, Evaluation, Phase

__all__ = ["Moment", "question"]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a call comes, from where, and why."""

    now: EpochSeconds
    ip: str | None
    networks: tuple[str, ...] = ()
    justification: str | None = None


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
    return Evaluation(
        phase=phase,
        subject=caller.subject,
        agent=caller.agent_facts,
        token=caller.token_facts(scopes),
        resource=target.facts,
        engine=_engine(caller),
        context=Context(
            now=moment.now,
            time_zone=caller.catalog.tenants[caller.token.organization_id].time_zone,
            ip=moment.ip,
            arguments=arguments,
            networks=moment.networks,
            justification=moment.justification,
        ),
    )


def _engine(caller: Caller) -> ExternalEngine | None:
    """The engine that the server's file names, or else the tenant; of Remit's own management never one."""
    catalog, server = caller.catalog, caller.server
    name = server.engine or catalog.tenants[caller.token.organization_id].engine
    if name is None or server.name == MANAGEMENT.name:
        return None
    return catalog.engines[name]
