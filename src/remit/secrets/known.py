"""The secrets of this process: those outside, read when they are asked for, and the stored ones, in memory.

Nothing here touches the database: `publish` is told what is stored. A stored secret that does not
open is missing, and so is whatever needs it; the others do not suffer from it.
"""

import os
from collections.abc import Mapping

from remit.secrets.box import SealBrokenError, SecretBox
from remit.secrets.reference import SecretNotFoundError, resolve_secret
from remit.secrets.stored import seal_name

__all__ = ["KnownSecrets"]


class KnownSecrets:
    """What `env:NAME`, `file:PATH` and `stored:NAME` stand for. Called with a reference, it gives the secret."""

    __slots__ = ("_env", "_sealed", "_values", "_version")

    def __init__(self, *, env: Mapping[str, str] | None = None) -> None:
        self._env = os.environ if env is None else env
        self._sealed: Mapping[str, str] = {}
        self._values: Mapping[str, str] = {}
        self._version = 0

    def __repr__(self) -> str:
        """Names at most: what is printed is lost."""
        return f"KnownSecrets(stored={sorted(self._values)})"

    @property
    def version(self) -> int:
        """Another number after every change of what is stored."""
        return self._version

    def __call__(self, reference: str) -> str:
        """The secret that `reference` names now.

        Raises:
            SecretNotFoundError: it names none.
        """
        kind, _, name = reference.partition(":")
        if kind != "stored":
            return resolve_secret(reference, env=self._env)
        value = self._values.get(name)
        if value is None:
            raise SecretNotFoundError(f"no secret is stored as `{name}`, or it does not open")
        return value

    def publish(self, sealed: Mapping[str, str], box: SecretBox) -> tuple[str, ...]:
        """Let `sealed` be all that is stored; the names of those that do not open.

        Only what is new is opened. The old and the new are never mixed.
        """
        values: dict[str, str] = {}
        broken: list[str] = []
        for name, ciphertext in sealed.items():
            if self._sealed.get(name) == ciphertext and name in self._values:
                values[name] = self._values[name]
                continue
            try:
                values[name] = box.open(seal_name(name), ciphertext).decode()
            except (SealBrokenError, UnicodeDecodeError):
                broken.append(name)
        if values != self._values:
            self._version += 1
        self._sealed, self._values = dict(sealed), values
        return tuple(sorted(broken))
