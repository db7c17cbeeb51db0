import json
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import (
    BadCheckpointError,
    FileAuditLog,
    StreamSettings,
    Verdict,
    VerifierKey,
    render_report,
    verify_log,
)
from remit.audit.entry import first_link, read_entry
from remit.audit.events import AuditQueried, GrantRevoked
from remit.canonical import canonical_bytes
from remit.testing.clock import FixedClock
from remit_audit_verify.note import Checkpoint, sign_checkpoint
from remit_audit_verify.tree import leaf_hash, root_hash

RECORDS = 60
ORIGIN = "example.test/main"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory, module_log):
    """A closed log: records in several segments, a checkpoint every ten, all of them signed."""
    folder = tmp_path_factory.mktemp("pristine") / "main"
    module_log(folder, ORIGIN, KEY, RECORDS)
    return folder


@pytest.fixture(scope="module")
def module_log():
    def write(folder, origin, key, records):
        clock = FixedClock()
        settings = StreamSettings(folder=folder, origin=origin, segment_bytes=6000)
        log = FileAuditLog(settings, key, clock=clock)
        for n in range(records - 2):
            clock.advance(0.01)
            log.record([GrantRevoked(reason=f"{origin} {n}")])
            if n % 10 == 9:
                log.checkpoint()
        log.close()

    return write


@pytest.fixture
def log(pristine, tmp_path):
    """A copy of the log that a test may attack."""
    return Path(shutil.copytree(pristine, tmp_path / "main"))


def segments(folder) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def lines_of(folder) -> list[bytes]:
    return [line for path in segments(folder) for line in path.read_bytes().splitlines()]


def rewrite(folder, lines: list[bytes]) -> None:
    """Put `lines` where the records were, in one segment."""
    for path in segments(folder):
        path.unlink()
    content = b"".join(line + b"\n" for line in lines)
    (folder / "00000000000000000000.jsonl").write_bytes(content)


def chained(lines: list[bytes], origin=ORIGIN, start=0) -> list[bytes]:
    """`lines` with numbers and links recomputed from `start` on, as an attacker would."""
    done = lines[:start]
    previous = leaf_hash(done[-1]).hex() if done else first_link(origin)
    for line in lines[start:]:
        entry = {**json.loads(line), "seq": len(done), "prev": previous}
        done.append(canonical_bytes(entry))
        previous = leaf_hash(done[-1]).hex()
    return done


def checkpoints(lines: list[bytes], key, sizes, origin=ORIGIN) -> str:
    leaves = [leaf_hash(line) for line in lines]
    notes = [
        sign_checkpoint(Checkpoint(origin, size, root_hash(leaves[:size])), key) for size in sizes
    ]
    return "".join(f"{note}\n" for note in notes)


def notes_of(folder) -> list[str]:
    parts = (folder / "checkpoints").read_text().split("\n\n")
    return [f"{body}\n\n{signed}\n" for body, signed in zip(parts[::2], parts[1::2], strict=False)]


def found(folder, **options):
    (stream,) = verify_log(folder, **options).streams
    return stream


def first_problem(folder, **options):
    stream = found(folder, **options)
    assert stream.verdict is Verdict.TAMPERED
    return stream.problems[0]


# -- no false alarms ------------------------------------------------------------


def test_a_log_as_it_was_written_is_valid(log):
    report = verify_log(log)
    (stream,) = report.streams
    assert report.exit_code == 0
    assert (stream.records, stream.proven, stream.last_good) == (RECORDS, RECORDS, RECORDS - 1)
    assert len(segments(log)) > 3
    assert stream.checkpoints > 6
    assert stream.origin == ORIGIN
    assert stream.problems == stream.notes == []


@pytest.mark.parametrize("records", [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33])
def test_logs_of_every_size_are_valid(tmp_path, module_log, records):
    module_log(tmp_path / "main", ORIGIN, KEY, records)
    assert found(tmp_path / "main").proven == records


