"""A policy repository that checks, from a folder or from a bundle, and the engine that holds its policies."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from remit.audit import Context
from remit.audit.events import PolicyLoaded
from remit.deployment.bundle import Bundle, bundle_of
from remit.errors import Error
from remit.guard.observing import observing
from remit.model import Catalog
from remit.policy import CedarEngine
from remit.repository import (
    LoadedRepository,
    RepositoryInvalidError,
    load_contents,
    load_repository,
)

__all__ = ["LoadedPolicies", "OtherStageError", "load_bundle", "load_judged", "load_policies"]


class OtherStageError(Error):
    """What is in force was judged for another stage than this process serves, where it says something else."""

    code: ClassVar[str] = "other_stage"


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


def load_judged(bundle: Bundle, *, stage: str | None, judged_for: str) -> LoadedPolicies:
    """What is in `bundle`, which came into force in the stage `judged_for`; empty: in none.

    Two processes on one database that serve two stages would decide differently, and nobody has judged what the
    second of them decides by.

    Raises:
        RepositoryInvalidError: there is a mistake in it.
        OtherStageError: `stage` is another, and what is laid over the base differs.
    """
    loaded = load_bundle(bundle, stage=stage)
    if judged_for == (stage or "") or _version(bundle, judged_for) == loaded.catalog.version:
        return loaded
    raise OtherStageError(
        f"the bundle `{bundle.digest[:12]}` came into force for the stage `{judged_for or 'none'}`, and says "
        f"something else in the stage of this process, `{stage or 'none'}`"
    )


def _version(bundle: Bundle, stage: str) -> str | None:
    try:
        return load_contents(bundle.contents, stage=stage or None).catalog.version
    except RepositoryInvalidError:
        return None


def _with_engine(repository: LoadedRepository) -> LoadedPolicies:
    return LoadedPolicies(repository, CedarEngine.load(repository.policies, repository.catalog))
