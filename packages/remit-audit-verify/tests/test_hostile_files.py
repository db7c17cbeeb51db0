"""Whatever somebody lays into a log's folder, or hands over: one of the exit codes, a sentence, and an end."""

import json
import os
import socket

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_audit_verify import command
from remit_audit_verify.command import main
from remit_audit_verify.cosignature import BadCosignatureError, WitnessKey, cosign
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.note import (
    BadCheckpointError,
    Checkpoint,
    VerifierKey,
    open_signed,
    parse_checkpoint,
    sign_checkpoint,
)
from remit_audit_verify.policy import BadPolicyError, parse_policy
from remit_audit_verify.stream_files import segment_name
from remit_audit_verify.verify import verify_log

PLACES = [segment_name(0), "checkpoints", "witnessed", "log.pub", "timestamps"]


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def run(capsys, *arguments) -> tuple[int, str]:
    code = main([str(one) for one in arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert said.out or said.err
    return code, said.out + said.err


@pytest.mark.parametrize("place", PLACES)
def test_a_pipe_is_not_waited_for(make_log, capsys, place):
    log = make_log(5)
    path = log.write() / place
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    code, _ = run(capsys, log.folder)
    assert code == (0 if place == "timestamps" else 2)


@pytest.mark.parametrize("place", PLACES)
def test_what_never_ends_is_not_read(make_log, capsys, place):
    log = make_log(5)
    path = log.write() / place
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")
    code, _ = run(capsys, log.folder)
    assert code == (0 if place == "timestamps" else 2)


def test_neither_is_a_socket_nor_a_folder_where_a_file_should_be(make_log, capsys, monkeypatch):
    log = make_log(5)
    monkeypatch.chdir(log.write())
    with socket.socket(socket.AF_UNIX) as end:
        (log.folder / "checkpoints").unlink()
        end.bind("checkpoints")
        assert run(capsys, log.folder)[0] == 2
    (log.folder / segment_name(0)).unlink()
    (log.folder / segment_name(0)).mkdir()
    assert run(capsys, log.folder)[0] == 2


@pytest.mark.parametrize("option", ["--key", "--since", "--receipt", "--policy", "--timestamps"])
@pytest.mark.parametrize("given", ["/dev/zero", "/nowhere", "/"])
def test_what_is_handed_over_without_an_end_is_refused(
    make_log, capsys, option, given, monkeypatch
):
    monkeypatch.setattr("remit_audit_verify.given._MAX_RECEIPTS", 1 << 20)
    code, said = run(capsys, make_log(1).write(), option, given)
    assert code == 64
    assert given in said


def test_a_proof_without_an_end_is_refused(make_log, capsys):
    log = make_log(1)
    assert run(capsys, "check", "/dev/zero", "--key", log.verifier)[0] == 64


@pytest.mark.parametrize("place", PLACES[:4])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 40,
        b"\0" * 5_000,
        b"x" * 3_000_000,
        b"\n" * 100_000,
        "— a b\n".encode() * 99_999,
    ],
    ids=["empty", "no text", "zeros", "one long line", "empty lines", "signatures only"],
)
def test_no_content_of_a_file_is_taken_for_a_log_or_makes_it_fail(make_log, capsys, place, content):
    log = make_log(5)
    (log.write() / place).write_bytes(content)
    code, said = run(capsys, log.folder, "--key", log.verifier)
    # Zeros are what a power cut leaves of an end; the key is pinned.
    harmless = {("witnessed", b""), ("witnessed", b"\0" * 5_000), ("log.pub", b"")}
    assert code in ({0} if (place, content) in harmless else {1, 2}), said


def test_a_link_that_is_no_text_is_a_fault_of_the_record(make_log, capsys):
    log = make_log(5)
    path = log.write() / segment_name(0)
    first = log.lines[0]
    at = first.index(b'"prev":"') + 8
    path.write_bytes(first[:at] + b"\xff" * 64 + first[at + 64 :] + b"\n")
    code, said = run(capsys, log.folder)
    assert code == 1
    assert "record 0: not JSON" in said


@pytest.mark.parametrize(
    "record",
    [
        b'{"a":1,"a":1}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b"[" * 9_000,
        b'{"seq":0}',
        b"null",
    ],
)
def test_no_record_is_taken_for_one_that_is_not(make_log, capsys, record):
    log = make_log(3)
    (log.write() / segment_name(0)).write_bytes(record + b"\n")
    assert run(capsys, log.folder)[0] == 1


