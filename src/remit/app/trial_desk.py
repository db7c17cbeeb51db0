"""The bundle on trial, as this process decides by it: for which agents, and what it counts.

Deciding and counting wait for nothing: which agents are in the share is worked out once each, and the counts go to
the database once a second, where those of all processes are put together.
"""

from collections.abc import Callable
from typing import Final, NoReturn, Protocol

import structlog

from remit.app.repetition import for_ever
from remit.clock import Clock, EpochSeconds
from remit.db import Database, Transaction
from remit.deployment.deps import Present
from remit.deployment.loaded import LoadedPolicies
from remit.deployment.sealing import InstallationKey
from remit.deployment.share import is_in_share
from remit.deployment.tally import Tally
from remit.deployment.trial_store import Trial, TrialState, put_counts, running_trial
from remit.deployment.trying import look_after
from remit.guard.world import World
from remit.ids import AgentId
from remit.model import Catalog
from remit.policy import CedarEngine, DecisionPoint

__all__ = ["INTERVAL", "TrialDesk"]

INTERVAL = 1.0
"""Seconds between two times that it is told what was counted, and looked whether the trial is over."""

_SHARE: Final = "remit:trial-share:v1"
_MAX_DRAWN: Final = 100_000
_log: Final = structlog.stdlib.get_logger("remit.policy")


class _Bundles(Protocol):
    async def take(self, digest: str) -> LoadedPolicies: ...


class TrialDesk:
    """`world_of` is what the guard asks of every agent; `count` is what it says of every call."""

    def __init__(
        self,
        database: Database,
        key: InstallationKey,
        *,
        instance: str,
        clock: Clock,
        decide_by: Callable[[CedarEngine], DecisionPoint],
    ) -> None:
        self._database = database
        self._key = key
        self._share_key = key.derived(_SHARE)
        self._instance = instance
        self._clock = clock
        self._decide_by = decide_by
        self._trial: Trial | None = None
        self._world: World | None = None
        self._drawn: dict[AgentId, bool] = {}
        self._tally = Tally()
        self._told: list[Callable[[], None]] = []
        self._since = 0.0

    @property
    def trial(self) -> Trial | None:
        """What is on trial, as this process knows it."""
        return self._trial

    @property
    def catalog(self) -> Catalog | None:
        """What the bundle on trial declares."""
        return None if self._world is None else self._world.catalog

    def subscribe(self, told: Callable[[], None]) -> None:
        """Call `told` when a trial begins or ends here."""
        self._told.append(told)

    def world_of(self, agent: AgentId) -> World | None:
        """What decides the calls of `agent`, if it is not what is in force."""
        if self._world is None or self._trial is None:
            return None
        drawn = self._drawn.get(agent)
        if drawn is None:
            if len(self._drawn) >= _MAX_DRAWN:
                self._drawn.clear()
            drawn = self._drawn[agent] = self._draws(self._trial, agent)
        return self._world if drawn else None

    def count(self, agent: AgentId, *, refused: bool, on_trial: bool) -> None:
        """One call of `agent` was decided."""
        self._tally.count(agent, refused=refused, on_trial=on_trial)

    def forget_counts(self) -> None:
        """Forget every call so far: of nobody who is served, but of the self-test before anybody is."""
        self._tally.forget()

    async def look(self, trial: Trial | None, bundles: _Bundles) -> None:
        """Let `trial` decide for its share from here on, or nothing.

        Raises:
            Error: its bundle cannot be used; nothing is on trial here then.
        """
        if (None if trial is None else trial.id) == (
            None if self._trial is None else self._trial.id
        ):
            return
        self._end()
        if trial is None:
            return
        loaded = await bundles.take(trial.bundle)
        world = World(loaded.catalog, self._decide_by(loaded.engine), on_trial=True)
        self._tally.begin(lambda agent: self._draws(trial, agent))
        self._trial, self._world, self._since = trial, world, self._clock.monotonic()
        _log.info("trial_began", bundle=trial.bundle[:12], share=trial.share, until=trial.until)
        self._tell()

    async def report(self, present: Present) -> None:
        """Tell what was counted here, and end the trial if it is time to.

        Raises:
            DatabaseUnavailableError: the database does not answer; the counts are kept, and told the next time.
        """
        self._tally.turn(self._clock.monotonic())
        trial = self._trial
        if trial is None:
            return
        found, seen = self._tally.found(), self._clock.monotonic() - self._since

        def work(tx: Transaction) -> TrialState:
            now = self._clock.now()
            put_counts(tx, trial.id, self._instance, found=found, now=now)
            running = running_trial(tx, self._key)
            if running is None or running.id != trial.id:
                return TrialState.RUNS
            # A clock that is ahead of the one that began it does not make it shorter: it was watched here so long.
            watched = EpochSeconds(trial.started_at + int(seen))
            return look_after(tx, self._key, trial, present=present, now=min(now, watched))

        state = await self._database.run(work)
        if state is TrialState.RETURNED:
            _log.error("trial_returned", bundle=trial.bundle[:12], proposal=trial.proposal)
        elif state is TrialState.HELD:
            _log.error(
                "trial_held",
                bundle=trial.bundle[:12],
                mend=f"look at it: remit proposals show {trial.proposal}",
            )
        elif state is TrialState.COMPLETED:
            _log.info("trial_completed", bundle=trial.bundle[:12], proposal=trial.proposal)

    async def run(self, present: Callable[[], Present]) -> NoReturn:
        """Do it for ever. The root of a task: a failure is logged once, and tried again."""
        await for_ever(
            lambda: self.report(present()), every=INTERVAL, log=_log, what="trial_counts"
        )

    def _draws(self, trial: Trial, agent: AgentId) -> bool:
        return is_in_share(self._share_key, trial.bundle, agent, trial.share)

    def _end(self) -> None:
        if self._trial is not None:
            _log.info("trial_ended", bundle=self._trial.bundle[:12])
        self._trial = self._world = None
        self._drawn = {}
        self._tally.end()
        self._tell()

    def _tell(self) -> None:
        for told in self._told:
            told()
