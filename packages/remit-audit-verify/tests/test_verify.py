"""What logs are held to besides their own checkpoints: witnesses, receipts, time, other logs, tiles."""

import json
import random
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_audit_verify.evidence import Evidence
from remit_audit_verify.note import Checkpoint, VerifierKey, sign_checkpoint
from remit_audit_verify.receipts import Receipt
from remit_audit_verify.report import Verdict
from remit_audit_verify.saying import render_report, report_as_json
from remit_audit_verify.stream_files import segment_name
from remit_audit_verify.tree import leaf_hash, root_hash
from remit_audit_verify.verify import verify_log

BOTH = pytest.mark.parametrize("full", [False, True], ids=["hashed", "full"])


def found(folder, **evidence):
    return verify_log(folder, evidence=Evidence(**evidence))


def only(report):
    (stream,) = report.streams
    return stream


def problem(report, kind: str):
    stream = next(one for one in report.streams if one.problems)
    assert stream.problems[0].kind == kind, stream.problems
    return stream.problems[0]


# -- witnesses ------------------------------------------------------------------


@BOTH
def test_what_witnesses_saw_is_told(make_log, policy, begin, full):
    folder = make_log(40).write([10, 20, 30, 40], witnessed={20: 21, 40: 41})
    report = found(folder, policy=policy, full=full)
    assert report.exit_code == 0, report
    stream = only(report)
    assert (stream.witnessed, stream.witnessed_at) == (40, begin + 41)
    assert stream.witnesses == ("w",)
    assert "witnessed    40 records" in render_report(report)
    assert report_as_json(report)["streams"][0]["witnessed"] == 40


def test_without_the_quorum_there_is_not_enough_evidence(make_log, policy):
    folder = make_log(40).write([10, 40])
    report = found(folder, policy=policy)
    assert report.exit_code == 2
    assert problem(report, "quorum")


def test_a_cosignature_that_does_not_hold_is_tampering(make_log, policy):
    log = make_log(40)
    folder = log.write([10, 40], witnessed={10: 11})
    path = folder / "witnessed"
    lines = path.read_text().split("\n")
    lines[5] = lines[5][:-10] + ("A" if lines[5][-10] != "A" else "B") + lines[5][-9:]
    path.write_text("\n".join(lines))
    assert problem(found(folder, policy=policy), "cosignature").line == 1
    assert found(folder).exit_code == 0  # of a witness whom nobody names, nothing is known


def test_what_a_witness_saw_and_is_not_so_is_tampering_although_the_log_signed_it(make_log, policy):
    log = make_log(40)
    seen = log.note(30, witnessed=31)
    other = make_log(40)
    other.lines.clear()
    other.fill(25)
    other.add(reason="something else")
    other.fill(14)
    folder = other.write([10, 40])
    (folder / "witnessed").write_text(f"{log.note(20, witnessed=21)}\n{seen}\n")
    report = found(folder, policy=policy)
    wrong = problem(report, "root")
    assert (wrong.sequence, wrong.through) == (20, 29)
    assert only(report).last_good == 19


def test_witnessed_checkpoints_that_shrink_are_tampering(make_log):
    folder = make_log(40).write([40], witnessed={30: 31, 20: 21})
    assert problem(found(folder), "checkpoint").file == "witnessed"


# -- receipts -------------------------------------------------------------------


@BOTH
def test_receipts_for_records_that_are_there_are_counted(make_log, full):
    log = make_log(40)
    receipts = tuple(Receipt(log.origin, n, log.leaves[n]) for n in (0, 7, 39))
    report = found(log.write([10, 30]), receipts=receipts, full=full)
    assert report.exit_code == 0
    assert only(report).receipts == 3


@BOTH
def test_a_receipt_for_another_record_is_tampering(make_log, full):
    log = make_log(40)
    receipts = (Receipt(log.origin, 5, log.leaves[5]), Receipt(log.origin, 12, log.leaves[13]))
    report = found(log.write([10, 30]), receipts=receipts, full=full)
    wrong = problem(report, "receipt")
    assert (wrong.sequence, wrong.through, wrong.line) == (6, 12, 13)
    assert only(report).last_good == 5


