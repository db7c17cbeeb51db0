"""The SQL of proposals: what somebody would have in force, what was found about it, who decided.

Each is signed by the installation, in the state that it is in: whoever can write to the database, and nothing more,
neither makes another bundle of it, nor other proposers, nor takes away what it waits for.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Row, Table, Text, insert, select, update

from remit.canonical import Json, JsonObject, canonical_bytes, canonical_text, parse_json
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.deployment.activation_store import How
from remit.deployment.sealing import BadSignatureError, InstallationKey
from remit.errors import ConflictError, Error, NotFoundError

__all__ = [
    "Approval",
    "Proposal",
    "ProposalState",
    "add_approval",
    "add_proposal",
    "approvals_of",
    "is_any_unreviewed",
    "move_proposal",
    "proposal_named",
    "proposals_so_far",
    "report_digest",
]

_MAX_REPORT: Final = 200_000
_PURPOSE: Final = "remit:proposal:v1"

proposals = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("bundle", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("base_sequence", BigInteger, nullable=False),
    Column("how", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("waits_for", Text, nullable=False),
    Column("share", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Column("report_digest", Text, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_as", Text, nullable=False),
    Column("decided_at", BigInteger, nullable=True),
    Column("decided_by", Text, nullable=True),
    Column("decision", Text, nullable=False),
    Column("seal", Text, nullable=False),
)
approvals = Table(
    "proposal_approvals",
    metadata,
    Column("proposal", Text, primary_key=True),
    Column("approved_by", Text, primary_key=True),
    Column("approved_as", Text, nullable=False),
    Column("report_digest", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("approved_at", BigInteger, nullable=False),
)


class ProposalState(StrEnum):
    """How far a proposal has come. `unreviewed`: in force in an emergency, and still to be looked at."""

    WAITS = "waits"
    ON_TRIAL = "on_trial"
    IN_FORCE = "in_force"
    UNREVIEWED = "unreviewed"
    REJECTED = "rejected"
    RETURNED = "returned"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`proposed_as` are all the names under which the proposer is known: none of them may approve it."""

    id: str
    bundle: str
    base: str
    base_sequence: int
    how: How
    stage: str
    reason: str
    state: ProposalState
    waits_for: tuple[str, ...]
    share: int
    report: JsonObject
    report_digest: str
    proposed_at: EpochSeconds
    proposed_by: str
    proposed_as: tuple[str, ...]
    decided_at: EpochSeconds | None = None
    decided_by: str | None = None
    decision: str = ""

    def decided(
        self, state: ProposalState, *, now: EpochSeconds, by: str | None, why: str = ""
    ) -> "Proposal":
        """The proposal in `state`, decided upon by `by`; `None`: by itself."""
        return replace(self, state=state, decided_at=now, decided_by=by, decision=why)

    def held(self, gate: str, *, base_sequence: int, why: str) -> "Proposal":
        """The proposal as it waits again, for `gate` besides, to come into force whole; `why` is shown."""
        return replace(
            self,
            state=ProposalState.WAITS,
            waits_for=tuple(dict.fromkeys((*self.waits_for, gate))),
            base_sequence=base_sequence,
            share=0,
            decided_at=None,
            decided_by=None,
            decision=why,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's word, having been shown the report of that digest."""

    proposal: str
    approved_by: str
    approved_as: tuple[str, ...]
    report_digest: str
    reason: str
    approved_at: EpochSeconds


def report_digest(report: JsonObject) -> str:
    """What an approval names the report by."""
    return hashlib.sha256(canonical_bytes(report)).hexdigest()


def add_proposal(tx: Transaction, key: InstallationKey, proposal: Proposal) -> None:
    """Keep a new proposal."""
    values = {one.name: getattr(proposal, one.name) for one in fields(proposal)}
    listed = {name: canonical_text(list(values[name])) for name in ("waits_for", "proposed_as")}
    report = {"report": canonical_text(proposal.report)}
    tx.connection.execute(
        insert(proposals).values(**values | listed | report, seal=_seal(key, proposal))
    )


def proposal_named(tx: Transaction, key: InstallationKey, proposal: str) -> Proposal:
    """The proposal of that id, checked.

    Raises:
        NotFoundError: there is none.
        BadSignatureError: its row was not written by this installation.
    """
    row = tx.connection.execute(select(proposals).where(proposals.c.id == proposal)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such proposal")
    return _checked(row, key)


def proposals_so_far(
    tx: Transaction, key: InstallationKey, *, state: ProposalState | None = None
) -> tuple[Proposal, ...]:
    """Every proposal, or those in `state`, the newest first.

    Raises:
        BadSignatureError: a row was not written by this installation.
    """
    statement = select(proposals).order_by(proposals.c.id.desc())
    if state is not None:
        statement = statement.where(proposals.c.state == state.value)
    return tuple(_checked(row, key) for row in tx.connection.execute(statement))


def is_any_unreviewed(tx: Transaction, key: InstallationKey) -> bool:
    """Whether something came into force in an emergency that nobody else has looked at yet.

    Raises:
        BadSignatureError: a row was not written by this installation.
    """
    return bool(proposals_so_far(tx, key, state=ProposalState.UNREVIEWED))


def move_proposal(
    tx: Transaction, key: InstallationKey, proposal: Proposal, then: Proposal
) -> None:
    """Make of `proposal`, in the state that it was read in, what it is `then`.

    Raises:
        ConflictError: somebody else moved it meanwhile.
    """
    moved = tx.connection.execute(
        update(proposals)
        .where(proposals.c.id == proposal.id, proposals.c.state == proposal.state.value)
        .values(
            state=then.state.value,
            waits_for=canonical_text(list(then.waits_for)),
            base_sequence=then.base_sequence,
            share=then.share,
            decided_at=then.decided_at,
            decided_by=then.decided_by,
            decision=then.decision,
            seal=_seal(key, then),
        )
        .returning(proposals.c.id)
    ).scalar()
    if moved is None:
        raise ConflictError("somebody else decided about the proposal meanwhile")


def add_approval(tx: Transaction, approval: Approval) -> None:
    """Keep one person's word; a second word of theirs changes nothing."""
    statement = conflict_insert(tx, approvals).values(
        proposal=approval.proposal,
        approved_by=approval.approved_by,
        approved_as=canonical_text(list(approval.approved_as)),
        report_digest=approval.report_digest,
        reason=approval.reason,
        approved_at=approval.approved_at,
    )
    tx.connection.execute(statement.on_conflict_do_nothing())


def approvals_of(tx: Transaction, proposal: str) -> tuple[Approval, ...]:
    """Who approved, in the order that they did."""
    rows = tx.connection.execute(
        select(approvals)
        .where(approvals.c.proposal == proposal)
        .order_by(approvals.c.approved_at, approvals.c.approved_by)
    )
    return tuple(
        Approval(
            proposal=row.proposal,
            approved_by=row.approved_by,
            approved_as=_texts(row.approved_as),
            report_digest=row.report_digest,
            reason=row.reason,
            approved_at=EpochSeconds(row.approved_at),
        )
        for row in rows
    )


def _seal(key: InstallationKey, proposal: Proposal) -> str:
    return key.seal(_PURPOSE, _sealed(proposal))


def _sealed(proposal: Proposal) -> dict[str, Json]:
    """Everything but the report itself, which its digest stands for."""
    values = {one.name: getattr(proposal, one.name) for one in fields(proposal)}
    del values["report"]
    return values | {
        "how": proposal.how.value,
        "state": proposal.state.value,
        "waits_for": list(proposal.waits_for),
        "proposed_as": list(proposal.proposed_as),
    }


def _checked(row: Row[Any], key: InstallationKey) -> Proposal:
    try:
        proposal = _proposal(row)
        whole = report_digest(proposal.report) == proposal.report_digest
    except (Error, ValueError) as error:
        raise _altered(row) from error
    if not whole or not key.is_sealed(_PURPOSE, _sealed(proposal), row.seal):
        raise _altered(row)
    return proposal


def _altered(row: Row[Any]) -> BadSignatureError:
    return BadSignatureError(f"the proposal `{row.id}` was not written by this installation")


def _proposal(row: Row[Any]) -> Proposal:
    values: Mapping[str, Any] = row._asdict()
    report: Json = parse_json(row.report.encode(), max_values=_MAX_REPORT)
    return Proposal(
        **{name: value for name, value in values.items() if name != "seal"}
        | {
            "how": How(row.how),
            "state": ProposalState(row.state),
            "waits_for": _texts(row.waits_for),
            "proposed_as": _texts(row.proposed_as),
            "report": report if isinstance(report, dict) else {},
            "proposed_at": EpochSeconds(row.proposed_at),
        }
    )


def _texts(text: str) -> tuple[str, ...]:
    value = parse_json(text.encode())
    return tuple(str(one) for one in value) if isinstance(value, list) else ()
