"""What the signer refuses, by the words that go over its socket."""

from typing import ClassVar

from remit.errors import ConflictError, Error, NotFoundError

__all__ = [
    "KeyInUseError",
    "NotContinuedError",
    "SignerInUseError",
    "SignerStateError",
    "UnknownLogError",
]


class NotContinuedError(ConflictError):
    """What is to be signed does not continue what was signed."""

    code: ClassVar[str] = "audit_log_set_back"


class KeyInUseError(ConflictError):
    """The log has a key already; none is taken over for it."""

    code: ClassVar[str] = "signer_key_in_use"


class SignerInUseError(ConflictError):
    """A signer runs on that folder; two would each sign a future of their own."""

    code: ClassVar[str] = "signer_in_use"


class UnknownLogError(NotFoundError):
    """Nothing was ever signed for a log of that name."""

    code: ClassVar[str] = "signer_unknown_log"


class SignerStateError(Error):
    """What the signer kept cannot be read, or is not what it wrote; nothing is signed."""

    code: ClassVar[str] = "signer_state"
