import pytest

from remit.app.data_folder import DataFolderInUseError
from remit.app.server import ListenError
from remit.audit import AuditLogDamagedError, AuditLogLockedError, AuditUnavailableError
from remit.cli.connection import ManagementRefusedError, NotReachableError, NotRunningError
from remit.cli.exits import ExitCode
from remit.cli.report import report_error
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
