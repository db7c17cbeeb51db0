"""What is running, on what, and how it is doing: for the administrator's eyes."""

from importlib.metadata import version as version_of

from remit.app.parts import Parts
from remit.app.self_test import SelfTest
from remit.canonical import JsonObject

__all__ = ["Status"]


class Status:
    """Called, it says how this process is at the moment. No secret and no password is in it."""

    def __init__(self, parts: Parts, self_test: SelfTest) -> None:
        self._settings = parts.settings
        self._directory = parts.directory
        self._decisions = parts.decisions
        self._book = parts.book
        self._desk = parts.desk
        self._log = parts.stores.log
        self._signer, self._syncs = parts.stores.log_signer, parts.stores.log_syncs
        self._guard = parts.guard
        self._clock = parts.clock
        self._self_test = self_test
        self._began = parts.clock.monotonic()

    async def __call__(self) -> JsonObject:
        log, catalog = self._log.status(), self._directory.catalog
        standing = self._directory.standing
        return {
            "version": version_of("remit"),
            "instance": self._settings.instance,
            "public_url": self._settings.issuer,
            "repository": str(self._settings.repo.absolute()),
            "catalog_version": catalog.version,
            "policy_version": self._decisions.version,
            **self._bundle(),
            "servers": len(catalog.servers),
            "agents": len(catalog.agents),
            "database": "sqlite" if self._settings.is_sqlite else "postgresql",
            "audit_records": log.size,
            "audit_unsigned": log.size - log.checkpointed,
            "audit_failure": log.failure,
            "audit_store": "files" if self._syncs is None else "database",
            "audit_signer": self._signer,
            "audit_synced": self._syncs is not False,
            "guard_closed": self._guard.closed,
            "self_test": self._self_test.tried,
            "standing_age": self._clock.now() - standing.as_of,
            "suspended_agents": len(standing.suspended_agents),
            "disabled_users": len(standing.disabled_users),
            "disabled_clients": len(standing.disabled_clients),
            "up_for": int(self._clock.monotonic() - self._began),
            "settings": self._shown(),
        }

    def _bundle(self) -> JsonObject:
        """What decides, and since which activation; 0 while the folder does."""
        present, trial = self._book.present, self._desk.trial
        return {
            "decided_by": "folder" if present.activation is None else "bundle",
            "bundle": present.loaded.bundle,
            "bundle_sequence": present.sequence,
            "stage": present.loaded.repository.stage,
            "bundle_on_trial": None if trial is None else trial.bundle,
        }

    def _shown(self) -> JsonObject:
        """The settings as they work here; folders whole, for whoever asks stands elsewhere."""
        folders: JsonObject = {
            "repo": str(self._settings.repo.absolute()),
            "data": str(self._settings.data.absolute()),
        }
        return {**self._settings.shown(), **folders}
