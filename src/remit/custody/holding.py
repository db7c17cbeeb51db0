"""Holds: what is about somebody is neither erased nor pruned while one stands. Two people set it, two people lift it.

A hold that was only asked for holds as well, for three days, so that nothing is destroyed while the second person is looked for.
Refused: the word of one person for both steps, under whatever account.

Source: AUDIT §1.6; FRCP 37(e) for why; NIST SP 800-53 AC-5.
"""

from dataclasses import replace
from typing import ClassVar, Final

from remit.audit.context import Context
from remit.audit.detectors import scrubbed
from remit.audit.events import HoldLifted, HoldLiftRequested, HoldRequested, HoldSet
from remit.clock import EpochSeconds
from remit.custody.hold_store import Hold, HoldState, Word, add_hold, change_hold, holds_of
from remit.custody.key_store import lock_custody
from remit.db import Transaction
from remit.errors import ConflictError, Error
from remit.ids import new_id

__all__ = [
    "ASKED_HOLDS_FOR",
    "OnePersonError",
    "covering",
    "lift_hold",
    "request_hold",
    "request_lift",
    "set_hold",
]

ASKED_HOLDS_FOR: Final = 3 * 86_400
"""Seconds."""


class OnePersonError(Error):
    """The second word has to be somebody else's."""

    code: ClassVar[str] = "not_a_second_person"


def request_hold(
    tx: Transaction, *, tenant: str, subject: str | None, word: Word, context: Context
) -> Hold:
    """Ask that nothing about `subject`, a digest, be destroyed (`None`: about anybody of `tenant`)."""
    word = _looked_through(word)
    lock_custody(tx)  # whoever erases meanwhile is done, or is told of this one
    hold = Hold(id=new_id("hld"), tenant=tenant, subject=subject, requested=word)
    add_hold(tx, hold)
    tx.record(
        HoldRequested(context=context, hold=hold.id, reason=word.reason, subject_digest=subject)
    )
    return hold


def set_hold(tx: Transaction, hold: Hold, *, word: Word, context: Context) -> Hold:
    """Agree.

    Raises:
        OnePersonError: whoever asked for it agrees.
        ConflictError: it does not wait for that.
    """
    _require_state(hold, HoldState.REQUESTED)
    _require_another(word, hold.requested)
    after = _changed(tx, hold, replace(hold, set_by=word.by, set_at=word.at))
    tx.record(HoldSet(context=context, hold=hold.id))
    return after


def request_lift(tx: Transaction, hold: Hold, *, word: Word, context: Context) -> Hold:
    """Ask that a hold end.

    Raises:
        ConflictError: it does not stand.
    """
    word = _looked_through(word)
    if hold.state is not HoldState.REQUESTED:  # to say that one is not needed takes two as well
        _require_state(hold, HoldState.SET)
    after = _changed(tx, hold, replace(hold, lift=word))
    tx.record(HoldLiftRequested(context=context, hold=hold.id, reason=word.reason))
    return after


def lift_hold(tx: Transaction, hold: Hold, *, word: Word, context: Context) -> Hold:
    """Agree to that, too: it stands no longer.

    Raises:
        OnePersonError: whoever asked for that agrees.
        ConflictError: nobody asked for it.
    """
    _require_state(hold, HoldState.LIFT_REQUESTED)
    assert hold.lift is not None  # noqa: S101  the state says so
    _require_another(word, hold.lift)
    after = _changed(tx, hold, replace(hold, lifted_by=word.by, lifted_at=word.at))
    tx.record(HoldLifted(context=context, hold=hold.id))
    return after


def covering(
    tx: Transaction, *, tenant: str | None, subject: str | None, now: EpochSeconds
) -> list[Hold]:
    """The holds that stand for `subject` of `tenant`; without a subject, for anybody; without a tenant, anywhere."""
    return [
        hold
        for hold in holds_of(tx, tenant=tenant)
        if _stands(hold, now) and (subject is None or hold.subject in {None, subject})
    ]


def _stands(hold: Hold, now: EpochSeconds) -> bool:
    if hold.set_at is not None:
        return hold.lifted_at is None
    return hold.lifted_at is None and now < hold.requested.at + ASKED_HOLDS_FOR


def _looked_through(word: Word) -> Word:
    """`word`, its reason without what looks like a secret: it stands in the database for as long as the hold does."""
    return replace(word, reason=scrubbed(word.reason))


def _changed(tx: Transaction, before: Hold, after: Hold) -> Hold:
    if not change_hold(tx, before, after):
        raise ConflictError("somebody else changed it just now; look again")
    return after


def _require_state(hold: Hold, state: HoldState) -> None:
    if hold.state is not state:
        raise ConflictError(f"the hold is `{hold.state.value}`")


def _require_another(word: Word, first: Word) -> None:
    if not word.known_as:
        raise OnePersonError("it is not known who agrees; somebody who is known has to")
    if set(word.known_as) & set(first.known_as):
        raise OnePersonError(
            "you asked for it, so that somebody else has to agree, under whatever account or client"
        )