def test_where_the_root_does_not_hold_either_the_root_says_more(make_log):
    log = make_log(40)
    receipt = Receipt(log.origin, 12, leaf_hash(b"another"))
    folder = log.write([10, 30])
    changed = make_log(40)
    changed.lines[10:] = []
    changed.add(reason="something else")
    changed.fill(29)
    path = folder / segment_name(0)
    path.write_bytes(b"".join(line + b"\n" for line in changed.lines))
    wrong = problem(found(folder, receipts=(receipt,)), "root")
    assert (wrong.sequence, wrong.through) == (10, 29)


def test_a_receipt_beyond_the_end_is_a_tail_that_is_gone(make_log):
    log = make_log(40)
    receipts = tuple(Receipt(log.origin, n, log.leaves[n]) for n in (30, 39))
    log.lines = log.lines[:35]
    wrong = problem(found(log.write([30]), receipts=receipts), "receipt")
    assert (wrong.sequence, wrong.through) == (35, 39)


def test_a_receipt_of_a_log_that_is_not_here_is_not_enough_evidence(make_log):
    folder = make_log(4).write()
    assert found(folder, receipts=(Receipt("another", 0, bytes(32)),)).exit_code == 2


# -- time -----------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("step", "exit_code"), [(-120, 0), (-121, 1), (-480, 1), (5_000, 0)])
def test_time_goes_forwards_but_for_what_clocks_may_differ(make_log, full, step, exit_code):
    log = make_log(30)
    log.add(at_ms=29_000 + step * 1_000)
    log.add(at_ms=29_000 + step * 1_000)
    report = found(log.write(), full=full)
    assert report.exit_code == exit_code, report
    if exit_code:
        assert problem(report, "time").sequence == 30
        assert only(report).last_good == 29


@pytest.mark.parametrize("first", [True, False])
def test_a_clock_that_was_set_back_is_no_fault_when_the_log_says_so(make_log, first):
    log = make_log(30)
    if first:
        log.add("clock.jumped", milliseconds=-600_000)
    log.add(at_ms=-560_000)
    if not first:
        log.add("clock.jumped", at_ms=-559_000, milliseconds=-600_000)
    log.add(at_ms=-558_000)
    report = found(log.write())
    assert report.exit_code == 0, report
    assert only(report).jumps == [30 if first else 31]
    assert "the clock jumped once" in render_report(report)


@BOTH
def test_a_process_may_begin_with_a_clock_that_is_behind_and_that_is_noted(make_log, policy, full):
    log = make_log(30)
    log.add("audit.started", at_ms=-600_000)
    log.add(at_ms=-599_000)
    report = found(log.write(), full=full)
    assert report.exit_code == 0, report
    assert only(report).jumps == [30]
    folder = log.write([30, 32], witnessed={30: 31})  # but not behind what a witness saw
    assert problem(found(folder, policy=policy, full=full), "time").sequence == 30


def test_one_jump_explains_one_step(make_log):
    log = make_log(30)
    log.add("clock.jumped", milliseconds=-600_000)
    log.add(at_ms=-560_000)
    log.add(at_ms=20_000)
    log.add(at_ms=-560_000)
    assert problem(found(log.write()), "time").sequence == 33


def test_a_jump_forwards_explains_nothing(make_log):
    log = make_log(30)
    log.add("clock.jumped", milliseconds=600_000)
    log.add(at_ms=-560_000)
    assert found(log.write()).exit_code == 1


@BOTH
@pytest.mark.parametrize(("at", "exit_code"), [(1_880, 0), (1_879, 1)])
def test_what_comes_after_a_witness_saw_the_log_is_not_older(make_log, policy, full, at, exit_code):
    """Backdating, even by whoever has the log's key, and although it goes forwards within the log."""
    log = make_log(30)
    witnessed = {30: 2_000}
    log.add(at_ms=at * 1_000)
    report = found(log.write([30, 31], witnessed=witnessed), policy=policy, full=full)
    assert report.exit_code == exit_code
    if exit_code:
        assert problem(report, "time").sequence == 30


def test_what_came_before_may_be_older(make_log, policy):
    log = make_log(1_000)
    folder = log.write([500, 1_000], witnessed={500: 500, 1_000: 1_000})
    assert found(folder, policy=policy).exit_code == 0


# -- freshness ------------------------------------------------------------------


