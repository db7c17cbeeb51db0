"""A policy repository that checks, from a folder or from a bundle, and the engine that holds its policies."""

from dataclasses import dataclass
from pathlib import Path

from remit.audit import Context
from remit.audit.events import PolicyLoaded
from remit.deployment.bundle import Bundle, bundle_of
from remit.guard.observing import observing
from remit.model import Catalog
from remit.policy import CedarEngine
from remit.repository import LoadedRepository, load_contents, load_repository

__all__ = ["LoadedPolicies", "load_bundle", "load_policies"]


@dataclass(frozen=True, slots=True)
class LoadedPolicies:
    """Everything that decides, of one bundle."""

    repository: LoadedRepository
    engine: CedarEngine

    @property
    def bundle(self) -> str:
        """The digest of the bundle that it is of."""
        return self.repository.bundle_digest

    @property
    def catalog(self) -> Catalog:
        """What it declares, in this stage."""
        return self.repository.catalog

    def event(self, context: Context) -> PolicyLoaded:
        """What is recorded when it comes into force."""
        return PolicyLoaded(
            context=context,
            catalog_version=self.catalog.version,
            policy_version=self.engine.version,
            servers=len(self.catalog.servers),
            policies=len(self.engine.rules),
            bundle=self.bundle,
            stage=self.repository.stage or "",
            observing=observing(self.catalog, self.engine.on_trial),
        )

    def as_bundle(self) -> Bundle:
        """The bundle that it is of, to be kept.

        Raises:
            BundleMalformedError: its files are too large to be carried as one.
        """
        return bundle_of(self.repository.contents)


def load_policies(path: Path, *, stage: str | None = None) -> LoadedPolicies:
    """Read and check the repository in `path`, and parse its policies.

    Raises:
        RepositoryInvalidError: there is a mistake in it.
        RepositoryMissingError: there is no such folder.
    """
    return _with_engine(load_repository(path, stage=stage))


def load_bundle(bundle: Bundle, *, stage: str | None = None) -> LoadedPolicies:
    """Check what is in `bundle`, and parse its policies.

    Raises:
        RepositoryInvalidError: there is a mistake in it.
    """
    return _with_engine(load_contents(bundle.contents, stage=stage))


def _with_engine(repository: LoadedRepository) -> LoadedPolicies:
    return LoadedPolicies(repository, CedarEngine.load(repository.policies, repository.catalog))