@pytest.mark.parametrize(
    "name", ["v", "id", "kind", "time", "observed", "producer", "actor", "body"]
)
@pytest.mark.parametrize("value", [None, True, []])
def test_what_has_not_what_every_record_has_is_none(make_log, name, value):
    """Also where it is signed: whoever writes the log could else leave out who did it."""
    log = make_log(3)
    entry = json.loads(log.lines[2])
    entry[name] = value
    log.lines[2] = canonical(entry)
    (stream,) = verify_log(log.write(), evidence=Evidence(full=True)).streams
    assert stream.verdict == 1
    assert stream.problems[0].what == f"is no record: `{name}` is missing, or of another sort"


def test_a_number_is_a_number(make_log):
    log = make_log(2)
    log.lines[1] = log.lines[1].replace(b'"seq":1,', b'"seq":true,')
    (stream,) = verify_log(log.write(), evidence=Evidence(full=True)).streams
    assert stream.problems[0].what == "carries the number of another kind"


def test_names_of_files_cannot_speak_for_the_verifier(make_log, capsysbinary):
    log = make_log(3)
    folder = os.fsencode(log.write())
    for name in (b"a\nexample.test\xe2\x80\xae: valid.jsonl", b"\xff.jsonl", b"\x1b[2J.jsonl"):
        os.close(os.open(folder + b"/" + name, os.O_CREAT | os.O_WRONLY))
    assert main([str(log.folder)]) == 1
    said = capsysbinary.readouterr().out.decode(errors="strict")
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert not any(line.startswith("example.test") and "valid" in line for line in said.split("\n"))


def test_a_million_notes_of_one_size_take_no_longer_than_their_number(make_log):
    log = make_log(8)
    log.write([4, 8], witnessed={4: 5})
    path = log.folder / "witnessed"
    path.write_text(path.read_text() * 2_000)
    (report,) = verify_log(log.folder).streams
    assert report.verdict == 0


def test_a_note_with_more_signatures_than_anybody_needs_is_refused(make_log):
    log = make_log(3)
    body, _, line = log.note(3).partition("\n\n")
    assert parse_checkpoint(f"{body}\n\n{line * 64}")
    with pytest.raises(BadCheckpointError, match="more than 64"):
        parse_checkpoint(f"{body}\n\n{line * 65}")


def test_a_key_that_was_made_to_have_the_hash_of_the_pinned_one_signs_nothing(
    make_log, capsys, monkeypatch
):
    """32 bits are found in a day. With the twin in `log.pub`, its signatures were taken for the pinned key's."""
    monkeypatch.setattr(VerifierKey, "hash", property(lambda _: b"same"))
    log = make_log(3)
    pinned = log.verifier
    log.key = Ed25519PrivateKey.generate()
    log.add("audit.key_changed", former=str(pinned), verifier=str(log.verifier))
    log.write([4])
    (log.folder / "log.pub").write_text(f"{pinned}\n{log.verifier}\n")
    code, said = run(capsys, log.folder, "--key", pinned)
    assert code == 1
    assert "a key that is not the pinned one has its hash" in said
    with pytest.raises(BadCheckpointError, match="one hash"):
        open_signed(log.note(4), [pinned, log.verifier])


@pytest.mark.parametrize("time", [2**63 - 1, 2**63, 2**64 - 1, 253_402_300_800])
def test_a_witness_that_names_no_time_there_is_does_not_hold(time):
    key = Ed25519PrivateKey.generate()
    witness, checkpoint = WitnessKey.of("w.test", key), Checkpoint("l.test", 1, bytes(32))
    line = cosign(checkpoint, "w.test", key, time=time)
    ((_, _, signature),) = parse_checkpoint(
        sign_checkpoint(checkpoint, Ed25519PrivateKey.generate()).partition("\n\n")[0]
        + "\n\n"
        + line
    ).signatures
    with pytest.raises(BadCosignatureError, match="no time"):
        witness.verify(checkpoint, signature)


