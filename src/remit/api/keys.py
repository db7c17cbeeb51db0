"""Signing keys: listed, rotated, retired. They are everybody's, so only who acts for all may touch them."""

from typing import Final

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Why
from remit.clock import EpochSeconds
from remit.tokens.rotation import retire_key, rotate_key
from remit.tokens.store import StoredKey, list_keys

__all__ = ["KEY_OPERATIONS"]


class KeyShown(Shape):
    """A signing key, without anything it could sign with."""

    kid: str
    algorithm: str
    created_at: int
    signs_from: int
    retires_at: int | None
    retired_at: int | None
    state: str


class KeyPage(Shape):
    """Every key there ever was, the one that signs last first."""

    keys: list[KeyShown]


class Rotation(Shape):
    """`now`: after a compromise. The new key signs at once, and whatever another signed is refused."""

    now: bool = False


async def _list(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> KeyPage:
    found = await deps.database.read(list_keys)
    signing = next(
        (key.kid for key in found if key.retired_at is None and key.signs_from <= asked.at), None
    )
    return KeyPage(keys=[_shown(key, asked.at, signs=key.kid == signing) for key in found])


async def _rotate(deps: ApiDeps, asked: Asked[Nothing, Rotation]) -> KeyShown:
    made = await deps.database.run(
        lambda tx: rotate_key(
            tx, deps.box, at_once=asked.body.now, now=asked.at, context=asked.context
        )
    )
    await deps.publish()
    return _shown(made, asked.at, signs=made.signs_from <= asked.at)


async def _retire(deps: ApiDeps, asked: Asked[Nothing, Why]) -> KeyShown:
    retired = await deps.database.run(
        lambda tx: retire_key(
            tx, asked.path["key"], reason=asked.body.reason, now=asked.at, context=asked.context
        )
    )
    await deps.publish()
    return _shown(retired, asked.at, signs=False)


def _shown(key: StoredKey, now: EpochSeconds, *, signs: bool) -> KeyShown:
    return KeyShown(
        kid=key.kid,
        algorithm=key.algorithm,
        created_at=key.created_at,
        signs_from=key.signs_from,
        retires_at=key.retires_at,
        retired_at=key.retired_at,
        state=_state(key, now, signs=signs),
    )


def _state(key: StoredKey, now: EpochSeconds, *, signs: bool) -> str:
    if key.retired_at is not None:
        return "retired"
    if key.signs_from > now:
        return "waits"
    return "signs" if signs else "verifies"


KEY_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="keys.list", run=_list, query=Nothing, body=Nothing, answer=KeyPage),
    Operation(name="keys.rotate", run=_rotate, query=Nothing, body=Rotation, answer=KeyShown),
    Operation(name="keys.retire", run=_retire, query=Nothing, body=Why, answer=KeyShown),
)
