"""The question to the decision point, made of verified facts alone.

Only the arguments and the justification are the caller's own words; the catalog types the one, and
`justification` says what may be the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remit.clock import EpochSeconds
from remit.guard.caller import Caller
from remit.guard.justification import told_by_name
from remit.guard.target import Target
from remit.ids import ScopeName
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
        engine=caller.engine,
        context=Context(
            now=moment.now,
            time_zone=caller.time_zone,
            ip=moment.ip,
            arguments=arguments,
            networks=moment.networks,
            justification=moment.justification,
            told=told_by_name(moment.justification, caller.catalog.approvals.justifications),
        ),
    )
