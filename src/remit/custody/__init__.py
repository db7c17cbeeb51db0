"""What the log holds sealed, and for how long: the keys of each subject, holds, erasure, retention.

Refused: erasing while a hold stands; one person's word where two are needed.
"""

from remit.custody.desk import Custody, subject_digest
from remit.custody.erasure import HeldError
from remit.custody.hold_store import Hold, HoldState, Word
from remit.custody.holding import OnePersonError
from remit.custody.key_keeper import KeyKeeper

__all__ = [
    "Custody",
    "HeldError",
    "Hold",
    "HoldState",
    "KeyKeeper",
    "OnePersonError",
    "Word",
    "subject_digest",
]