@pytest.mark.parametrize(("now", "exit_code"), [(39, 0), (99, 0), (100, 3), (-81, 0), (-82, 3)])
def test_a_log_whose_newest_proof_is_too_old_is_stale(make_log, begin, now, exit_code):
    folder = make_log(40).write([40])
    report = found(folder, max_age=60, now=begin + now)
    assert report.exit_code == exit_code
    if exit_code:
        assert problem(report, "stale")
        assert "STALE" in render_report(report)


def test_records_after_the_last_checkpoint_are_no_proof(make_log, begin):
    log = make_log(40)
    assert found(log.write([10]), max_age=60, now=begin + 80).exit_code == 3


def test_where_witnesses_are_demanded_their_time_counts(make_log, policy, begin):
    folder = make_log(40).write([10, 40], witnessed={10: 11})
    assert found(folder, policy=policy, max_age=60, now=begin + 71).exit_code == 0
    assert found(folder, policy=policy, max_age=60, now=begin + 72).exit_code == 3


def test_tampered_outweighs_stale(make_log, begin):
    log = make_log(40)
    folder = log.write([40])
    path = folder / segment_name(0)
    path.write_bytes(path.read_bytes()[:-300])
    assert found(folder, max_age=1, now=begin + 9_999).exit_code == 1


# -- calls ----------------------------------------------------------------------


def decide(log, decision, outcome="allow", reason="allowed"):
    return log.add(
        "decision", decision_id=decision, name="x", outcome=outcome, reason=reason, server="s"
    )


@BOTH
def test_calls_without_an_outcome_and_outcomes_without_a_call_are_noted(make_log, full):
    log = make_log(3)
    for n in range(20):
        decide(log, f"dec_{n}", "allow" if n % 4 else "deny")
        if n % 4 and n != 5:
            log.add("call.completed", decision_id=f"dec_{n}", outcome="ok")
            log.add("call.completed", decision_id=f"dec_{n}", outcome="ok")  # tried again
    decide(log, "dec_list", reason="listed")
    log.add("call.completed", decision_id="dec_nowhere", outcome="ok")
    report = found(log.write(), full=full)
    assert report.exit_code == 0
    first, second = report.notes
    assert first.startswith("1 calls were allowed and have no outcome: record ")
    assert second.startswith("1 calls have an outcome and no decision: record ")


def test_the_outcome_may_stand_in_another_log(make_log):
    one, two = make_log(3, "one"), make_log(3, "two")
    decide(one, "dec_1")
    two.add("call.completed", decision_id="dec_1", outcome="unknown")
    one.write()
    two.write()
    report = verify_log(one.folder.parent)
    assert report.exit_code == 0
    assert report.notes == ()


def test_what_callers_send_is_not_taken_for_a_decision(make_log):
    log = make_log(2)
    body = {"decision_id": "dec_1", "name": "x", "outcome": "deny", "reason": "scope"}
    inner = {"decision_id": "dec_x", "outcome": "allow", "prev": "0" * 64, "seq": 0}
    log.add("decision", **body, input={"a": inner}, claims={})
    assert found(log.write()).notes == found(log.folder, full=True).notes == ()


# -- several logs ---------------------------------------------------------------


@pytest.fixture
def installation(make_log):
    """Two logs, and one that joins them."""
    one, two, joined = make_log(20, "one"), make_log(30, "two"), make_log(1, "joined")
    for sizes in ((5, 7), (15, 7), (20, 30)):
        join(joined, (one, sizes[0]), (two, sizes[1]))
    for log in (one, two, joined):
        log.write()
    return one, two, joined


def join(joined, *logs):
    joined.add(
        "logs.joined",
        logs=[
            {"log": log.origin, "root": root_hash(log.leaves[:size]).hex(), "size": size}
            for log, size in logs
        ],
    )


@BOTH
def test_logs_are_what_the_joined_log_says(installation, full):
    report = found(installation[0].folder.parent, full=full)
    assert report.exit_code == 0, report
    assert [stream.joined for stream in report.streams] == [0, 20, 30]


def test_a_log_that_the_joined_one_names_and_that_is_gone_is_noticed(installation):
    shutil.rmtree(installation[1].folder)
    report = verify_log(installation[0].folder.parent)
    assert report.exit_code == 2
    assert "`example.test/two`, which the joined log has with 30 records" in report.failure


