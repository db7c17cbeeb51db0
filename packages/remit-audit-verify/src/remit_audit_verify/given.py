"""What a command line hands over: keys, or files with keys; files with a policy, with receipts; an age."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.policy import NO_POLICY, Policy, parse_policy
from remit_audit_verify.receipts import Receipt, read_receipts

__all__ = ["BadOptionError", "read_age", "read_keys", "read_policy", "read_receipt_files"]

_AGE: Final = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>[smhd]?)")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


class BadOptionError(VerifyError):
    """An option that cannot be understood."""


def read_keys(given: Sequence[str]) -> list[str]:
    """Keys, and the lines of files with keys.

    Raises:
        OSError: such a file cannot be read.
    """
    found: list[str] = []
    for one in given:
        if "+" in one and not Path(one).is_file():
            found.append(one)
        else:
            found += Path(one).read_text(encoding="utf-8").split()
    return found


def read_policy(path: Path | None) -> Policy:
    """The policy in a file; the one that demands nothing where there is none.

    Raises:
        BadPolicyError: it is none.
        OSError: it cannot be read.
    """
    if path is None:
        return NO_POLICY
    return parse_policy(path.read_bytes().decode("utf-8", errors="surrogateescape"))


def read_receipt_files(paths: Sequence[Path]) -> tuple[Receipt, ...]:
    """The receipts in files, each once.

    Raises:
        BadReceiptError: there are none in one of them.
        OSError: one of them cannot be read.
    """
    found = {one for path in paths for one in read_receipts(path.read_text(encoding="utf-8"))}
    return tuple(sorted(found))


def read_age(text: str) -> int:
    """Seconds: `90`, `15m`, `6h`, `2d`.

    Raises:
        BadOptionError: another form.
    """
    match = _AGE.fullmatch(text)
    if match is None:
        raise BadOptionError(f"no age: {text!a}")
    return int(match["number"]) * _UNITS[match["unit"]]
