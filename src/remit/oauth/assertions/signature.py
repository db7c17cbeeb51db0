"""Whether an assertion was signed with a key that its issuer publishes now.

A key that is not known makes us look once more where the issuer publishes its keys, as often
as `PublishedKeys` lets anybody: that is how an issuer's new key comes to be known.

Source: RFC 7523 §3; OpenID Connect Core §10.1.1.
"""

from collections.abc import Collection

from remit.clock import EpochSeconds
from remit.tokens.foreign import ForeignJwt, UnknownKeyError, verify_foreign
from remit.tokens.published_keys import KeyLocation, PublishedKeys

__all__ = ["verified"]


async def verified(
    raw: str,
    location: KeyLocation,
    *,
    published: PublishedKeys,
    algorithms: Collection[str],
    types: Collection[str],
    now: EpochSeconds,
) -> ForeignJwt:
    """The words of whoever publishes keys at `location`.

    `algorithms` and `types` are as `verify_foreign` has them.

    Raises:
        InvalidForeignJwtError: they are not, or cannot be believed now.
        KeysUnavailableError: nobody could say.
    """
    keys = await published.keys(location)
    try:
        return verify_foreign(raw, keys, algorithms=algorithms, types=types, now=now)
    except UnknownKeyError:
        keys = await published.keys_anew(location)
    return verify_foreign(raw, keys, algorithms=algorithms, types=types, now=now)
