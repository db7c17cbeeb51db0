"""How far this process has come in the sequence of activations, kept in its data folder and not in the database.

Each row of the database is signed, but a database in which the newest rows are missing is one that was whole, once:
whoever may write to it could bring back what was in force before, and wait for a restart. So each process notes, beside
its log, the newest activation that it has put in force and which trials it saw end. Refused at the start, and as long
as it runs: a database that has come less far; another activation under the same number; a trial that runs again.

A database that was restored from a backup on purpose has come less far, too: whoever did that removes the file.
A data folder that is new at every start notices nothing; `policies: bundle` at least stops a database without any.

Source: docs/guides/deploying-policies.md, "what is believed".
"""

import os
from pathlib import Path
from typing import Final

from remit.app.data_folder import DataFolderError
from remit.canonical import Json, MalformedJsonError, canonical_bytes, parse_object
from remit.deployment import Activation, BadSignatureError
from remit.deployment.sealing import InstallationKey

__all__ = ["Landmark", "landmark_in"]

_NAME: Final = "policies.in-force"
_PURPOSE: Final = "remit:landmark:v1"
_KEPT: Final = 100
"""Trials that are known to be over; an older one would be held against another activation by now."""


class Landmark:
    """The note in a data folder."""

    __slots__ = ("_key", "_path", "_said")

    def __init__(self, path: Path, key: InstallationKey, *, read: bool = True) -> None:
        """Read it, if there is one.

        Raises:
            BadSignatureError: it was not written by this installation.
        """
        self._path = path
        self._key = key
        self._said = self._read() if read else {}

    @property
    def sequence(self) -> int:
        """The number of the newest activation that was in force here; 0: none was."""
        found = self._said.get("sequence")
        return found if isinstance(found, int) else 0

    def check(self, newest: Activation | None) -> None:
        """Pass when the database, in which `newest` is in force, has come at least as far.

        Raises:
            BadSignatureError: see the module.
        """
        found = 0 if newest is None else newest.sequence
        if found < self.sequence:
            raise BadSignatureError(
                f"activation {self.sequence} was in force here, and the newest in the database is {found}: rows are "
                f"missing; if it was restored from a backup on purpose, remove `{self._path}` and start again"
            )
        if newest is not None and found == self.sequence and self._name(newest) != self._bundle:
            raise BadSignatureError(f"activation {found} is another than it was here")

    def is_over(self, trial: str) -> bool:
        """Whether that trial was seen to end."""
        return trial in self._over

    def keep(self, newest: Activation) -> None:
        """Note that `newest` is in force here; nothing, when that is noted.

        Raises:
            DataFolderError: it cannot be written.
        """
        if (newest.sequence, self._name(newest)) != (self.sequence, self._bundle):
            self._write(sequence=newest.sequence, bundle=self._name(newest), over=self._over)

    def end(self, trial: str) -> None:
        """Note that the trial is over.

        Raises:
            DataFolderError: it cannot be written.
        """
        if not self.is_over(trial):
            over: list[Json] = [*self._over, trial][-_KEPT:]
            self._write(sequence=self.sequence, bundle=self._bundle, over=over)

    @property
    def _bundle(self) -> str:
        return str(self._said.get("bundle", ""))

    @property
    def _over(self) -> list[Json]:
        found = self._said.get("over")
        return found if isinstance(found, list) else []

    def _name(self, activation: Activation) -> str:
        return f"{activation.bundle} {activation.activated_at}"

    def _read(self) -> dict[str, Json]:
        try:
            said = parse_object(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, MalformedJsonError) as error:
            raise self._strange() from error
        seal = said.pop("seal", None)
        if not self._key.is_sealed(_PURPOSE, said, str(seal)):
            raise self._strange()
        return said

    def _strange(self) -> BadSignatureError:
        return BadSignatureError(
            f"`{self._path}` was not written by the installation whose database this is; "
            "if the database is meant to be another, remove the file and start again"
        )

    def _write(self, **said: Json) -> None:
        beside = self._path.with_name(f".{_NAME}.part")
        sealed = {**said, "seal": self._key.seal(_PURPOSE, said)}
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(beside, flags, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(canonical_bytes(sealed))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise DataFolderError(f"cannot write `{self._path}`", cause=error) from error
        self._said = said


def landmark_in(folder: Path, key: InstallationKey, *, believed: bool = True) -> Landmark:
    """That of the data folder `folder`; where it is not `believed`, it is not even read.

    Raises:
        BadSignatureError: it was not written by this installation.
    """
    return Landmark(folder / _NAME, key, read=believed)
