"""When keys come and go, each with its event.

In peace a new key is published at once and signs only after every cache of the published set
has expired; the old one verifies until the last token it signed has, and then retires by
itself. After a compromise (`at_once`) the new key signs now and every other is retired now:
all their tokens are refused.

Refused: a second key while one waits to sign, since the first would never have signed; and to
retire the only key that signs, since nothing could be issued.

Source: O21 §7.4; RFC 7517 §4.5; RFC 9068 §4; NIST SP 800-57 Part 1 §5.3.4.
"""

from typing import Final

from remit.audit.context import Context
from remit.audit.events import SigningKeyAdded, SigningKeyRetired
from remit.clock import Clock, EpochSeconds, Seconds
from remit.db import Database, Transaction
from remit.errors import ConflictError, NotFoundError
from remit.secrets import SecretBox
from remit.tokens import store
from remit.tokens.keys import ALGORITHM, KeySet, SigningKey
from remit.tokens.store import StoredKey

__all__ = [
    "JWKS_LIFETIME",
    "LONGEST_TOKEN",
    "keep_keys",
    "open_keys",
    "reread_keys",
    "retire_key",
    "rotate_key",
]

JWKS_LIFETIME: Final = Seconds(300)
"""How long caches may keep the published keys."""

_LEAD: Final = Seconds(JWKS_LIFETIME + 60)
"""From a key's publication to its first signature: the lifetime of caches, and for other processes to hear of it."""

LONGEST_TOKEN: Final = Seconds(2 * 3_600)
"""No access token lives longer: a repository may say 60 minutes at most, and clocks may differ."""

_EXPIRED = "everything it signed has expired"
_REPLACED = "replaced at once"


async def open_keys(database: Database, box: SecretBox, clock: Clock) -> KeySet:
    """The keys in force; the first start makes one.

    Raises:
        SealBrokenError: a key was sealed with another master key.
        UnusableKeyError: a sealed key is not the one its name says.
    """

    def read_or_make(tx: Transaction) -> tuple[SigningKey, ...]:
        store.hold_keys(tx)
        keys = store.read_keys(tx, box)
        return keys or (_add(tx, box, SigningKey.generate(clock.now()), Context()),)

    return KeySet(await database.run(read_or_make))


async def reread_keys(database: Database, box: SecretBox, keys: KeySet) -> tuple[StoredKey, ...]:
    """Publish in `keys` what is stored now, and say what that is: how a process learns of a rotation in another.

    A key that is not stored any more is let go of first: if a new one cannot be opened here,
    what another process retired is refused all the same.

    Raises:
        Error: as `open_keys`, or the database does not answer.
    """
    listed = await database.read(lambda tx: store.list_keys(tx, retired=False))
    known = {key.kid for key in listed}
    keys.retain(known)
    if any(keys.find(kid) is None for kid in known):
        keys.publish(await database.read(lambda tx: store.read_keys(tx, box)))
    return listed


def rotate_key(
    tx: Transaction, box: SecretBox, *, at_once: bool, now: EpochSeconds, context: Context
) -> StoredKey:
    """Make the next key; see the module for when it signs and what becomes of the others.

    Raises:
        ConflictError: a key waits to sign already, and this is no emergency.
    """
    store.hold_keys(tx)
    others = store.list_keys(tx, retired=False)
    waiting = next((key for key in others if key.signs_from > now), None)
    if waiting is not None and not at_once:
        raise ConflictError(
            f"the key `{waiting.kid}` waits already, and signs in {waiting.signs_from - now} seconds"
        )
    begins = now if at_once else EpochSeconds(now + _LEAD)
    made = _add(tx, box, SigningKey.generate(now, signs_from=begins), context)
    if at_once:
        for key in others:
            _retire(tx, key.kid, now=now, reason=_REPLACED, context=context)
    else:
        last_use = EpochSeconds(begins + LONGEST_TOKEN)
        store.set_retirement(tx, [key.kid for key in others], at=last_use)
    return _stored(tx, made.kid)


def retire_key(
    tx: Transaction, kid: str, *, reason: str, now: EpochSeconds, context: Context
) -> StoredKey:
    """Let nothing that `kid` signed be believed any more.

    Raises:
        NotFoundError: there is no such key.
        ConflictError: it is retired already, or nothing else could sign.
    """
    store.hold_keys(tx)
    known = _stored(tx, kid)
    if known.retired_at is not None:
        raise ConflictError("the key is retired already")
    if not _others_sign(tx, kid, now=now):
        raise ConflictError("no other key signs yet; rotate at once instead")
    _retire(tx, kid, now=now, reason=reason, context=context)
    return _stored(tx, kid)


def keep_keys(tx: Transaction, box: SecretBox, *, lifetime: Seconds, now: EpochSeconds) -> bool:
    """Retire what is due, and make the next key when the newest has signed for `lifetime` (0: never).

    Whether anything changed.
    """
    store.hold_keys(tx)
    changed = False
    for key in store.list_keys(tx, retired=False):
        due = key.retires_at is not None and key.retires_at <= now
        if due and _others_sign(tx, key.kid, now=now):
            _retire(tx, key.kid, now=now, reason=_EXPIRED, context=Context())
            changed = True
    newest = max((key.signs_from for key in store.list_keys(tx, retired=False)), default=now)
    if lifetime and newest + lifetime <= now:
        rotate_key(tx, box, at_once=False, now=now, context=Context())
        changed = True
    return changed


def _others_sign(tx: Transaction, kid: str, *, now: EpochSeconds) -> bool:
    return any(
        key.kid != kid and key.signs_from <= now for key in store.list_keys(tx, retired=False)
    )


def _add(tx: Transaction, box: SecretBox, key: SigningKey, context: Context) -> SigningKey:
    store.put_key(tx, box, key)
    tx.record(
        SigningKeyAdded(
            context=context, key_id=key.kid, algorithm=ALGORITHM, signs_from=key.signs_from
        )
    )
    return key


def _retire(tx: Transaction, kid: str, *, now: EpochSeconds, reason: str, context: Context) -> None:
    if store.mark_retired(tx, kid, now=now):
        tx.record(SigningKeyRetired(context=context, key_id=kid, reason=reason))


def _stored(tx: Transaction, kid: str) -> StoredKey:
    for key in store.list_keys(tx):
        if key.kid == kid:
            return key
    raise NotFoundError("there is no such key")
