"""Where a decision point takes questions, by its own word: `/.well-known/authzen-configuration`.

Read when the first question comes, and again every five minutes; nobody's word is believed that names another
decision point, or an endpoint on another host: the secret would go there.

Source: AuthZEN Authorization API 1.0 §9.
"""

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from remit.canonical import Json, JsonObject
from remit.engines.endpoint import Endpoint
from remit.policy.port import EngineSettings, EngineUnavailableError

__all__ = ["Discovery", "Paths"]

_WELL_KNOWN: Final = "/.well-known/authzen-configuration"
_GOOD_FOR: Final = 300.0


@dataclass(frozen=True, slots=True)
class Paths:
    """Below the engine's URL: where one question goes, and where several go; `None`: nowhere."""

    evaluation: str
    evaluations: str | None

    @property
    def all(self) -> tuple[str, ...]:
        return (self.evaluation, *(() if self.evaluations is None else (self.evaluations,)))


class Discovery:
    """Reads the document of one engine. `default` is where a member that is left out leads."""

    def __init__(self, settings: EngineSettings, default: Paths, *, batch: bool) -> None:
        self._url = settings.url.rstrip("/")
        self._default = default
        self._batch = batch
        self._endpoint = Endpoint(settings, _WELL_KNOWN)
        self._known: Paths | None = None
        self._until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def paths(self) -> Paths:
        """Where questions go.

        Raises:
            EngineUnavailableError: the document cannot be had, or is not to be believed.
        """
        async with self._one_at_a_time:
            now = asyncio.get_running_loop().time()
            if self._known is None or now >= self._until:
                self._known = self._read(await self._endpoint.get())
                self._until = now + _GOOD_FOR
            return self._known

    def close(self) -> None:
        """Give back the connection."""
        self._endpoint.close()

    def _read(self, document: JsonObject) -> Paths:
        named = document.get("policy_decision_point")
        if not isinstance(named, str) or named.rstrip("/") != self._url:
            raise EngineUnavailableError("the engine's document is that of another engine")
        single = self._path(document.get("access_evaluation_endpoint"))
        several = document.get("access_evaluations_endpoint")
        if several is None or not self._batch:
            return Paths(single, None)
        return Paths(single, self._path(several))

    def _path(self, url: Json) -> str:
        if not isinstance(url, str) or not url.startswith(self._url + "/"):
            raise EngineUnavailableError("the engine's document names an endpoint elsewhere")
        path = url.removeprefix(self._url)
        if urlsplit(path).path != path:
            raise EngineUnavailableError("the engine's document names an endpoint that is no path")
        return path
