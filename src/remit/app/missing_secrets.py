"""Says, when policies come into force, which of the secrets that they name are not there.

The rest works without them, so it is a warning: a server without its credential is
never called, a client without its secret never admitted. Only names are logged.
"""

from collections.abc import Callable

import structlog

from remit.errors import Error
from remit.model import Catalog
from remit.repository import named_secrets

__all__ = ["warn_of_missing_secrets"]

_log = structlog.stdlib.get_logger("remit.policy")


def warn_of_missing_secrets(catalog: Catalog, resolve: Callable[[str], str]) -> None:
    """Log one warning for each secret that `resolve` does not find."""
    for named in named_secrets(catalog):
        try:
            resolve(named.reference)
        except Error as error:
            _log.warning(
                "not_usable", what=named.holder, detail=error.detail, mend=_mend(named.reference)
            )


def _mend(reference: str) -> str:
    kind, _, name = reference.partition(":")
    if kind == "stored":
        return f"store it: remit secrets set {name}"
    if kind == "env":
        return f"set {name} in the environment of `remit serve`, and start it again"
    return f"write the secret to {name}, readable by the user of `remit serve` alone"
