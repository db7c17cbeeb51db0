"""Where somebody else publishes the keys they sign with, and for how long those are believed.

Keys stand in the repository, at a URL, or at a URL that the issuer's discovery document names.
A discovery document that names another issuer, byte for byte, is refused: else whoever serves
it could sign for that one. What was fetched holds for as long as its HTTP headers say, within
bounds; beyond that it is asked for again, and used for ten more minutes if that fails. That a
host kept us waiting in vain is remembered for half a minute, no other failure is. Whoever needs keys while they are being fetched waits for that one fetch. A
key nobody knows makes us look once more, once a minute, since anybody can make one up.

Source: RFC 7517 §5; OpenID Connect Discovery §4; OpenID Connect Core §10.1.1 (rotation).
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

from remit.canonical import JsonObject, MalformedJsonError, parse_object
from remit.clock import Clock, EpochSeconds, Seconds
from remit.errors import Error
from remit.tokens.foreign_keys import ForeignKey, UnusableKeysError, parse_jwks
from remit.web.fetch import Document, FetchFailedError, FetchRefusedError, HostSilentError
from remit.web.reach import Reach

__all__ = [
    "FetchWithin",
    "KeyLocation",
    "KeysUnavailableError",
    "PublishedKeys",
    "discovery_url",
]

_MIN_FRESH = Seconds(60)
_DEFAULT_FRESH = Seconds(600)
_MAX_FRESH = Seconds(3_600)
_STALE = Seconds(600)
"""How long keys are used beyond that when they cannot be had anew. Then nobody is believed."""
_LOOK_AGAIN = Seconds(60)
_SILENCE = Seconds(30)
_MAX_BODY = 65_536
_MAX_LOCATIONS = 1_024
_PUBLIC = Reach()

_Name = tuple[str, Reach]
"""What is fetched: a URL, and how far we may go for it."""
V = TypeVar("V")


class KeysUnavailableError(Error):
    """The keys cannot be had, or cannot be used. `passing` says that asking again may help."""

    code: ClassVar[str] = "keys_unavailable"

    def __init__(self, detail: str, *, passing: bool, cause: BaseException | None = None) -> None:
        super().__init__(detail, cause=cause)
        self.passing = passing


class FetchWithin(Protocol):
    """`DocumentFetcher.fetch`, as it is needed here."""

    async def __call__(self, url: str, *, reach: Reach, body_bytes: int | None) -> Document: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLocation:
    """Where keys are: `jwks`, else `jwks_uri`, else what the discovery document of `issuer` names."""

    issuer: str
    jwks: JsonObject | None = None
    jwks_uri: str | None = None
    reach: Reach = _PUBLIC


@dataclass(frozen=True, slots=True)
class _Found:
    """Keys as they were at one time."""

    keys: tuple[ForeignKey, ...]
    fresh_until: EpochSeconds


class PublishedKeys:
    """The keys of others, fetched when they are needed and kept for a while. Lives in one event loop."""

    def __init__(self, fetch: FetchWithin, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._found: OrderedDict[_Name, _Found] = OrderedDict()
        self._looked_again: OrderedDict[_Name, EpochSeconds] = OrderedDict()
        self._silent: OrderedDict[_Name, EpochSeconds] = OrderedDict()
        self._running: dict[_Name, asyncio.Future[_Found | KeysUnavailableError]] = {}

    async def keys(self, location: KeyLocation) -> tuple[ForeignKey, ...]:
        """The keys published there.

        Raises:
            KeysUnavailableError: there are none that could be believed now.
        """
        if location.jwks is not None:
            return _parse(location.jwks)
        name, now = _name(location), self._clock.now()
        known = self._found.get(name)
        if known is not None and now < known.fresh_until:
            return known.keys
        try:
            return (await self._fetch_once(name, location)).keys
        except KeysUnavailableError:
            if known is not None and now < known.fresh_until + _STALE:
                return known.keys
            raise

    async def keys_anew(self, location: KeyLocation) -> tuple[ForeignKey, ...]:
        """The keys published there, after one was named that is not among those known.

        They are looked at anew unless that was done within the last minute.

        Raises:
            KeysUnavailableError: as `keys`.
        """
        if location.jwks is not None:
            return _parse(location.jwks)
        name, now = _name(location), self._clock.now()
        looked = self._looked_again.get(name)
        if name not in self._running and looked is not None and now < looked + _LOOK_AGAIN:
            return await self.keys(location)
        if name not in self._running:
            _remember(self._looked_again, name, now)
        return (await self._fetch_once(name, location)).keys

    async def _fetch_once(self, name: _Name, location: KeyLocation) -> _Found:
        """What is there now; one fetch, however many wait for it."""
        while (running := self._running.get(name)) is not None:
            await asyncio.wait([running])
            if running.cancelled():
                continue  # whoever fetched has gone away: the next one does it
            outcome = running.result()
            if isinstance(outcome, KeysUnavailableError):
                raise outcome
            return outcome
        silent = self._silent.get(name)
        if silent is not None and self._clock.now() < silent + _SILENCE:
            raise KeysUnavailableError(
                "the keys cannot be had: their host did not answer a moment ago", passing=True
            )
        promise: asyncio.Future[_Found | KeysUnavailableError]
        promise = asyncio.get_running_loop().create_future()
        self._running[name] = promise
        try:
            found = await self._look(location)
        except KeysUnavailableError as error:
            if isinstance(error.cause, HostSilentError):
                _remember(self._silent, name, self._clock.now())
            promise.set_result(error)
            raise
        else:
            _remember(self._found, name, found)
            promise.set_result(found)
            return found
        finally:
            del self._running[name]
            promise.cancel()  # nothing happens unless it was left without a result

    async def _look(self, location: KeyLocation) -> _Found:
        """Ask for the documents, and read them."""
        jwks_uri, fresh_for = location.jwks_uri, _MAX_FRESH
        if jwks_uri is None:
            url = discovery_url(location.issuer)
            discovery, fresh_for = await self._document(url, location.reach)
            if discovery.get("issuer") != location.issuer:
                raise KeysUnavailableError(
                    "the discovery document is that of another issuer", passing=False
                )
            named = discovery.get("jwks_uri")
            if not isinstance(named, str):
                raise KeysUnavailableError(
                    "the discovery document names no `jwks_uri`", passing=False
                )
            jwks_uri = named
        document, keys_fresh_for = await self._document(jwks_uri, location.reach)
        fresh_until = self._clock.now() + min(fresh_for, keys_fresh_for)
        return _Found(_parse(document), EpochSeconds(fresh_until))

    async def _document(self, url: str, reach: Reach) -> tuple[JsonObject, Seconds]:
        """One JSON object, and how long it holds."""
        try:
            document = await self._fetch(url, reach=reach, body_bytes=_MAX_BODY)
            content = parse_object(document.body)
        except (FetchFailedError, FetchRefusedError, MalformedJsonError) as error:
            passing = isinstance(error, FetchFailedError)
            raise KeysUnavailableError(
                f"the keys cannot be had: {error.detail}", passing=passing, cause=error
            ) from error
        fresh_for = _DEFAULT_FRESH if document.fresh_for is None else document.fresh_for
        return content, Seconds(min(max(fresh_for, _MIN_FRESH), _MAX_FRESH))


def discovery_url(issuer: str) -> str:
    """Where the discovery document of `issuer` is (OpenID Connect Discovery §4)."""
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def _name(location: KeyLocation) -> _Name:
    # Two spellings of an issuer share a discovery URL and are not the same issuer.
    return (location.jwks_uri or f"issuer {location.issuer}", location.reach)


def _remember(kept: OrderedDict[_Name, V], name: _Name, value: V) -> None:
    """Keep `value`, and forget what was kept longest ago beyond the limit: a client may name any URL."""
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > _MAX_LOCATIONS:
        kept.popitem(last=False)


def _parse(jwks: JsonObject) -> tuple[ForeignKey, ...]:
    try:
        return parse_jwks(jwks)
    except UnusableKeysError as error:
        raise KeysUnavailableError(error.detail, passing=False, cause=error) from error
