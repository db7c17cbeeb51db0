"""Putting another version of the policy repository in force, whole or not at all.

A repository that does not check changes nothing: what was in force stays. The change
is recorded before it takes effect.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from remit.app.metrics import Metrics
from remit.app.missing_secrets import warn_of_missing_secrets
from remit.audit import AuditLog, Context
from remit.audit.events import PolicyLoaded
from remit.canonical import JsonObject
from remit.errors import Error
from remit.policy import CedarEngine, DecisionPoint, PolicySource
from remit.registry import RegistryDirectory
from remit.repository import LoadedRepository, load_repository

__all__ = ["LoadedPolicies", "PolicyReload", "load_policies"]

_log = structlog.stdlib.get_logger("remit.policy")


@dataclass(frozen=True, slots=True)
class LoadedPolicies:
    """A repository that checks, and the engine that holds its policies."""

    repository: LoadedRepository
    engine: CedarEngine

    def event(self, context: Context) -> PolicyLoaded:
        """What is recorded when it comes into force."""
        return PolicyLoaded(
            context=context,
            catalog_version=self.repository.catalog.version,
            policy_version=self.engine.version,
            servers=len(self.repository.catalog.servers),
            policies=len(self.engine.rules),
        )


def load_policies(path: Path) -> LoadedPolicies:
    """Read and check the repository in `path`, and parse its policies.

    Raises:
        RepositoryInvalidError: there is a mistake in it.
    """
    repository = load_repository(path)
    return LoadedPolicies(repository, CedarEngine.load(repository.policies, repository.catalog))


class PolicyReload:
    """Reads the repository in `path` again when told to, one at a time."""

    def __init__(
        self,
        path: Path,
        *,
        directory: RegistryDirectory,
        decisions: DecisionPoint,
        audit: AuditLog,
        metrics: Metrics,
        resolve_secret: Callable[[str], str],
    ) -> None:
        self._path = path
        self._directory = directory
        self._decisions = decisions
        self._audit = audit
        self._metrics = metrics
        self._resolve_secret = resolve_secret
        self._one_at_a_time = asyncio.Lock()
        self.policies: Sequence[PolicySource] = ()
        """The sources of the policies in force; `build` says which those are at the start."""

    async def __call__(self) -> JsonObject:
        """Put what stands in the repository now in force, and say what that is.

        Raises:
            RepositoryInvalidError: it does not check; what was in force stays.
            AuditUnavailableError: the change could not be recorded, so it did not happen.
        """
        async with self._one_at_a_time:
            try:
                loaded = await asyncio.to_thread(load_policies, self._path)
                changed = loaded.repository.catalog.version != self._directory.catalog.version
                if changed:
                    await self._audit.append(loaded.event(Context()))
            except Error as error:
                self._metrics.reloaded(succeeded=False)
                problems = [str(one) for one in getattr(error, "problems", ())]
                _log.error(
                    "reload_refused", error=error.code, detail=error.detail, problems=problems
                )
                raise
            # No await between the two: no decision sees one without the other.
            self._decisions.publish(loaded.engine)
            self._directory.replace_catalog(loaded.repository.catalog)
            self.policies = loaded.repository.policies
        self._metrics.reloaded(succeeded=True)
        catalog = loaded.repository.catalog
        warn_of_missing_secrets(catalog, self._resolve_secret)
        _log.info("reloaded", catalog_version=catalog.version, changed=changed)
        return {
            "changed": changed,
            "catalog_version": catalog.version,
            "policy_version": loaded.engine.version,
            "servers": len(catalog.servers),
            "agents": len(catalog.agents),
        }