def test_a_log_that_is_shorter_than_the_joined_one_says_is_tampered_with(installation):
    one = installation[0]
    shutil.rmtree(one.folder)
    one.lines = one.lines[:18]
    one.write()
    wrong = problem(verify_log(one.folder.parent), "short")
    assert (wrong.sequence, wrong.through) == (18, 19)


def test_a_log_that_was_signed_again_is_not_what_the_joined_one_says(installation):
    one = installation[0]
    one.lines[10:] = []
    one.add(reason="something else")
    one.fill(9)
    one.write()
    report = verify_log(one.folder.parent)
    wrong = problem(report, "root")
    assert (wrong.sequence, wrong.through) == (5, 14)
    assert "the joined log" in wrong.what


@pytest.mark.parametrize(("size", "about"), [(19, "shorter"), (20, "another")])
def test_a_joined_log_that_takes_something_back_is_wrong(installation, size, about):
    one, _, joined = installation
    other = [leaf_hash(b"x")] * size
    joined.add(
        "logs.joined", logs=[{"log": one.origin, "root": root_hash(other).hex(), "size": size}]
    )
    joined.write()
    assert about in problem(verify_log(one.folder.parent), "joined").what


def test_a_log_that_ended_is_not_stale_while_the_joined_log_is_new(installation, begin):
    one, _, joined = installation
    for _ in range(5):
        joined.add(at_ms=10_000_000)
    joined.write()
    report = found(one.folder.parent, max_age=60, now=begin + 10_010)
    assert report.exit_code == 0, report
    shutil.rmtree(joined.folder)
    assert found(one.folder.parent, max_age=60, now=begin + 10_010).exit_code == 3


# -- pruned ---------------------------------------------------------------------


@pytest.fixture
def pruned(make_log):
    """Of 1,500 records, the first 1,024 are gone, as a record says; their hashes are not."""
    log = make_log(1_400)
    log.add("audit.pruned", files=1, log=log.origin, size=1_024)
    log.fill(99)
    log.write([300, 900, 1_024, 1_200, 1_500], segments=(0, 1_024))
    log.write_tiles()
    (log.folder / segment_name(0)).unlink()
    return log


@BOTH
def test_a_log_that_was_pruned_in_good_order_is_valid(pruned, full):
    receipt = Receipt(pruned.origin, 17, pruned.leaves[17])
    report = found(pruned.folder, receipts=(receipt,), full=full)
    assert report.exit_code == 0, report
    stream = only(report)
    assert (stream.first, stream.records, stream.proven, stream.receipts) == (
        1_024,
        1_500,
        1_500,
        1,
    )
    assert "the first 1,024 records" in render_report(report)


def test_records_that_are_gone_without_a_word_are_missing(make_log):
    log = make_log(1_500)
    log.write(segments=(0, 1_024))
    log.write_tiles()
    (log.folder / segment_name(0)).unlink()
    report = found(log.folder)
    wrong = problem(report, "pruned")
    assert (wrong.sequence, wrong.through) == (0, 1_023)
    assert only(report).last_good is None


def test_records_that_are_gone_and_left_no_hashes_are_missing(pruned):
    shutil.rmtree(pruned.folder / "tile")
    assert problem(found(pruned.folder), "missing").through == 1_023


def test_a_tile_that_is_gone_is_missing(pruned):
    (pruned.folder / "tile" / "0" / "003").unlink()
    assert problem(found(pruned.folder), "missing").file == "tile"


@pytest.mark.parametrize("level", ["0/000", "0/003", "1/000.p/5"])
def test_a_hash_that_was_changed_is_detected(pruned, level):
    path = pruned.folder / "tile" / level
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    assert found(pruned.folder).exit_code == 1


def test_a_receipt_for_a_pruned_record_is_held_to_its_hash(pruned):
    receipt = Receipt(pruned.origin, 17, pruned.leaves[18])
    assert problem(found(pruned.folder, receipts=(receipt,)), "receipt").sequence == 17


def test_more_is_gone_than_was_pruned(make_log):
    log = make_log(1_400)
    log.add("audit.pruned", files=1, log=log.origin, size=1_023)
    log.write([1_401], segments=(0, 1_024))
    log.write_tiles()
    (log.folder / segment_name(0)).unlink()
    assert problem(found(log.folder), "pruned")


