"""Secrets kept outside Remit, named by reference: `env:NAME` or `file:PATH`.

`stored:NAME` names one that Remit keeps itself; `remit.secrets.known` reads those. Here, where no
database is open, it is refused in words of its own.

Refused: any other form (so that a secret itself never stands in a file by mistake and
passes), a name that is not set, a file that cannot be read, and an empty secret.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from remit.errors import Error

__all__ = ["SecretNotFoundError", "resolve_secret"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAX_BYTES = 65_536


class SecretNotFoundError(Error):
    """The reference names no secret. The message never holds what was found."""

    code: ClassVar[str] = "secret_not_found"


def resolve_secret(reference: str, *, env: Mapping[str, str] | None = None) -> str:
    """The secret that `reference` names; one line break at the end of a file is not part of it.

    Raises:
        SecretNotFoundError: see the module.
    """
    kind, _, name = reference.partition(":")
    if kind == "env" and _NAME.fullmatch(name):
        secret = (os.environ if env is None else env).get(name, "")
        if not secret:
            raise SecretNotFoundError(f"the environment variable `{name}` is not set")
        return secret
    if kind == "file" and name:
        return _from_file(Path(name))
    if kind == "stored":
        raise SecretNotFoundError(
            "a secret that is stored in the database cannot be read before the database is open"
        )
    # What stands here may be the secret itself: it is not repeated.
    raise SecretNotFoundError("a secret is named `env:NAME` or `file:PATH`")


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        secret = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretNotFoundError(
            f"the secret file `{path}` cannot be read", cause=error
        ) from error
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret or len(data) > _MAX_BYTES:
        raise SecretNotFoundError(f"the secret file `{path}` is empty or too large")
    return secret
