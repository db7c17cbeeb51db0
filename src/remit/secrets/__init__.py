"""Where secrets are kept: sealed under one master key, or outside, named by reference.

Refuses: a key that others may read, a sealed value moved under another name, a reference
that names nothing.
"""

from remit.secrets.box import SealBrokenError, SecretBox
from remit.secrets.known import KnownSecrets
from remit.secrets.master_key import MasterKey, MasterKeyError
from remit.secrets.reference import SecretNotFoundError, resolve_secret
from remit.secrets.store import forget_secret, keep_secret, sealed_secret
from remit.secrets.stored import NewSecret, UnfitSecretError, drop_secret, store_secret
from remit.secrets.stored_store import StoredSecret, list_stored_secrets, sealed_values

__all__ = [
    "KnownSecrets",
    "MasterKey",
    "MasterKeyError",
    "NewSecret",
    "SealBrokenError",
    "SecretBox",
    "SecretNotFoundError",
    "StoredSecret",
    "UnfitSecretError",
    "drop_secret",
    "forget_secret",
    "keep_secret",
    "list_stored_secrets",
    "resolve_secret",
    "sealed_secret",
    "sealed_values",
    "store_secret",
]