# -- in tiles -------------------------------------------------------------------


@pytest.fixture
def tiled(make_log):
    """A mirror of a log: its checkpoint, its tiles, its entries."""
    log = make_log(700)
    log.folder.mkdir(parents=True)
    log.write_tiles(entries=True)
    (log.folder / "checkpoint").write_text(log.note(700))
    return log


def test_a_log_in_tiles_is_checked_like_any(tiled):
    report = verify_log(tiled.folder, keys=[str(tiled.verifier)])
    assert report.exit_code == 0, report
    assert only(report).proven == 700


def test_without_a_key_its_signature_cannot_be_checked(tiled):
    assert verify_log(tiled.folder).exit_code == 2


@pytest.mark.parametrize("name", ["000", "001", "002.p/188"])
def test_an_entry_that_was_changed_or_is_gone_is_detected(tiled, name):
    path = tiled.folder / "tile" / "entries" / name
    held = path.read_bytes()
    path.write_bytes(held.replace(b"because", b"becauze", 1))
    assert verify_log(tiled.folder, keys=[str(tiled.verifier)]).exit_code == 1
    path.write_bytes(held[:-1])
    assert verify_log(tiled.folder, keys=[str(tiled.verifier)]).exit_code == 1
    path.unlink()
    assert verify_log(tiled.folder, keys=[str(tiled.verifier)]).exit_code == 1


# -- two readings, one finding --------------------------------------------------


def test_whatever_is_done_to_a_log_hashing_finds_what_parsing_finds(make_log):
    """The quick reading may only ever accept what the careful one accepts."""
    log = make_log(300)
    pristine = log.write([50, 100, 150, 200, 250, 300], segments=(0, 130))
    seed = random.Random("two readings")
    folder = pristine.with_name("attacked")
    for _ in range(150):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(pristine, folder)
        path = folder / segment_name(seed.choice([0, 130]))
        lines = path.read_bytes().splitlines(keepends=True)
        at = seed.randrange(len(lines))
        match seed.choice(["byte", "delete", "repeat", "swap", "cut"]):
            case "byte":
                line = bytearray(lines[at])
                line[seed.randrange(len(line))] ^= 1 << seed.randrange(8)
                lines[at] = bytes(line)
            case "delete":
                del lines[at]
            case "repeat":
                lines.insert(at, lines[at])
            case "swap":
                other = seed.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case "cut":
                lines[at:] = [lines[at][: seed.randrange(len(lines[at]))]]
        path.write_bytes(b"".join(lines))
        quick, full = found(folder), found(folder, full=True)
        assert quick.exit_code == full.exit_code
        assert only(quick).problems == only(full).problems
        assert only(quick).last_good == only(full).last_good


def test_a_signed_line_that_is_not_canonical_is_found_by_the_full_reading(make_log):
    """Only the process that writes the log could have put it there."""
    log = make_log(10)
    line = log.lines[-1]
    log.lines[-1] = line.replace(b'"body":{', b'"body":{"reason":"1",')
    log.lines[-1] = line.replace(b'"client":null', b'"client": null')
    folder = log.write()
    assert problem(found(folder, full=True), "framing").sequence == 9


def test_a_log_that_is_read_by_several_processes_is_found_the_same(make_log, monkeypatch):
    monkeypatch.setattr("remit_audit_verify.verify.LONG", 0)
    monkeypatch.setattr("remit_audit_verify.stretches._LENGTH", 10_000)
    log = make_log(600)
    folder = log.write([200, 600], segments=(0, 250, 400))
    one, two = found(folder), found(folder, workers=2)
    assert one == two
    assert two.exit_code == 0
    path = folder / segment_name(250)
    path.write_bytes(path.read_bytes().replace(b"because 399", b"because 333"))
    assert found(folder, workers=2) == found(folder)
    assert found(folder, workers=2).verdict is Verdict.TAMPERED


# -- keys -----------------------------------------------------------------------


