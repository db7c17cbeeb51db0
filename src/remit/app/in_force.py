"""What decides in this process: a catalog and the policies over it, of one bundle, replaced together or not at all.

A change is recorded before it takes effect; what cannot be recorded does not come into force.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from remit.app.missing_secrets import warn_of_missing_secrets
from remit.audit import AuditLog, AuditUnavailableError, Context
from remit.audit.events import BundleRefused
from remit.deployment.loaded import LoadedPolicies
from remit.deployment.taken_away import taken_away
from remit.errors import Error
from remit.policy import DecisionPoint
from remit.registry import RegistryDirectory

__all__ = ["InForce"]

_LONGEST: Final = 2_000
_log: Final = structlog.stdlib.get_logger("remit.policy")


class InForce:
    """Publishes what was loaded to everything in this process that decides by it."""

    def __init__(
        self,
        loaded: LoadedPolicies,
        *,
        directory: RegistryDirectory,
        decisions: DecisionPoint,
        audit: AuditLog,
        resolve_secret: Callable[[str], str],
    ) -> None:
        self._loaded = loaded
        self._directory = directory
        self._decisions = decisions
        self._audit = audit
        self._resolve_secret = resolve_secret
        self._one_at_a_time = asyncio.Lock()

    @property
    def loaded(self) -> LoadedPolicies:
        """What is in force."""
        return self._loaded

    async def record(self) -> None:
        """Say in the log what decides from the start on.

        Raises:
            AuditUnavailableError: the log does not take it.
        """
        await self._audit.append(self._loaded.event(Context()))
        warn_of_missing_secrets(self._loaded.catalog, self._resolve_secret)

    async def record_refused(self, error: Error) -> None:
        """Say in the log that what stands in the folder was not taken, and why; what is in force stays."""
        detail = "; ".join([error.detail, *map(str, getattr(error, "problems", ()))])[:_LONGEST]
        try:
            await self._audit.append(
                BundleRefused(context=Context(), bundle="", error=error.code, detail=detail)
            )
        except AuditUnavailableError:
            _log.exception("not_recorded", error=error.code)

    async def put(self, loaded: LoadedPolicies) -> bool:
        """Let `loaded` decide from here on; whether that is something else than before.

        Raises:
            AuditUnavailableError: the change could not be recorded, so it did not happen.
        """
        async with self._one_at_a_time:
            changed = _versions(loaded) != _versions(self._loaded)
            if changed:
                for event in taken_away(self._loaded, loaded, Context()):
                    await self._audit.append(event)
                await self._audit.append(loaded.event(Context()))
            # No await between the three: no decision sees one without the others.
            self._decisions.publish(loaded.engine)
            self._directory.replace_catalog(loaded.catalog)
            self._loaded = loaded
        if changed:
            _log.info("in_force", catalog_version=loaded.catalog.version, bundle=loaded.bundle[:12])
            warn_of_missing_secrets(loaded.catalog, self._resolve_secret)
        return changed


def _versions(loaded: LoadedPolicies) -> tuple[str, str]:
    return loaded.catalog.version, loaded.bundle
