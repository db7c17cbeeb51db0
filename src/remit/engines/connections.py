"""The engines that are connected: opened when they are first asked, kept while the catalog declares them so.

An engine whose declaration changes is another one; the old one is closed when nobody waits for its answer any
more. Refused: a plug-in that is not installed, or where plug-ins are not to be loaded.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from remit.engines.authzen import open_authzen
from remit.engines.cerbos import open_cerbos
from remit.engines.endpoint import CA_FILE
from remit.engines.plugins import load_plugin
from remit.errors import Error
from remit.model import EngineKind, ExternalEngine
from remit.policy.evaluation import Evaluation
from remit.policy.port import (
    Answer,
    EngineSettings,
    EngineUnavailableError,
    ExternalPolicyEngine,
    OpenEngine,
)

__all__ = ["EngineConnections", "Unusable", "open_engine", "option_fault"]

_Key = tuple[str, str, str, int, str | None, str, tuple[tuple[str, str], ...]]
_OWN: Final[Mapping[EngineKind, OpenEngine]] = MappingProxyType(
    {EngineKind.CERBOS: open_cerbos, EngineKind.AUTHZEN: open_authzen}
)


@dataclass(frozen=True, slots=True)
class Unusable:
    """An engine that is declared and cannot be asked, and why."""

    name: str
    detail: str


class EngineConnections:
    """Implements `policy.port.Elsewhere`. `read_secret` reads what a reference names, for every question."""

    def __init__(self, read_secret: Callable[[str], str], *, plugins: bool = True) -> None:
        self._read_secret = read_secret
        self._plugins = plugins
        self._open: dict[_Key, _Connected] = {}
        self._failed: dict[_Key, str] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def find(self, declared: ExternalEngine) -> ExternalPolicyEngine:
        """The engine that `declared` names, opened if need be.

        Raises:
            EngineUnavailableError: it cannot be opened; it is tried again when the catalog changes.
        """
        key = _key(declared)
        known = self._open.get(key)
        if known is not None:
            return known
        if key in self._failed:
            raise EngineUnavailableError(self._failed[key])
        try:
            engine = open_engine(declared, self._read_secret, plugins=self._plugins)
        except Error as error:
            self._failed[key] = error.detail
            raise
        known = self._open[key] = _Connected(engine)
        return known

    def hold(self, declared: Iterable[ExternalEngine]) -> tuple[Unusable, ...]:
        """Keep these and no others; which of them cannot be used. Whatever is asked of the others is still answered."""
        self._failed = {}
        unusable, keys = [], set()
        for one in declared:
            keys.add(_key(one))
            try:
                self.find(one)
            except Error as error:
                unusable.append(Unusable(one.name, error.detail))
        for key in [key for key in self._open if key not in keys]:
            self._retire(self._open.pop(key))
        return tuple(unusable)

    async def close(self) -> None:
        """Close every engine; who still waits is answered first."""
        self.hold(())
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)

    def _retire(self, engine: "_Connected") -> None:
        task = asyncio.ensure_future(engine.retire())
        self._closing.add(task)
        task.add_done_callback(self._closed)

    def _closed(self, task: "asyncio.Task[None]") -> None:
        self._closing.discard(task)
        if not task.cancelled():
            task.exception()


class _Connected:
    """An engine, and how many wait for it."""

    def __init__(self, engine: ExternalPolicyEngine) -> None:
        self._engine = engine
        self._waiting = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def version(self) -> str | None:
        return self._engine.version

    async def evaluate_all(self, evaluations: Sequence[Evaluation]) -> Sequence[Answer]:
        self._waiting += 1
        self._idle.clear()
        try:
            return await self._engine.evaluate_all(evaluations)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._idle.set()

    async def close(self) -> None:
        await self._engine.close()

    async def retire(self) -> None:
        """Close it when nobody waits any more; nobody waits for longer than its time-out."""
        await self._idle.wait()
        await self.close()


def open_engine(
    declared: ExternalEngine, read_secret: Callable[[str], str], *, plugins: bool
) -> ExternalPolicyEngine:
    """The engine of one declaration. Connects to nothing yet.

    Raises:
        EngineUnavailableError: it cannot be opened; `detail` says why.
    """
    secret = declared.secret
    settings = EngineSettings(
        name=declared.name,
        url=declared.url,
        timeout=declared.timeout_ms / 1000,
        options=declared.options,
    )
    if secret is not None:
        settings = replace(settings, read_secret=lambda: read_secret(secret))
    if declared.kind is not EngineKind.PLUGIN:
        return _OWN[declared.kind](settings)
    if not plugins:
        raise EngineUnavailableError("no plug-in is loaded here")
    return load_plugin(declared.plugin, settings)


def option_fault(kind: EngineKind, options: Mapping[str, str]) -> str | None:
    """What is wrong with the options of one of our own kinds, told without asking anybody and reading any file.

    Those of a plug-in are for whoever loads it to judge.
    """
    if kind is EngineKind.PLUGIN:
        return None
    read = {name: value for name, value in options.items() if name != CA_FILE}
    settings = EngineSettings(name="", url="http://127.0.0.1/", timeout=1.0, options=read)
    try:
        _OWN[kind](settings)
    except EngineUnavailableError as error:
        return error.detail
    return None


def _key(declared: ExternalEngine) -> _Key:
    return (
        declared.name,
        declared.kind.value,
        declared.url,
        declared.timeout_ms,
        declared.secret,
        declared.plugin,
        tuple(sorted(declared.options.items())),
    )