def test_the_last_second_that_a_witness_can_name_is_judged(make_log, capsys, tmp_path, begin):
    log = make_log(5)
    log.write(witnessed={5: 253_402_300_799 - begin})
    key = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    policy = tmp_path / "policy"
    policy.write_text(f"witness w {WitnessKey.of('witness.test/w', key)}\nquorum w\n")
    assert run(capsys, log.folder, "--policy", policy)[0] == 0
    assert run(capsys, log.folder, "--policy", policy, "--max-age", "1h")[0] == 3


def test_groups_within_groups_are_judged_however_deep(make_log, capsys, tmp_path):
    log = make_log(5)
    log.write(witnessed={5: 6})
    key = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    lines = [f"witness w {WitnessKey.of('witness.test/w', key)}", "group g0 any w"]
    lines += [f"group g{n} any g{n - 1}" for n in range(1, 998)]
    policy = tmp_path / "policy"
    policy.write_text("\n".join([*lines, "quorum g997"]) + "\n")
    assert run(capsys, log.folder, "--policy", policy)[0] == 0


@pytest.mark.parametrize("kind", ["log", "witness w"])
def test_a_policy_with_a_name_that_is_no_text_is_refused(make_log, capsys, tmp_path, kind):
    policy = tmp_path / "policy"
    policy.write_bytes(f"{kind} ".encode() + b"\xff+00000000+AAAA\nquorum none\n")
    code, said = run(capsys, make_log(1).write(), "--policy", policy)
    assert code == 64
    assert "line 1" in said
    with pytest.raises(BadPolicyError):
        parse_policy(policy.read_bytes().decode(errors="surrogateescape"))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "x", '{"log":1,"seq":1,"leaf":"00"}', "[" * 100_000, "1" * 5_000],
)
def test_what_is_no_receipt_is_refused_by_its_name(make_log, capsys, tmp_path, text):
    receipt = tmp_path / "receipt"
    receipt.write_text(text)
    code, said = run(capsys, make_log(1).write(), "--receipt", receipt)
    assert code == 64
    assert str(receipt) in said


@pytest.mark.parametrize("seq", [5, 2**53 - 1])
def test_a_receipt_for_a_record_that_is_not_there_shows(make_log, capsys, tmp_path, seq):
    log = make_log(5)
    receipt = tmp_path / "receipt"
    receipt.write_text(json.dumps({"log": log.origin, "seq": seq, "leaf": "ab" * 32}))
    assert run(capsys, log.write(), "--receipt", receipt)[0] == 1
    receipt.write_text(json.dumps({"log": "\ud800", "seq": seq, "leaf": "ab" * 32}))
    assert run(capsys, log.folder, "--receipt", receipt)[0] == 2


def test_what_nobody_foresaw_is_not_enough_evidence(make_log, capsys, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(command, "verify_log", fail)
    code, said = run(capsys, make_log(1).write())
    assert code == 2
    assert said == "remit-audit-verify: cannot tell: MemoryError\n"


def test_a_log_of_which_every_checkpoint_was_removed_is_not_shown_by_its_links(make_log, capsys):
    log = make_log(50)
    log.write([])
    code, said = run(capsys, log.folder, "--key", log.verifier)
    assert code == 2
    assert "records 0 to 49: no checkpoint signs them" in said


def test_a_long_end_that_no_checkpoint_signs_is_not_shown(make_log, capsys):
    """Whoever can write the folder could else take away the last checkpoints and write another end."""
    log = make_log(300)
    log.write([100])
    code, said = run(capsys, log.folder, "--key", log.verifier)
    assert code == 2
    assert "records 100 to 299: no checkpoint signs them" in said
    log.write([200])
    assert run(capsys, log.folder, "--key", log.verifier)[0] == 0


def test_a_log_whose_key_is_pinned_has_to_be_in_a_folder_of_logs(make_log, capsys):
    one, two = make_log(5, "one"), make_log(5, "two")
    one.write()
    given = ("--key", one.verifier, "--key", two.verifier)
    code, said = run(capsys, one.folder.parent, *given)
    assert code == 2
    assert "`example.test/two`, whose key is pinned, is not here" in said
    assert run(capsys, one.folder, *given)[0] == 0
    two.write()
    assert run(capsys, one.folder.parent, *given)[0] == 0


def test_what_is_neither_a_log_nor_a_bundle_is_said_to_be_none(tmp_path, capsys):
    (tmp_path / "text").write_text("no log")
    for path in (tmp_path, tmp_path / "text"):
        code, said = run(capsys, path)
        assert code == 2
        assert "there is no audit log here" in said
