"""Which bundle is in force, read twice a second, and put in force here: so all processes on one database agree.

What counts is the number of the newest activation, never a clock. What is read is checked before it is believed; a
row or a bundle that Remit did not write, a sequence that has become shorter, or a trial that was over and runs again
changes nothing: what was in force stays, and it is said. The same when the database does not answer.
"""

import asyncio
from typing import Final, NoReturn

import structlog

from remit.app.in_force import InForce
from remit.app.landmark import Landmark
from remit.app.repetition import for_ever
from remit.app.trial_desk import TrialDesk
from remit.db import Database, Transaction
from remit.deployment.activation_store import Activation, newest_activation
from remit.deployment.bundle import Bundle
from remit.deployment.bundle_store import kept_bundle
from remit.deployment.deps import Present
from remit.deployment.loaded import LoadedPolicies, load_bundle, load_judged
from remit.deployment.sealing import BadSignatureError, InstallationKey
from remit.deployment.trial_store import Trial, running_trial

__all__ = ["INTERVAL", "BundleBook", "Shelf"]

INTERVAL = 0.5
"""Seconds between two readings."""

_KEPT: Final = 4
_log: Final = structlog.stdlib.get_logger("remit.policy")


class Shelf:
    """Bundles of a database, checked and parsed; the last few are kept, for going back to them takes no time then."""

    def __init__(self, database: Database, key: InstallationKey, *, stage: str | None) -> None:
        self._database = database
        self._key = key
        self._stage = stage
        self._loaded: dict[str, LoadedPolicies] = {}

    def keep(self, loaded: LoadedPolicies) -> None:
        """Have `loaded` at hand."""
        self._loaded.pop(loaded.bundle, None)
        self._loaded[loaded.bundle] = loaded
        while len(self._loaded) > _KEPT:
            del self._loaded[next(iter(self._loaded))]

    async def load(self, bundle: Bundle) -> LoadedPolicies:
        """What is in `bundle`.

        Raises:
            RepositoryInvalidError: there is a mistake in it.
        """
        loaded = self._loaded.get(bundle.digest)
        if loaded is None:
            loaded = await asyncio.to_thread(load_bundle, bundle, stage=self._stage)
        self.keep(loaded)
        return loaded

    async def take(self, digest: str) -> LoadedPolicies:
        """What is in the bundle that the database keeps under that name.

        Raises:
            NotFoundError: there is none.
            BadSignatureError: it was altered.
            RepositoryInvalidError: this version of Remit finds a mistake in it.
        """
        # Read even if it is at hand: what was altered is to be noticed, not to be lucky.
        bundle = await self._database.read(lambda tx: kept_bundle(tx, self._key, digest))
        return await self.load(bundle)

    async def take_judged(self, activation: Activation) -> LoadedPolicies:
        """What is in the bundle of `activation`, if it was judged for the stage of this process.

        Raises:
            OtherStageError: it was not, and says something else here.
            Error: as of `take`.
        """
        if activation.stage == (self._stage or ""):
            return await self.take(activation.bundle)
        bundle = await self._database.read(lambda tx: kept_bundle(tx, self._key, activation.bundle))
        loaded = await asyncio.to_thread(
            load_judged, bundle, stage=self._stage, judged_for=activation.stage
        )
        self.keep(loaded)
        return loaded

    async def label(self) -> tuple[Activation | None, Trial | None]:
        """What the database says is in force, and on trial.

        Raises:
            BadSignatureError: somebody else wrote it.
        """

        def work(tx: Transaction) -> tuple[Activation | None, Trial | None]:
            return newest_activation(tx, self._key), running_trial(tx, self._key)

        return await self._database.read(work)


class BundleBook:
    """Reads which bundle is in force, and which is on trial."""

    def __init__(
        self,
        shelf: Shelf,
        in_force: InForce,
        *,
        desk: TrialDesk,
        landmark: Landmark,
        activation: Activation | None,
        folder_decides: bool,
    ) -> None:
        self._in_force = in_force
        self._shelf = shelf
        self._desk = desk
        self._landmark = landmark
        self._activation = activation
        self._folder_decides = folder_decides
        self._one_at_a_time = asyncio.Lock()
        shelf.keep(in_force.loaded)

    @property
    def present(self) -> Present:
        """What is in force here, as it was last read."""
        return Present(self._in_force.loaded, self._activation)

    async def refresh(self) -> Present:
        """Read, and put in force. What was committed before the call decides here when it returns.

        Raises:
            BadSignatureError: somebody else wrote it; what was in force stays.
            RepositoryInvalidError: this version of Remit finds a mistake in it; what was in force stays.
            OtherStageError: it was judged for another stage; what was in force stays.
            DatabaseUnavailableError: the database does not answer; what was in force stays.
            DataFolderError: how far it has come cannot be noted; what was in force stays.
        """
        async with self._one_at_a_time:
            if not self._folder_decides:
                await self._read()
        return self.present

    async def run(self) -> NoReturn:
        """Read for ever. The root of a task: a failure is logged once, and tried again."""
        await for_ever(self.refresh, every=INTERVAL, log=_log, what="bundles")

    async def _read(self) -> None:
        newest, trial = await self._shelf.label()
        known = self._activation
        if known is not None and (newest is None or newest.sequence < known.sequence):
            raise BadSignatureError(
                f"activation {known.sequence} is no longer in the database; it stays in force"
            )
        self._landmark.check(newest)
        if trial is not None and self._landmark.is_over(trial.id):
            raise BadSignatureError(f"the trial `{trial.id}` was over, and runs again")
        if newest is not None and newest.sequence > self._landmark.sequence:
            # Before it decides: what could not be noted could be taken back behind this process's back.
            await asyncio.to_thread(self._landmark.keep, newest)
        if newest is not None and newest != known:
            if known is not None and newest.sequence == known.sequence:
                raise BadSignatureError(f"activation {known.sequence} is another than it was")
            if newest.bundle != self._in_force.loaded.bundle or known is None:
                await self._in_force.put(await self._shelf.take_judged(newest))
            self._activation = newest
        tried = self._desk.trial
        await self._desk.look(trial, self._shelf)
        if tried is not None and (trial is None or trial.id != tried.id):
            await asyncio.to_thread(self._landmark.end, tried.id)
