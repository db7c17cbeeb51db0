"""What deploying needs from the rest of Remit, handed in once by the application."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from remit.clock import Clock
from remit.db import Database
from remit.deployment.activation_store import Activation
from remit.deployment.bundle import Bundle
from remit.deployment.judgement import Judge
from remit.deployment.loaded import LoadedPolicies
from remit.deployment.sealing import InstallationKey, PublisherKeys
from remit.errors import ConflictError

__all__ = ["DeploymentDeps", "FolderDecidesError", "Present"]


class FolderDecidesError(ConflictError):
    """The operator said that the folder decides, whatever bundle anybody proposes."""

    code: ClassVar[str] = "folder_decides"


@dataclass(frozen=True, slots=True)
class Present:
    """What is in force in this process, and the activation that says so; `None` while the folder decides."""

    loaded: LoadedPolicies
    activation: Activation | None

    @property
    def sequence(self) -> int:
        """How many activations there were."""
        return 0 if self.activation is None else self.activation.sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentDeps:
    """`refresh` reads what is in force anew, puts it in force here, and returns it.

    `load` checks a bundle and parses its policies, away from the event loop. `publishers` are the keys of which a
    bundle needs a signature. `folder_decides`: the operator said that no bundle is ever in force here.
    """

    database: Database
    key: InstallationKey
    publishers: PublisherKeys
    judge: Judge
    load: Callable[[Bundle], Awaitable[LoadedPolicies]]
    refresh: Callable[[], Awaitable[Present]]
    clock: Clock
    stage: str
    url: str
    folder_decides: bool = False

    def require_bundles(self) -> None:
        """Pass where bundles may come into force.

        Raises:
            FolderDecidesError: they never do here.
        """
        if self.folder_decides:
            raise FolderDecidesError(
                "this process takes its policies from its folder: `policies` is `folder`"
            )
