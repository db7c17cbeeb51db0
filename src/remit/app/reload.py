"""Putting another version of the folder in force, whole or not at all.

A repository that does not check changes nothing: what was in force stays. Refused while a bundle is in force: the
folder decides nothing then, and a reload that silently did nothing would be taken for one that worked.
"""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from remit.app.bundle_book import BundleBook
from remit.app.in_force import InForce
from remit.app.metrics import Metrics
from remit.canonical import JsonObject
from remit.deployment.loaded import LoadedPolicies, load_policies
from remit.errors import ConflictError, Error

__all__ = ["BundleDecidesError", "LoadedPolicies", "PolicyReload", "load_policies"]

_log: Final = structlog.stdlib.get_logger("remit.policy")


class BundleDecidesError(ConflictError):
    """A bundle is in force, and not the folder."""

    code = "bundle_decides"


class PolicyReload:
    """Reads the repository in `path` again when told to, one at a time."""

    def __init__(
        self,
        path: Path,
        *,
        stage: str | None,
        in_force: InForce,
        book: BundleBook,
        metrics: Metrics,
    ) -> None:
        self._path = path
        self._stage = stage
        self._in_force = in_force
        self._book = book
        self._metrics = metrics
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> JsonObject:
        """Put what stands in the repository now in force, and say what that is.

        Raises:
            BundleDecidesError: the folder decides nothing.
            RepositoryInvalidError: it does not check; what was in force stays.
            AuditUnavailableError: the change could not be recorded, so it did not happen.
        """
        async with self._one_at_a_time:
            try:
                changed = await self._reload()
            except Error as error:
                self._metrics.reloaded(succeeded=False)
                problems = [str(one) for one in getattr(error, "problems", ())]
                _log.error(
                    "reload_refused", error=error.code, detail=error.detail, problems=problems
                )
                await self._in_force.record_refused(error)
                raise
        self._metrics.reloaded(succeeded=True)
        loaded = self._in_force.loaded
        _log.info("reloaded", catalog_version=loaded.catalog.version, changed=changed)
        return {
            "changed": changed,
            "catalog_version": loaded.catalog.version,
            "policy_version": loaded.engine.version,
            "servers": len(loaded.catalog.servers),
            "agents": len(loaded.catalog.agents),
        }

    async def _reload(self) -> bool:
        active = self._book.present.activation
        if active is not None:
            raise BundleDecidesError(
                f"the bundle `{active.bundle[:12]}` is in force, and not the folder `{self._path}`: "
                f"put the folder's policies in force with `remit apply --repo {self._path}`"
            )
        loaded = await asyncio.to_thread(load_policies, self._path, stage=self._stage)
        return await self._in_force.put(loaded)
