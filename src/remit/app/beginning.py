"""What decides when a process starts: the bundle in force, if there is one, and otherwise the folder.

Once a bundle was put in force, the folder decides nothing any more, in no process and after no restart. Refused: to
start on a bundle that Remit did not write or that is altered (there is no older one in memory to stay with), on a
database that has come less far than this data folder remembers, on a
folder with a mistake, and on a folder where only bundles may decide. A folder with a mistake is refused before
anything is opened.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from remit.app.landmark import Landmark, landmark_in
from remit.app.stores import Stores, is_deployed
from remit.clock import Clock
from remit.db import Transaction
from remit.deployment.activation_store import Activation, newest_activation
from remit.deployment.bundle_store import kept_bundle
from remit.deployment.loaded import LoadedPolicies, load_judged, load_policies
from remit.deployment.sealing import InstallationKey, installation_key
from remit.errors import Error
from remit.registry import RegistryDirectory
from remit.settings import Policies, Settings

__all__ = ["Beginning", "NoBundleError", "ServerNames", "begin", "folder_first"]


class NoBundleError(Error):
    """Only a bundle may decide here, and none was ever put in force."""

    code: ClassVar[str] = "no_bundle"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is in force from the start on, and the key of this installation."""

    loaded: LoadedPolicies
    activation: Activation | None
    key: InstallationKey
    landmark: Landmark


class ServerNames:
    """Whether a server is of that name: asked by the metrics, which are there before any catalog is."""

    def __init__(self) -> None:
        self.directory: RegistryDirectory | None = None

    def __call__(self, name: str) -> bool:
        return self.directory is not None and name in self.directory.catalog.servers


def folder_first(settings: Settings, resolve_secret: Callable[[str], str]) -> LoadedPolicies | None:
    """The folder's policies where they may be what decides; `None` where a bundle seems to be in force.

    Raises:
        RepositoryInvalidError: there is a mistake in the folder.
        RepositoryMissingError: there is no such folder.
    """
    if settings.policies is Policies.BUNDLE:
        return None
    if settings.policies is Policies.AUTO and is_deployed(settings, resolve_secret):
        return None
    return load_policies(settings.repo, stage=settings.stage)


async def begin(
    settings: Settings, stores: Stores, folder: LoadedPolicies | None, clock: Clock
) -> Beginning:
    """What decides from the start on; `folder` is what `folder_first` found.

    Raises:
        BadSignatureError: what is in force was altered, not written by this installation, or older than what was in force here.
        RepositoryInvalidError: this version of Remit finds a mistake in it.
        OtherStageError: it was judged for another stage.
        NoBundleError: see there.
    """
    database = stores.database
    key = await database.run(lambda tx: installation_key(tx, stores.box, clock.now()))
    # Where the folder decides, the way out must not be closed by the very note that says why it is needed.
    landmark = landmark_in(
        stores.folder.path, key, believed=settings.policies is not Policies.FOLDER
    )
    if settings.policies is Policies.FOLDER:
        return Beginning(folder or await _read_folder(settings), None, key, landmark)

    def work(tx: Transaction) -> Activation | None:
        return newest_activation(tx, key)

    newest = await database.read(work)
    landmark.check(newest)
    if newest is not None:
        bundle = await database.read(lambda tx: kept_bundle(tx, key, newest.bundle))
        loaded = await asyncio.to_thread(
            load_judged, bundle, stage=settings.stage, judged_for=newest.stage
        )
        return Beginning(loaded, newest, key, landmark)
    if settings.policies is Policies.BUNDLE:
        raise NoBundleError(
            "`policies` is `bundle`, and no bundle was ever put in force: start once with `policies` `auto`, "
            "and put one in force with `remit apply`"
        )
    return Beginning(folder or await _read_folder(settings), None, key, landmark)


async def _read_folder(settings: Settings) -> LoadedPolicies:
    return await asyncio.to_thread(load_policies, settings.repo, stage=settings.stage)