def test_a_log_that_is_being_written_is_valid_at_every_moment(open_log, stream, clock):
    log = open_log(settings=StreamSettings(folder=stream.folder, origin=ORIGIN, segment_bytes=3000))
    for n in range(60):
        log.record([GrantRevoked(reason=str(n))])
        clock.advance(0.3)
        report = verify_log(stream.folder)
        assert report.exit_code == 0, render_report(report)
        assert report.streams[0].records == n + 2


def test_a_log_is_never_taken_for_damaged_while_others_write_it(stream, log_key):
    settings = StreamSettings(folder=stream.folder, origin=ORIGIN, segment_bytes=50_000)
    log = FileAuditLog(settings, log_key)
    stop = threading.Event()

    def write():
        while not stop.is_set():
            log.record([GrantRevoked(reason="x" * 400)] * 7)
            if log.status().size % 5 == 0:
                log.checkpoint()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        reports = [verify_log(stream.folder)]
        # Until the writers have filled three files, however busy the machine is.
        while len(reports) < 30 or (len(segments(stream.folder)) <= 2 and len(reports) < 50_000):
            reports.append(verify_log(stream.folder))
    finally:
        stop.set()
        for writer in writers:
            writer.join()
        log.close()
    assert [render_report(report) for report in reports if report.exit_code] == []
    assert reports[-1].streams[0].records > reports[0].streams[0].records
    assert len(segments(stream.folder)) > 2


def test_what_is_not_yet_checkpointed_is_reported_and_no_fault(open_log, stream):
    log = open_log()
    log.record([GrantRevoked(reason="signed")])
    log.checkpoint()
    log.record([GrantRevoked(reason="not yet")] * 3)
    report = verify_log(stream.folder)
    assert report.exit_code == 0
    assert report.streams[0].unsigned == 3
    assert "not yet checkpointed: the last 3 records" in render_report(report)


def test_the_parent_folder_is_every_stream_in_it(tmp_path, module_log):
    module_log(tmp_path / "one", "example.test/one", KEY, 5)
    module_log(tmp_path / "two", "example.test/two", OTHER_KEY, 9)
    (tmp_path / "not a stream").mkdir()
    report = verify_log(tmp_path)
    assert report.exit_code == 0
    assert [s.origin for s in report.streams] == ["example.test/one", "example.test/two"]
    path = segments(tmp_path / "two")[0]
    path.write_bytes(path.read_bytes().replace(b"two 3", b"two 4"))
    report = verify_log(tmp_path)
    assert report.exit_code == 1
    assert [s.verdict for s in report.streams] == [Verdict.VALID, Verdict.TAMPERED]


# -- who can only write files, and does not have the log's key ------------------


def test_any_byte_of_any_file_of_evidence_that_is_changed_is_detected(log):
    seed = random.Random(9162)
    for _ in range(200):
        path = seed.choice([*segments(log), *segments(log), log / "checkpoints", log / "log.pub"])
        held = path.read_bytes()
        changed = bytearray(held)
        at = seed.randrange(len(held))
        changed[at] ^= 1 << seed.randrange(8)
        path.write_bytes(changed)
        assert verify_log(log).exit_code == 1, f"{path.name}, byte {at}"
        path.write_bytes(held)
    assert verify_log(log).exit_code == 0


def test_a_changed_record_is_named_by_file_line_and_number(log):
    for number in range(1, RECORDS - 1):
        name, line = place_of(log, number)
        held = (log / name).read_bytes()
        lines = held.splitlines(keepends=True)
        lines[line - 1] = lines[line - 1].replace(b"grant.revoked", b"grant.granted")
        (log / name).write_bytes(b"".join(lines))
        problem = first_problem(log)
        assert problem.sequence is not None
        assert problem.sequence <= number <= (problem.through or problem.sequence)
        assert problem.through is None or problem.through - problem.sequence <= 10
        (log / name).write_bytes(held)


