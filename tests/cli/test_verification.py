import json
import zipfile

import pytest

from remit.cli import verification
from remit.cli.exits import ExitCode
from remit_audit_verify.command import main as verifier


@pytest.fixture
def records(dana, folder):
    """The records of a log that was closed in good order."""
    (found,) = (folder / "data" / "audit" / "main").glob("*.jsonl")
    return found


def test_a_log_verifies_without_server_settings_or_keys(cli, records, folder, monkeypatch):
    (folder / "data" / "remit.sqlite3").unlink()
    (folder / "data" / "master.key").unlink()
    monkeypatch.setenv("REMIT_NONSENSE", "1")
    for path in ("data/audit", "data/audit/main"):
        done = cli("audit", "verify", path)
        assert done.code == 0, done.out
        assert "audit log verified" in done.out


def test_a_changed_byte_is_found_and_named(cli, records):
    data = bytearray(records.read_bytes())
    data[data.index(b"account.created")] ^= 1
    records.write_bytes(data)
    done = cli("audit", "verify", "data/audit")
    assert done.code == 1
    assert "TAMPERED WITH" in done.out
    assert "verified" not in done.out
    report = json.loads(cli("audit", "verify", "data/audit", "--json").out)
    assert report["verdict"] == "tampered"
    assert report["streams"][0]["problems"]


def test_a_dropped_end_is_found(cli, records):
    lines = records.read_bytes().splitlines(keepends=True)
    records.write_bytes(b"".join(lines[:-2]))
    assert cli("audit", "verify", "data/audit").code == 1


def test_no_log_is_not_a_good_log(cli, folder):
    done = cli("audit", "verify", "data")
    assert done.code == 2
    assert "no audit log here" in done.out


def test_a_pinned_key_proves_who_signed(cli, records):
    key = (records.parent / "log.pub").read_text().strip()
    done = cli("audit", "verify", "data/audit", "--key", key)
    assert done.code == 0
    assert "pin it" not in done.out


def test_a_checkpoint_that_was_kept_must_be_continued(cli, records, tmp_path):
    notes = (records.parent / "checkpoints").read_text().split("\n\n\n")[0]
    kept = tmp_path / "kept"
    first = notes.split("\n\n— ")[0] + "\n\n— " + notes.split("\n\n— ")[1].split("\n")[0] + "\n"
    kept.write_text(first)
    assert cli("audit", "verify", "data/audit", "--since", str(kept)).code == 0


@pytest.mark.parametrize("option", ["--key", "--since"])
def test_evidence_that_cannot_be_read_is_told(cli, records, option):
    done = cli("audit", "verify", "data/audit", option, "nonsense")
    assert done.code == ExitCode.USAGE, "it proves nothing"
    assert "cannot be read" in done.err


def test_a_long_log_shows_how_far_it_is_on_a_terminal_and_nothing_in_a_pipe(
    cli, records, monkeypatch
):
    monkeypatch.setattr(verification, "LONG", 1)
    assert "verifying" not in cli("audit", "verify", "data/audit").err
    monkeypatch.setattr(verification.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    done = cli("audit", "verify", "data/audit")
    assert "verifying" in done.err
    assert "audit log verified" in done.out


def test_an_export_is_checked_whole_in_one_command_by_both(cli, records, folder, tmp_path, capsys):
    key = (records.parent / "log.pub").read_text().strip()
    done = cli("audit", "export", "-o", "found.zip")
    assert done.code == 0, done.err
    for check in (
        lambda *given: cli("audit", "verify", *given).code,
        lambda *given: verifier(list(given)),
    ):
        assert check("found.zip", "--key", key) == 0, capsys.readouterr().out
        assert check("found.zip", "--key", "remit/other" + key.removeprefix("remit/main")) != 0
        assert check("found.zip", "--since", str(records.parent / "checkpoints")) != 0
    with zipfile.ZipFile("found.zip") as bundle, zipfile.ZipFile("other.zip", "w") as changed:
        for name in bundle.namelist():
            content = bundle.read(name)
            changed.writestr(name, content.replace(b"account.created", b"account.deleted"))
    assert cli("audit", "verify", "other.zip", "--key", key).code == 1
    assert verifier(["other.zip", "--key", key]) == 1


@pytest.mark.parametrize("option", ["--key", "--since", "--policy", "--receipt", "--timestamps"])
def test_what_is_handed_over_and_holds_nothing_is_refused_and_not_passed_over(
    cli, records, tmp_path, option
):
    (tmp_path / "empty").touch()
    done = cli("audit", "verify", "data/audit", option, str(tmp_path / "empty"))
    assert done.code == 2
    assert "what was handed over cannot be read" in done.err
