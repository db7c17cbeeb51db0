"""Passkeys: what a browser is asked for, and whether what it answers holds.

Always with the person verified by the authenticator (PIN, finger, face), so that a passkey
is two factors in one; discoverable, so that no name needs to be typed. Nothing is asked of who
made the authenticator. Refused: another origin, another relying party, a challenge that is
not ours, an answer without verification, a signature of another key.

Whether the count of signatures grew is not decided here but where the passkey is stored, in
one statement. A passkey that is copied to other devices is `swk`, one that stays is `hwk`.

Source: WebAuthn Level 3 §7.1, §7.2; RFC 8176 §2.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from remit.identity.factor_store import Passkey
from remit.identity.passkey_answer import (
    Answer,
    NewKey,
    PasskeyRefusedError,
    UsedKey,
    read_answer,
)
from remit.identity.user import User
from remit.web import Site

__all__ = [
    "Answer",
    "NewKey",
    "PasskeyRefusedError",
    "UsedKey",
    "creation_options",
    "passkeys_work_at",
    "read_answer",
    "request_options",
    "verify_creation",
    "verify_use",
]


def passkeys_work_at(site: Site) -> bool:
    """Whether the site has a name: browsers make no passkeys for an address (WebAuthn L3 §5.1.2)."""
    try:
        ip_address(urlsplit(site.origin).hostname or "")
    except ValueError:
        return True
    return False


def creation_options(
    site: Site, user: User, *, issuer: str, challenge: bytes, known: tuple[Passkey, ...]
) -> str:
    """What `navigator.credentials.create` is given, as JSON; keys that are `known` are left out."""
    from remit.identity import passkey_ceremony  # noqa: PLC0415  see there

    return passkey_ceremony.creation_options(
        site, user, issuer=issuer, challenge=challenge, known=known
    )


def request_options(site: Site, *, challenge: bytes, known: tuple[Passkey, ...] = ()) -> str:
    """What `navigator.credentials.get` is given, as JSON; without `known` keys, any may answer."""
    from remit.identity import passkey_ceremony  # noqa: PLC0415  see there

    return passkey_ceremony.request_options(site, challenge=challenge, known=known)


def verify_creation(site: Site, answer: Answer) -> NewKey:
    """The new key in `answer`, whose challenge the caller has recognised and spends.

    Raises:
        PasskeyRefusedError: see the module.
    """
    from remit.identity import passkey_ceremony  # noqa: PLC0415  see there

    return passkey_ceremony.verify_creation(site, answer)


def verify_use(site: Site, answer: Answer, passkey: Passkey) -> UsedKey:
    """What `answer` says, made with `passkey`; its challenge the caller has recognised and spends.

    Raises:
        PasskeyRefusedError: see the module.
    """
    from remit.identity import passkey_ceremony  # noqa: PLC0415  see there

    return passkey_ceremony.verify_use(site, answer, passkey)
