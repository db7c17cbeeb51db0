"""The SQL of trials: the one that runs, those that ran, and what every process counted under them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Row, Table, Text, insert, select, update

from remit.canonical import Json, canonical_text, parse_json
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.deployment.sealing import BadSignatureError, InstallationKey
from remit.errors import ConflictError
from remit.ids import AgentId

__all__ = [
    "Arm",
    "Count",
    "Trial",
    "TrialState",
    "add_trial",
    "counted",
    "end_trial",
    "put_counts",
    "running_trial",
    "trials_so_far",
]

_PURPOSE: Final = "remit:trial:v1"
_SEALED: Final = (
    "id",
    "bundle",
    "previous",
    "base_sequence",
    "share",
    "refusals",
    "proposal",
    "until",
    "state",
    "detail",
    "started_at",
    "ended_at",
)

trials = Table(
    "trials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("bundle", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("base_sequence", BigInteger, nullable=False),
    Column("share", BigInteger, nullable=False),
    Column("refusals", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("proposal", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("seal", Text, nullable=False),
)
counts = Table(
    "trial_counts",
    metadata,
    Column("trial", Text, primary_key=True),
    Column("instance", Text, primary_key=True),
    Column("arm", Text, primary_key=True),
    Column("agents", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)


class TrialState(StrEnum):
    """What became of a trial."""

    RUNS = "runs"
    COMPLETED = "completed"
    RETURNED = "returned"
    """It refused too much."""
    CANCELLED = "cancelled"
    HELD = "held"
    """Its time is over and it says nothing: somebody has to decide."""


class Arm(StrEnum):
    """Whose calls were counted."""

    TRIAL = "trial"
    """Of the agents in the share, under the bundle on trial."""
    BESIDE = "beside"
    """Of the other agents, meanwhile, under what is in force."""
    BEFORE = "before"
    """Of the agents in the share, before the trial began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`share` percent of the agents are decided by `bundle` until `until`; `refusals` points more end it."""

    id: str
    bundle: str
    previous: str
    base_sequence: int
    share: int
    refusals: int
    state: TrialState
    detail: str
    proposal: str
    started_at: EpochSeconds
    until: EpochSeconds
    ended_at: EpochSeconds | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Calls that were decided, and how many of them were refused."""

    calls: int = 0
    refused: int = 0


def add_trial(tx: Transaction, key: InstallationKey, trial: Trial) -> None:
    """Begin `trial`.

    Raises:
        ConflictError: another one runs.
    """
    if running_trial(tx, key) is not None:
        raise ConflictError("another bundle is on trial; wait for it, or reject its proposal")
    values = {one.name: getattr(trial, one.name) for one in fields(trial)}
    tx.connection.execute(insert(trials).values(**values, seal=_seal(key, trial)))


def running_trial(tx: Transaction, key: InstallationKey) -> Trial | None:
    """The trial that runs, if one does.

    Raises:
        BadSignatureError: its row was not written by this installation.
    """
    row = tx.connection.execute(
        select(trials)
        .where(trials.c.state == TrialState.RUNS.value)
        .order_by(trials.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _checked(row, key)


def trials_so_far(tx: Transaction, key: InstallationKey) -> tuple[Trial, ...]:
    """Every trial, the newest first.

    Raises:
        BadSignatureError: a row was not written by this installation.
    """
    rows = tx.connection.execute(select(trials).order_by(trials.c.id.desc()))
    return tuple(_checked(row, key) for row in rows)


def end_trial(
    tx: Transaction,
    key: InstallationKey,
    trial: Trial,
    state: TrialState,
    *,
    now: EpochSeconds,
    detail: str = "",
) -> bool:
    """End `trial`; whether it still ran, so that of several processes one does what follows."""
    then = replace(trial, state=state, ended_at=now, detail=detail)
    ended = tx.connection.execute(
        update(trials)
        .where(trials.c.id == trial.id, trials.c.state == TrialState.RUNS.value)
        .values(state=state.value, ended_at=now, detail=detail, seal=_seal(key, then))
        .returning(trials.c.id)
    ).scalar()
    return ended is not None


def put_counts(
    tx: Transaction,
    trial: str,
    instance: str,
    *,
    found: Mapping[Arm, Mapping[AgentId, Count]],
    now: EpochSeconds,
) -> None:
    """What this process has counted since the trial began, in place of what it said before."""
    for arm, agents in found.items():
        said: dict[str, Json] = {str(one): [of.calls, of.refused] for one, of in agents.items()}
        values = {"agents": canonical_text(said), "changed_at": now}
        statement = conflict_insert(tx, counts).values(
            trial=trial, instance=instance, arm=arm.value, **values
        )
        tx.connection.execute(
            statement.on_conflict_do_update(
                index_elements=["trial", "instance", "arm"], set_=values
            )
        )


def counted(tx: Transaction, trial: str) -> dict[Arm, dict[AgentId, Count]]:
    """What all processes counted together, of each agent."""
    rows = tx.connection.execute(
        select(counts.c.arm, counts.c.agents).where(counts.c.trial == trial)
    )
    found: dict[Arm, dict[AgentId, Count]] = {}
    for row in rows:
        arm = found.setdefault(Arm(row.arm), {})
        for agent, said in _read_agents(row.agents):
            before = arm.get(agent, Count())
            arm[agent] = Count(before.calls + said.calls, before.refused + said.refused)
    return found


def _read_agents(text: str) -> Iterator[tuple[AgentId, Count]]:
    value = parse_json(text.encode(), max_values=4 * len(text))
    for agent, said in (value if isinstance(value, dict) else {}).items():
        calls, refused = said if isinstance(said, list) else (0, 0)
        yield AgentId(agent), Count(int(str(calls)), int(str(refused)))


def _seal(key: InstallationKey, trial: Trial) -> str:
    values = {one.name: getattr(trial, one.name) for one in fields(trial)}
    return key.seal(_PURPOSE, _sealed(values))


def _sealed(values: Mapping[str, Any]) -> dict[str, Json]:
    # The state too: what was returned or called off is not taken up again by one word in the database.
    return {name: values[name] for name in _SEALED} | {"state": str(values["state"])}


def _checked(row: Row[Any], key: InstallationKey) -> Trial:
    values = row._asdict()
    seal = values.pop("seal")
    if not key.is_sealed(_PURPOSE, _sealed(values), seal):
        raise BadSignatureError(f"the trial `{row.id}` was not written by this installation")
    return Trial(
        **values
        | {
            "state": TrialState(row.state),
            "started_at": EpochSeconds(row.started_at),
            "until": EpochSeconds(row.until),
        }
    )
