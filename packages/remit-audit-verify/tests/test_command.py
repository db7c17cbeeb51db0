"""The command line, as a shell sees it."""

import io
import json
import subprocess
import sys

import pytest

from remit_audit_verify.command import main
from remit_audit_verify.report import Verdict
from remit_audit_verify.saying import VERDICTS
from remit_audit_verify.stream_files import segment_name
from remit_audit_verify.terminal import Bar, painted


@pytest.fixture
def log(make_log):
    log = make_log(40)
    log.write([10, 40], witnessed={10: 11, 40: 41})
    return log


@pytest.fixture
def policy_file(log, policy, tmp_path):
    path = tmp_path / "auditor.policy"
    path.write_text(f"log {log.verifier}\nwitness w {policy.witnesses['w']}\nquorum w\n")
    return path


def test_a_valid_log_is_0_and_says_so(log, capsys):
    assert main([str(log.folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("example.test/main: valid\n")
    assert "\x1b" not in out
    assert main(["verify", str(log.folder.parent)]) == 0


def test_everything_that_is_brought_along_counts(log, policy_file, tmp_path, capsys):
    kept, receipts = tmp_path / "kept", tmp_path / "receipts.json"
    kept.write_text(log.note(10))
    receipts.write_text(json.dumps({"log": log.origin, "seq": 7, "leaf": log.leaves[7].hex()}))
    options = [
        "--key",
        str(log.folder / "log.pub"),
        "--since",
        str(kept),
        "--receipt",
        str(receipts),
    ]
    options += ["--policy", str(policy_file), "--full", "--workers", "1", "--json"]
    assert main([str(log.folder), *options]) == 0
    (stream,) = json.loads(capsys.readouterr().out)["streams"]
    assert stream["pinned"]
    assert (stream["receipts"], stream["witnessed"], stream["witnesses"]) == (1, 40, ["w"])


def test_a_log_that_was_tampered_with_is_1_and_named(log, capsys):
    path = log.folder / segment_name(0)
    path.write_bytes(path.read_bytes().replace(b"because 7", b"because 8"))
    assert main([str(log.folder)]) == 1
    out = capsys.readouterr().out
    assert f"{segment_name(0)}:8: record 7: altered" in out
    assert "last provably good record: none" in out


def test_a_missing_file_is_2_and_an_old_log_3(log, capsys):
    assert main([str(log.folder), "--max-age", "1s"]) == 3
    (log.folder / "log.pub").unlink()
    assert main([str(log.folder)]) == 2
    assert main([str(log.folder / "nowhere")]) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["LOG", "--nonsense"],
        ["LOG", "--max-age", "soon"],
        ["LOG", "--key", "nowhere"],
        ["LOG", "--key", "a+b"],
        ["LOG", "--since", "nowhere"],
        ["LOG", "--since", "LOG/log.pub"],
        ["LOG", "--receipt", "LOG/log.pub"],
        ["LOG", "--policy", "LOG/log.pub"],
        ["LOG", "--timestamps", "nowhere"],
        ["prove", "LOG"],
        ["prove", "LOG", "first"],
        ["check"],
        ["check", "LOG/log.pub"],
        ["check", "nowhere", "--key", "KEY"],
    ],
)
def test_what_cannot_be_understood_or_read_is_64_and_no_verdict(log, arguments, capsys):
    places = {"LOG": str(log.folder), "KEY": str(log.verifier)}
    given = [
        places.get(one, one.replace("LOG/", f"{log.folder}/").replace("nowhere", "/nowhere/x"))
        for one in arguments
    ]
    try:
        status = main(given)
    except SystemExit as stopped:
        status = stopped.code
    assert status == 64
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err


def test_one_record_is_shown_and_checked(log, policy_file, tmp_path, capsys):
    path = tmp_path / "7.tlog-proof"
    assert main(["prove", str(log.folder), "7", "-o", str(path)]) == 0
    assert main(["check", str(path), "--policy", str(policy_file)]) == 0
    out = capsys.readouterr().out
    assert "holds: record 7 of example.test/main, of 40 records" in out
    assert "witnessed by w" in out
    assert log.lines[7].decode() in out
    assert main(["prove", str(log.folder), "7"]) == 0
    assert capsys.readouterr().out == path.read_text()


def test_a_proof_that_does_not_hold_is_1(log, tmp_path, capsys):
    path, record = tmp_path / "7.tlog-proof", tmp_path / "record"
    assert main(["prove", str(log.folder), "7", "-o", str(path)]) == 0
    record.write_bytes(log.lines[8] + b"\n")
    key = ["--key", str(log.verifier)]
    assert main(["check", str(path), *key, "--record", str(record)]) == 1
    assert "does not hold" in capsys.readouterr().out
    path.write_text("nonsense")
    assert main(["check", str(path), *key]) == 1


def test_what_cannot_be_proven_is_2(log, capsys):
    assert main(["prove", str(log.folder), "40"]) == 2
    assert "no checkpoint signs record 40 yet" in capsys.readouterr().err


def test_it_is_a_module_too(log):
    done = subprocess.run(
        [sys.executable, "-m", "remit_audit_verify", str(log.folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_verdict_has_its_colour_on_a_terminal_only(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = "a: valid\n  note: valid\nb: TAMPERED WITH"
    assert painted(text, VERDICTS, stream=io.StringIO()) == text
    coloured = painted(text, VERDICTS, stream=Terminal())
    assert coloured.split("\n") == [
        "a: \x1b[32mvalid\x1b[0m", "  note: valid", "b: \x1b[1;31mTAMPERED WITH\x1b[0m",
    ]  # fmt: skip
    monkeypatch.setenv("NO_COLOR", "1")
    assert painted(text, VERDICTS, stream=Terminal()) == text


def test_a_long_log_shows_how_far_it_is_and_leaves_nothing_behind():
    stream = Terminal()
    bar = Bar(stream)
    for done in (1, 50, 100):
        bar.show(done * 10**6, 100 * 10**6)
    bar.close()
    drawn = stream.getvalue()
    assert "100 % of 100 MB" in drawn
    assert drawn.endswith("\r\x1b[K")


@pytest.mark.parametrize(("stream", "total"), [(io.StringIO(), 10**9), (Terminal(), 10**6)])
def test_no_bar_where_nobody_looks_or_nobody_waits(stream, total):
    bar = Bar(stream)
    bar.show(total, total)
    bar.close()
    assert stream.getvalue() == ""


def test_every_verdict_has_words():
    assert set(VERDICTS) == set(Verdict)