def test_the_logs_of_a_policy_are_pinned_keys(make_log, policy):
    log = make_log(10)
    folder = log.write([10], witnessed={10: 10})
    other = Ed25519PrivateKey.generate()
    mine = type(policy)(logs=(log.verifier,), witnesses=policy.witnesses, quorum=policy.quorum)
    assert only(found(folder, policy=mine)).pinned
    forged = sign_checkpoint(Checkpoint(log.origin, 10, root_hash(log.leaves)), other)
    (folder / "checkpoints").write_text(f"{forged}\n")
    assert found(folder, policy=mine).exit_code == 1


def test_findings_hold_nothing_that_a_terminal_would_obey(make_log):
    log = make_log(3)
    folder = log.write()
    (folder / "log.pub").write_text("\x1b[2J evil\n")
    assert "\x1b" not in render_report(verify_log(folder))
    assert json.dumps(report_as_json(verify_log(folder)))


# -- another key ----------------------------------------------------------------


SECOND = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
STRANGE = Ed25519PrivateKey.from_private_bytes(b"x" * 32)


def signed_by(log, size, *keys):
    checkpoint = Checkpoint(log.origin, size, root_hash(log.leaves[:size]))
    first, *rest = [sign_checkpoint(checkpoint, key) for key in keys]
    return first + "".join(note.partition("\n\n")[2] for note in rest)


def named(log, key) -> str:
    return str(VerifierKey.of(log.origin, key))


@pytest.fixture
def rotated(make_log):
    """Of 30 records, number 15 says that the key changes; checkpoints before it have one key, then both, then the other."""
    log = make_log(15)
    log.add("audit.key_changed", former=str(log.verifier), verifier=named(log, SECOND))
    log.fill(14)
    folder = log.write([])
    notes = [
        signed_by(log, 10, log.key),
        signed_by(log, 20, log.key, SECOND),
        signed_by(log, 30, SECOND),
    ]
    (folder / "checkpoints").write_text("".join(f"{note}\n" for note in notes))
    (folder / "log.pub").write_text(f"{log.verifier}\n{named(log, SECOND)}\n")
    return log


@BOTH
@pytest.mark.parametrize("pinned", ["former", "later", "none", "both"])
def test_a_log_whose_key_changed_is_checked_with_either(rotated, full, pinned):
    former, later = str(rotated.verifier), named(rotated, SECOND)
    keys = {"former": [former], "later": [later], "none": [], "both": [former, later]}[pinned]
    report = verify_log(rotated.folder, keys=keys, evidence=Evidence(full=full))
    assert report.exit_code == 0, report
    assert only(report).proven == 30


def test_a_key_that_nothing_names_cannot_sign(rotated):
    notes = [signed_by(rotated, 10, rotated.key), signed_by(rotated, 30, STRANGE)]
    (rotated.folder / "checkpoints").write_text("".join(f"{note}\n" for note in notes))
    lines = [str(rotated.verifier), named(rotated, STRANGE)]
    (rotated.folder / "log.pub").write_text("".join(f"{line}\n" for line in lines))
    report = verify_log(rotated.folder, keys=[str(rotated.verifier)])
    assert report.exit_code == 1
    assert problem(report, "key")
    assert only(report).last_good == 9


def test_a_record_that_no_trusted_key_signed_names_no_key(make_log):
    """Whoever can write the folder could have put it there, and signed it with a key of his own."""
    log = make_log(15)
    log.add("audit.key_changed", former=str(log.verifier), verifier=named(log, STRANGE))
    log.fill(14)
    folder = log.write([])
    notes = [signed_by(log, 10, log.key), signed_by(log, 30, STRANGE)]
    (folder / "checkpoints").write_text("".join(f"{note}\n" for note in notes))
    (folder / "log.pub").write_text(f"{log.verifier}\n{named(log, STRANGE)}\n")
    assert verify_log(folder, keys=[str(log.verifier)]).exit_code == 1


def test_of_a_checkpoint_with_two_known_keys_both_signatures_hold(rotated):
    strange = signed_by(rotated, 21, SECOND).split("\n")[4]  # of another checkpoint
    notes = [signed_by(rotated, 20, rotated.key) + strange + "\n", signed_by(rotated, 30, SECOND)]
    (rotated.folder / "checkpoints").write_text("".join(f"{note}\n" for note in notes))
    report = verify_log(rotated.folder, keys=[str(rotated.verifier)])
    assert problem(report, "checkpoint").line == 1