def place_of(folder, number) -> tuple[str, int]:
    for path in reversed(segments(folder)):
        if int(path.stem) <= number:
            return path.name, number - int(path.stem) + 1
    raise AssertionError


def test_between_checkpoints_a_changed_record_is_singled_out(log):
    name, line = place_of(log, 25)
    path = log / name
    path.write_bytes(path.read_bytes().replace(f"{ORIGIN} 24".encode(), f"{ORIGIN} 99".encode()))
    problem = first_problem(log)
    assert (problem.kind, problem.file, problem.line, problem.sequence) == ("link", name, line, 25)
    assert found(log).last_good < 25
    assert f"{name}:{line}: record 25: altered" in render_report(verify_log(log))


def test_a_record_that_names_another_before_it_is_itself_the_altered_one(log):
    lines = lines_of(log)
    lines[25] = canonical_bytes({**json.loads(lines[25]), "prev": "0" * 64})
    rewrite(log, lines)
    assert first_problem(log).sequence == 25


@pytest.mark.parametrize("number", [0, 1, 30, RECORDS - 1])
def test_a_deleted_record_is_detected(log, number):
    lines = lines_of(log)
    del lines[number]
    rewrite(log, lines)
    assert first_problem(log).sequence == number


def test_two_records_that_changed_places_are_detected(log):
    lines = lines_of(log)
    lines[20], lines[21] = lines[21], lines[20]
    rewrite(log, lines)
    assert first_problem(log).sequence == 20


def test_200_random_splices_are_detected(log):
    seed = random.Random(2027)
    held = lines_of(log)
    for _ in range(200):
        lines = held.copy()
        at = seed.randrange(1, RECORDS)
        match seed.choice(["insert", "repeat", "replace"]):
            case "insert":
                lines.insert(at, lines[seed.randrange(RECORDS)])
            case "repeat":
                lines.insert(at, lines[at - 1])
            case "replace":
                lines[at] = lines[(at + seed.randrange(1, RECORDS)) % RECORDS]
        recompute = seed.random() < 0.5
        rewrite(log, chained(lines, start=at) if recompute else lines)
        problem = first_problem(log)
        assert problem.sequence is not None
        assert problem.sequence <= at + 1


@pytest.mark.parametrize("number", [0, 15, RECORDS - 1])
def test_a_rewritten_record_with_every_link_recomputed_is_detected_by_the_root(log, number):
    lines = lines_of(log)
    lines[number] = lines[number].replace(b'"v":1', b'"v":2')
    rewrite(log, chained(lines, start=number))
    problem = first_problem(log)
    assert problem.kind == "root"
    assert problem.sequence <= number <= problem.through


def test_records_of_another_log_are_detected(log, tmp_path, module_log):
    module_log(tmp_path / "other", "example.test/other", KEY, RECORDS)
    other = lines_of(tmp_path / "other")
    rewrite(log, [*lines_of(log)[:30], *other[30:]])
    assert first_problem(log).sequence == 29
    rewrite(log, other)
    assert first_problem(log).sequence == 0
    rewrite(log, chained(other))
    assert first_problem(log).kind == "root"


def test_checkpoints_of_another_log_are_detected_although_the_same_key_signed_them(
    log, tmp_path, module_log
):
    module_log(tmp_path / "other", "example.test/other", KEY, RECORDS)
    shutil.copy(tmp_path / "other" / "checkpoints", log / "checkpoints")
    assert first_problem(log).kind == "checkpoint"


def test_a_whole_other_log_in_this_ones_place_is_detected_by_the_pinned_key(
    log, tmp_path, module_log
):
    pinned = [(log / "log.pub").read_text()]
    shutil.rmtree(log)
    module_log(log, "example.test/other", OTHER_KEY, RECORDS)
    assert verify_log(log).exit_code == 0
    assert verify_log(log, keys=pinned).exit_code == 2
    shutil.rmtree(log)
    module_log(log, ORIGIN, OTHER_KEY, RECORDS)
    assert verify_log(log).exit_code == 0
    assert verify_log(log, keys=pinned).exit_code == 1


