import pytest
import typer.main

from remit.app.data_folder import DataFolderInUseError
from remit.app.server import ListenError
from remit.audit import AuditLogDamagedError, AuditLogLockedError, AuditUnavailableError
from remit.cli.connection import ManagementRefusedError, NotReachableError, NotRunningError
from remit.cli.exits import ExitCode
from remit.cli.main import app
from remit.cli.report import _LISTED, report_error
from remit.db import DatabaseUnavailableError, MigrationError, UnsupportedDatabaseError
from remit.errors import ConflictError, NotFoundError
from remit.secrets import MasterKeyError
from remit.settings import Fault, Origin, SettingsInvalidError


@pytest.mark.parametrize(
    "error",
    [
        DataFolderInUseError("x"),
        ListenError("x"),
        AuditLogDamagedError("x", sequence=0),
        AuditLogLockedError("x"),
        AuditUnavailableError("x"),
        NotReachableError("x"),
        NotRunningError("x"),
        DatabaseUnavailableError("x"),
        MigrationError("x"),
        UnsupportedDatabaseError("x"),
        MasterKeyError("x"),
        SettingsInvalidError(()),
        ManagementRefusedError("x", reason="audit_unavailable"),
    ],
    ids=lambda error: error.code,
)
def test_what_remit_stands_on_has_its_own_exit_code(error):
    assert report_error(error) is ExitCode.UNAVAILABLE


@pytest.mark.parametrize(
    "error",
    [NotFoundError("x"), ConflictError("x"), ManagementRefusedError("x", reason="conflict")],
)
def test_a_refusal_has_another(error):
    assert report_error(error) is ExitCode.FOUND_WRONG


def test_every_part_of_what_is_wrong_is_told(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    report_error(SettingsInvalidError((Fault(Origin.of_flag("port"), "wrong", "right it"),)))
    assert capsys.readouterr().err == (
        "error: one setting cannot be used\n  --port: wrong; right it\n"
    )


def test_what_to_do_next_is_told(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    report_error(DatabaseUnavailableError("the database does not answer"))
    assert "\n  next: see that the database runs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("told", "listed"),
    [
        ("there is no such agent in the repository", "remit agents list"),
        ("there is no such account", "remit users list"),
        ("there is no such decision in the log", "remit audit tail --kind decision"),
        ("there is no such proposal", "remit proposals list"),
        ("there is no such tool, resource or prompt", "remit servers show SERVER"),
    ],
    ids=["agent", "account", "decision", "proposal", "thing"],
)
def test_who_names_what_is_not_there_is_told_what_is(capsys, monkeypatch, told, listed):
    monkeypatch.setenv("NO_COLOR", "1")
    report_error(ManagementRefusedError(told, reason="not_found"))
    assert capsys.readouterr().err == f"error: {told}\n  next: see which there are: {listed}\n"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("bad_signature", "who is believed"),
        ("bundle_malformed", "remit bundles build"),
        ("folder_decides", "`policies`"),
        ("not_a_second_person", "somebody else"),
        ("not_triable", "leave out --trial"),
        ("wrong_origin", "remit promote"),
    ],
)
def test_a_bundle_that_is_turned_away_is_followed_by_what_to_do(capsys, monkeypatch, reason, said):
    monkeypatch.setenv("NO_COLOR", "1")
    report_error(ManagementRefusedError("x", reason=reason))
    (_, following) = capsys.readouterr().err.splitlines()
    assert following.startswith("  next: ")
    assert said in following


@pytest.mark.parametrize(
    "told",
    [
        "no bundle of that name was in force here: `abc`",
        "more than one bundle begins so",
        "there is no such bundle",
        "there is no such bundle in the database: `abc`",
    ],
)
def test_a_bundle_that_is_not_there_is_looked_up(capsys, monkeypatch, told):
    monkeypatch.setenv("NO_COLOR", "1")
    report_error(ManagementRefusedError(told, reason="not_found"))
    assert "next: see which there are: remit bundles list" in capsys.readouterr().err


@pytest.mark.parametrize(
    "reason",
    ["audit_log_elsewhere", "audit_log_set_back", "audit_signer_moved", "audit_signer_unavailable"],
)
def test_a_log_that_does_not_open_keeps_the_server_from_starting_and_blames_no_policy(
    capsys, reason
):
    assert report_error(ManagementRefusedError("x", reason=reason)) == ExitCode.UNAVAILABLE


def test_what_is_listed_nowhere_has_no_next_step_made_up(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    report_error(NotFoundError("there is no such agentless thing"))
    assert "next" not in capsys.readouterr().err


def test_every_command_that_is_named_exists():
    commands = typer.main.get_command(app).commands
    for command in _LISTED.values():
        _, group, verb, *_ = command.split()
        assert verb in commands[group].commands
