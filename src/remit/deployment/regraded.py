"""What was privileged in a bundle that was in force here stays so, though it was taken away meanwhile.

To take something away needs nobody's word, and what is new is graded by whoever proposes it. Without this, what is
sensitive could be taken away in one step and put back in the next as something that is not.
"""

import asyncio
from collections.abc import Iterator
from typing import Final

from remit.db import Transaction
from remit.deployment.activation_store import activations_so_far
from remit.deployment.bundle import Bundle
from remit.deployment.bundle_store import kept_bundle
from remit.deployment.deps import DeploymentDeps
from remit.deployment.loaded import LoadedPolicies
from remit.errors import NotFoundError
from remit.replay import Area, Change, Difference, Kind, compare
from remit.repository import LoadedRepository, RepositoryInvalidError, load_contents

__all__ = ["regraded"]

_LOOKED_AT: Final = 50
"""Bundles, of those that were in force last."""


async def regraded(
    deps: DeploymentDeps, difference: Difference, proposed: LoadedPolicies
) -> tuple[Change, ...]:
    """What `difference` adds, and was privileged in a bundle that is kept and was in force here before.

    Raises:
        BadSignatureError: one of them was altered.
    """
    added = {(one.area, one.name) for one in difference.changes if one.kind is Kind.ADDED}
    if not added:
        return ()
    earlier = await deps.database.read(lambda tx: _earlier(tx, deps))
    return await asyncio.to_thread(
        lambda: tuple(
            change
            for bundle in earlier
            for change in _privileged(bundle, deps.stage or None, proposed.repository)
            if _is_of(change, added)
        )
    )


def _earlier(tx: Transaction, deps: DeploymentDeps) -> tuple[Bundle, ...]:
    digests = dict.fromkeys(one.bundle for one in activations_so_far(tx, deps.key))
    return tuple(_kept(tx, deps, list(digests)[1 : _LOOKED_AT + 1]))


def _kept(tx: Transaction, deps: DeploymentDeps, digests: list[str]) -> Iterator[Bundle]:
    for digest in digests:
        try:
            yield kept_bundle(tx, deps.key, digest)
        except NotFoundError:
            continue  # forgotten: `remit bundles prune`


def _privileged(
    bundle: Bundle, stage: str | None, proposed: LoadedRepository
) -> tuple[Change, ...]:
    try:
        earlier = load_contents(bundle.contents, stage=stage)
    except RepositoryInvalidError:
        return ()  # an older Remit understood it
    return compare(earlier, proposed).privileged


def _is_of(change: Change, added: set[tuple[Area, str]]) -> bool:
    """Whether it is about something that is added, or about something of a server that is."""
    server = change.name.partition("/")[0]
    return (change.area, change.name) in added or any(
        area is Area.SERVER and name == server for area, name in added
    )