@pytest.mark.parametrize("left", [0, 1, 30, RECORDS - 1])
def test_a_tail_that_was_signed_and_is_gone_is_detected(log, left):
    rewrite(log, lines_of(log)[:left])
    problem = first_problem(log)
    assert (problem.kind, problem.sequence, problem.through) == ("short", left, RECORDS - 1)


def test_a_tail_cut_within_a_record_is_detected_when_it_was_signed(log):
    path = segments(log)[-1]
    path.write_bytes(path.read_bytes()[:-1])
    assert first_problem(log).sequence == RECORDS - 1


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_segment_that_is_gone_is_detected(log, which):
    segments(log)[which].unlink()
    assert first_problem(log).kind in {"missing", "short"}


def test_a_segment_of_its_own_is_detected(log):
    (log / "00000000000000000099.jsonl").write_bytes(segments(log)[0].read_bytes())
    assert verify_log(log).exit_code == 1


def test_a_file_that_only_looks_like_a_segment_is_detected(log):
    (log / "extra.jsonl").write_bytes(b"")
    assert first_problem(log).file == "extra.jsonl"


@pytest.mark.parametrize(
    "tail",
    [b"garbage\n", b"garbage", b"\n", b"{}\n", b'{"seq":60}\n', b'{"actor":{"id":null},"x":1}\n'],
)
def test_what_stands_after_the_last_record_and_is_none_is_detected(log, tail):
    path = segments(log)[-1]
    path.write_bytes(path.read_bytes() + tail)
    assert first_problem(log).sequence == RECORDS


@pytest.mark.parametrize(
    "tail", ["garbage", "\n", "\n\n", "example.test/main\nx\n\n", "— x AAAA\n"]
)
def test_what_stands_after_the_last_checkpoint_and_is_none_is_detected(log, tail):
    path = log / "checkpoints"
    path.write_text(path.read_text() + tail)
    assert first_problem(log).kind == "checkpoint"


def test_checkpoints_in_another_order_or_repeated_are_detected(log):
    notes = notes_of(log)
    for arranged in ([*notes[:2], notes[3], notes[2], *notes[4:]], [notes[0], *notes]):
        (log / "checkpoints").write_text("".join(f"{note}\n" for note in arranged))
        assert first_problem(log).kind == "checkpoint"


def test_checkpoints_forged_with_another_key_are_detected(log):
    lines = chained(lines_of(log)[:40])
    rewrite(log, lines)
    (log / "checkpoints").write_text(checkpoints(lines, OTHER_KEY, [10, 40]))
    assert first_problem(log).kind == "checkpoint"


def test_a_key_beside_the_log_that_is_not_the_pinned_one_is_detected(log):
    pinned = [(log / "log.pub").read_text()]
    assert verify_log(log, keys=pinned).exit_code == 0
    lines = chained([line.replace(b"revoked", b"forged!") for line in lines_of(log)])
    rewrite(log, lines)
    (log / "checkpoints").write_text(checkpoints(lines, OTHER_KEY, [RECORDS]))
    (log / "log.pub").write_text(f"{VerifierKey.of(ORIGIN, OTHER_KEY)}\n")
    assert verify_log(log, keys=pinned).exit_code == 1


def test_events_after_the_last_checkpoint_are_held_by_their_links(crashed):
    path = segments(crashed)[-1]
    held = path.read_bytes()
    path.write_bytes(held.replace(b'"reason":"6"', b'"reason":"9"'))
    assert first_problem(crashed).kind == "link"
    path.write_bytes(held)
    lines = lines_of(crashed)
    rewrite(crashed, [*lines[:7], *lines[8:]])
    assert first_problem(crashed).kind == "sequence"


