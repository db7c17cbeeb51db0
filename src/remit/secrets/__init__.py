"""Where secrets are kept: sealed under one master key, or outside, named by reference.

Refuses: a key that others may read, a sealed value moved under another name, a reference
that names nothing.
"""

from remit.secrets.box import SealBrokenError, SecretBox
from remit.secrets.master_key import MasterKey, MasterKeyError
from remit.secrets.reference import SecretNotFoundError, resolve_secret
from remit.secrets.store import keep_secret, sealed_secret

__all__ = [
    "MasterKey",
    "MasterKeyError",
    "SealBrokenError",
    "SecretBox",
    "SecretNotFoundError",
    "keep_secret",
    "resolve_secret",
    "sealed_secret",
]
