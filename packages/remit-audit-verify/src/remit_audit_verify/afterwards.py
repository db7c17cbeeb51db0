"""What can only be said when all logs are read: what they say of each other, and how new the newest proof is.

Source: AUDIT §1.4.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from remit_audit_verify.claims import Claims
from remit_audit_verify.clock import MAX_SKEW, epoch_ms
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.note import parse_checkpoint
from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport
from remit_audit_verify.stream_files import CHECKPOINTS, KEYS, WITNESSED
from remit_audit_verify.timestamps import TIMESTAMPS

__all__ = ["conclude"]

_SHOWN = 5


def conclude(
    report: VerifyReport, kept: Sequence[str], evidence: Evidence, *, claims: Claims
) -> VerifyReport:
    """`report`, with what follows from all of its streams together."""
    for stream in report.streams:
        _confirm_keys(stream)
        _confirm_changes(stream)
        _confirm_pruned(stream, claims)
        _demand_signatures(stream)
        _demand_witnesses(stream, evidence)
        if evidence.roots and not stream.stamped:
            what = "no checkpoint has a time stamp of an authority that is believed"
            stream.add(Problem("stamp", TIMESTAMPS, what=what), Verdict.INCOMPLETE)
    if evidence.max_age is not None:
        _demand_new(report.streams, evidence, claims)
    missing = _missing(report, kept, evidence, claims)
    notes = tuple(_calls(claims))
    return replace(report, failure="; ".join(missing) or None, notes=notes)


def _confirm_keys(stream: StreamReport) -> None:
    """Every key that signed is a trusted one, or follows one, or came before it, as a record says that a trusted one signed."""
    trusted = set(stream.trusted)
    while True:
        signed = max((stream.signers.get(key, 0) for key in trusted), default=0)
        found = {
            key
            for sequence, former, verifier in stream.successions
            if sequence < signed and {former, verifier} & trusted
            for key in (former, verifier)
        }
        if found <= trusted:
            break
        trusted |= found
    if any(key not in trusted for key in stream.signers):
        stream.proven = min(stream.proven, signed)
        what = (
            "a key that is not the pinned one signed, and nothing that is signed by that names it"
        )
        verdict = Verdict.INCOMPLETE if stream.first else Verdict.TAMPERED
        stream.add(Problem("key", KEYS, what=what), verdict)


def _confirm_changes(stream: StreamReport) -> None:
    """A key that was replaced signs no more: whoever has it, and no other, could else go on with the log."""
    for sequence, former, verifier in stream.successions:
        began = stream.begins.get(verifier)
        if began is None or began <= sequence:
            continue
        late = [
            size
            for keys, size in stream.signings.items()
            if former in keys and verifier not in keys and size > began
        ]
        if late:
            what = f"a key that was replaced at record {sequence} signs {max(late)} records"
            stream.add(Problem("key", CHECKPOINTS, what=what), Verdict.TAMPERED)
            return


def _demand_signatures(stream: StreamReport) -> None:
    """A log that is signed every second has no long end that nobody signed, unless its checkpoints were removed."""
    if stream.verdict is Verdict.TAMPERED or not stream.records > stream.proven:
        return
    begin, end = (epoch_ms(one or "") for one in (stream.unsigned_from, stream.last_time))
    long = begin is not None and end is not None and end - begin > MAX_SKEW * 1_000
    if stream.checkpoints and not long:
        return
    what = "no checkpoint signs them: the signer was away, or checkpoints were removed"
    problem = Problem("unsigned", CHECKPOINTS, None, stream.proven, stream.records - 1, what)
    stream.add(problem, Verdict.INCOMPLETE)


def _confirm_pruned(stream: StreamReport, claims: Claims) -> None:
    if not stream.first:
        return
    if claims.pruned.get(stream.origin, 0) < stream.first:
        what = "removed, and no record says that they were pruned"
        problem = Problem("pruned", "tile", sequence=0, through=stream.first - 1, what=what)
        stream.add(problem, Verdict.TAMPERED)
    elif stream.proven < stream.first:
        what = "no checkpoint signs the hashes of what was pruned"
        problem = Problem("pruned", "tile", sequence=0, through=stream.first - 1, what=what)
        stream.add(problem, Verdict.INCOMPLETE)


def _demand_witnesses(stream: StreamReport, evidence: Evidence) -> None:
    if evidence.policy.demands and not stream.witnessed:
        what = "no checkpoint has the signatures of witnesses that the policy demands"
        stream.add(Problem("quorum", WITNESSED, what=what), Verdict.INCOMPLETE)


def _demand_new(streams: Sequence[StreamReport], evidence: Evidence, claims: Claims) -> None:
    """A log is new enough by its own proof, or because a joined log that is knows nothing newer of it."""
    assert evidence.max_age is not None  # noqa: S101  the caller looked
    oldest = (evidence.now - evidence.max_age) * 1_000
    newest = (
        evidence.now + MAX_SKEW
    ) * 1_000  # what claims to be of the future is no proof of today
    fresh = {one.origin: oldest <= (_newest(one, evidence) or 0) <= newest for one in streams}
    joined = any(is_fresh and log.endswith("/joined") for log, is_fresh in fresh.items())
    known = claims.last_joined() if joined else {}
    for stream in streams:
        covered = stream.origin in known and stream.proven >= known[stream.origin] > 0
        if not fresh[stream.origin] and not covered:
            what = f"the newest proof is not of the last {evidence.max_age} seconds"
            stream.add(Problem("stale", CHECKPOINTS, what=what), Verdict.STALE)


def _newest(stream: StreamReport, evidence: Evidence) -> int | None:
    """When the newest proof was made, in milliseconds: by witnesses where they are demanded, else as the log says."""
    if evidence.policy.demands:
        return None if stream.witnessed_at is None else stream.witnessed_at * 1_000
    return None if stream.proven_time is None else epoch_ms(stream.proven_time)


def _missing(
    report: VerifyReport, kept: Sequence[str], evidence: Evidence, claims: Claims
) -> list[str]:
    here = {stream.origin for stream in report.streams}
    found = [] if report.failure is None else [report.failure]
    if any(parse_checkpoint(note).checkpoint.origin not in here for note in kept):
        found.append("a checkpoint that was kept is of a log that is not here")
    if any(one.log not in here for one in evidence.receipts):
        found.append("a receipt is of a log that is not here")
    found += [
        f"`{log}`, which the joined log has with {size} records, is not here"
        for log, size in sorted(claims.last_joined().items())
        if log not in here
    ]
    return found


def _calls(claims: Claims) -> Iterator[str]:
    """Calls that were allowed and of which nothing tells what became of them, in any log; and the other way round."""
    opened = {d: (log, n) for log, calls in claims.calls.items() for d, n in calls.opened.items()}
    closed = {d: (log, n) for log, calls in claims.calls.items() for d, n in calls.closed.items()}
    for words, ours, theirs in (
        ("were allowed and have no outcome", opened, closed),
        ("have an outcome and no decision", closed, opened),
    ):
        left = {decision: place for decision, place in ours.items() if decision not in theirs}
        if left:
            shown = sorted(left.values())[:_SHOWN]
            places = ", ".join(f"record {number} of {log}" for log, number in shown)
            more = ", …" if len(left) > _SHOWN else ""
            yield f"{len(left):,} calls {words}: {places}{more}"