# -- what cannot be seen from the files alone: documented, and shown ------------


def test_limit_a_tail_that_no_checkpoint_signs_can_be_dropped_unseen(crashed):
    rewrite(crashed, lines_of(crashed)[:8])
    assert verify_log(crashed).exit_code == 0


def test_limit_the_very_last_record_can_be_changed_while_no_checkpoint_signs_it(crashed):
    path = segments(crashed)[-1]
    path.write_bytes(path.read_bytes().replace(b'"reason":"9"', b'"reason":"x"'))
    assert verify_log(crashed).exit_code == 0


def test_limit_a_log_rolled_back_with_its_checkpoints_is_seen_only_by_one_that_was_kept(log):
    kept = notes_of(log)[-1]
    notes = notes_of(log)[:3]
    size = int(notes[-1].split("\n")[1])
    rewrite(log, lines_of(log)[:size])
    (log / "checkpoints").write_text("".join(f"{note}\n" for note in notes))
    assert verify_log(log).exit_code == 0
    problem = first_problem(log, since=[kept])
    assert (problem.kind, problem.sequence, problem.through) == ("short", size, RECORDS - 1)


def test_limit_who_has_the_logs_key_can_rewrite_it_and_only_a_kept_checkpoint_tells(log):
    kept = notes_of(log)[2]
    pinned = [(log / "log.pub").read_text()]
    lines = chained([line.replace(b"revoked", b"forged!") for line in lines_of(log)])
    rewrite(log, lines)
    (log / "checkpoints").write_text(checkpoints(lines, KEY, [10, 30, RECORDS]))
    assert verify_log(log, keys=pinned).exit_code == 0
    assert first_problem(log, since=[kept]).kind == "root"


def test_limit_who_has_the_logs_key_can_sign_again_what_came_after_the_kept_checkpoint(log):
    kept = notes_of(log)[2]
    size = int(kept.split("\n")[1])
    pinned = [(log / "log.pub").read_text()]
    held = lines_of(log)
    forged = [line.replace(b"revoked", b"forged!") for line in held[size:]]
    lines = chained([*held[:size], *forged], start=size)
    rewrite(log, lines)
    (log / "checkpoints").write_text(checkpoints(lines, KEY, [size, RECORDS]))
    assert verify_log(log, keys=pinned, since=[kept]).exit_code == 0


def test_limit_who_can_write_the_folder_can_replace_log_and_key_when_no_key_is_pinned(log):
    pinned = [(log / "log.pub").read_text()]
    lines = chained([line.replace(b"revoked", b"forged!") for line in lines_of(log)])
    rewrite(log, lines)
    (log / "checkpoints").write_text(checkpoints(lines, OTHER_KEY, [RECORDS]))
    (log / "log.pub").write_text(f"{VerifierKey.of(ORIGIN, OTHER_KEY)}\n")
    report = verify_log(log)
    assert report.exit_code == 0
    assert "pin it with --key" in render_report(report)
    assert verify_log(log, keys=pinned).exit_code == 1


@pytest.fixture
def crashed(open_log, stream):
    """Ten events, five of them under a checkpoint, and then nothing more: no stop, no signature."""
    log = open_log()
    for n in range(10):
        log.record([GrantRevoked(reason=str(n))])
        if n == 4:
            log.checkpoint()
    copied = stream.folder.with_name("crashed")
    shutil.copytree(stream.folder, copied)
    return copied


# -- a checkpoint kept from earlier ---------------------------------------------


def test_a_log_that_continues_a_kept_checkpoint_is_valid(log):
    for note in notes_of(log):
        assert verify_log(log, since=[note, note.strip()]).exit_code == 0


def test_a_kept_checkpoint_of_a_log_that_is_not_here_is_not_enough_evidence(log):
    lines = lines_of(log)
    note = sign_checkpoint(Checkpoint("example.test/gone", 2, root_hash([b"", b""])), KEY)
    report = verify_log(log, since=[note])
    assert lines
    assert report.exit_code == 2


def test_a_kept_checkpoint_that_the_key_did_not_sign_is_no_evidence(log):
    note = checkpoints(lines_of(log), OTHER_KEY, [10])
    assert verify_log(log, since=[note]).exit_code == 2


@pytest.mark.parametrize("options", [{"since": ["nonsense"]}, {"keys": ["nonsense"]}])
def test_what_is_handed_over_and_cannot_be_read_is_refused(log, options):
    with pytest.raises(BadCheckpointError):
        verify_log(log, **options)


# -- not enough evidence --------------------------------------------------------


@pytest.mark.parametrize("name", ["checkpoints", "log.pub"])
def test_a_missing_file_of_evidence_is_not_enough_evidence(log, name):
    (log / name).unlink()
    report = verify_log(log)
    assert report.exit_code == 2
    assert name in render_report(report)


def test_without_its_key_beside_it_a_log_is_checked_with_the_pinned_one(log):
    pinned = [(log / "log.pub").read_text()]
    (log / "log.pub").unlink()
    assert verify_log(log, keys=pinned).exit_code == 0


def test_tampering_is_found_even_when_evidence_is_missing(log):
    (log / "log.pub").unlink()
    rewrite(log, lines_of(log)[:-1])
    assert verify_log(log).exit_code == 1


def test_a_folder_without_a_log_is_not_enough_evidence(tmp_path):
    assert verify_log(tmp_path).exit_code == 2
    assert verify_log(tmp_path / "nowhere").exit_code == 2
    assert "no audit log" in render_report(verify_log(tmp_path))


def test_a_file_that_cannot_be_read_is_not_enough_evidence(log):
    path = segments(log)[1]
    path.unlink()
    path.mkdir()
    report = verify_log(log)
    assert report.exit_code == 2
    assert path.name in render_report(report)


# -- the verifier itself --------------------------------------------------------


def test_the_verifier_loads_nothing_of_the_server():
    """Who does not trust the server must be able to verify without running any of it."""
    program = (
        "import sys; before = set(sys.modules); import remit_audit_verify.verify;"
        "print('\\n'.join(m.split('.')[0] for m in set(sys.modules) - before if m[0] != '_'))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    foreign = set(loaded) - sys.stdlib_module_names - {""}
    assert foreign - {"rfc3161_client"} == {"cryptography", "remit_audit_verify"}  # its extra


def test_every_record_that_the_log_writes_is_one_that_the_verifier_reads(log):
    for line in lines_of(log):
        assert canonical_bytes(read_entry(line)) == line


def test_an_omitted_field_and_cleaned_text_do_not_disturb_the_verifier(open_log, stream):
    log = open_log()
    log.record([AuditQueried(query={"text": "x\n\u202e" * 20_000})])
    log.close()
    assert verify_log(stream.folder).exit_code == 0


def test_progress_is_told_in_bytes_up_to_all_of_them(pristine, tmp_path, module_log):
    for name in ("one", "two"):
        shutil.copytree(pristine, tmp_path / name)
    told: list[tuple[int, int]] = []
    verify_log(tmp_path, progress=lambda done, total: told.append((done, total)))
    total = 2 * sum(path.stat().st_size for path in segments(pristine))
    assert {of for _, of in told} == {total}
    done = [done for done, _ in told]
    assert done == sorted(done)
    assert done[-1] == total
    assert len(set(done)) >= 2 * len(segments(pristine))


def test_progress_comes_to_its_end_in_a_log_that_is_tampered_with(log):
    lines = lines_of(log)
    rewrite(log, [*lines[:5], *lines[6:]])
    told: list[tuple[int, int]] = []
    assert verify_log(log, progress=lambda done, total: told.append((done, total))).exit_code == 1
    assert told[-1][0] == told[-1][1]
