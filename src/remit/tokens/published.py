"""The metadata that other servers publish of themselves, fetched when it is needed and kept for a while.

How long is what the host's headers say, within bounds: never so short that every log-in asks
again, never longer than a day. A document that was there and cannot be
had any more is used for an hour at most. A failure is remembered for some seconds, so that a host
that is down is not asked by everybody who waits. Of requests for one document at once, one goes out.

Keys are not kept here but in `published_keys`, more briefly.

Source: OpenID Connect Discovery §4; RFC 8414 §3; RFC 9111 §4.2.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from remit.canonical import JsonObject, MalformedJsonError, parse_object
from remit.clock import Clock, EpochSeconds
from remit.errors import UnavailableError
from remit.tokens.published_keys import FetchWithin
from remit.turns import Turns
from remit.web.fetch import FetchFailedError, FetchRefusedError, Reach

__all__ = ["IssuerUnavailableError", "Published"]

DOCUMENT_BYTES: Final = 262_144
_SHORTEST: Final = 60
_LONGEST: Final = 86_400
_USUAL: Final = 900
"""Seconds a document holds whose headers say nothing."""
_STALE: Final = 3_600
_FAILED: Final = 10
_MAX_DOCUMENTS: Final = 256


class IssuerUnavailableError(UnavailableError):
    """What the issuer publishes cannot be had, or cannot be used."""

    code: ClassVar[str] = "issuer_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A document, or why there is none; until when it is not asked for again, and when it is too old."""

    value: JsonObject | None
    rests_until: EpochSeconds
    expires_at: EpochSeconds
    failure: str = ""


class Published:
    """The documents of other issuers, by their URL and how far a request for them may go."""

    __slots__ = ("_clock", "_documents", "_fetch", "_under_way")

    def __init__(self, fetch: FetchWithin, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._documents: OrderedDict[tuple[str, Reach], _Kept] = OrderedDict()
        self._under_way = Turns[tuple[str, Reach]]()

    async def document(self, url: str, *, reach: Reach) -> JsonObject:
        """The JSON object at `url`.

        Raises:
            IssuerUnavailableError: there is none to be had.
        """
        return self._value(await self._kept((url, reach)))

    async def _kept(self, name: tuple[str, Reach]) -> _Kept:
        kept = self._fresh(name)
        if kept is not None:
            return kept
        async with self._under_way.of(name):
            # Whoever waited finds what the one before fetched.
            return self._fresh(name) or await self._fetched(name)

    def _fresh(self, name: tuple[str, Reach]) -> _Kept | None:
        kept = self._documents.get(name)
        if kept is None or self._clock.now() >= kept.rests_until:
            return None
        self._documents.move_to_end(name)
        return kept

    async def _fetched(self, name: tuple[str, Reach]) -> _Kept:
        before, url = self._documents.get(name), name[0]
        try:
            document = await self._fetch(url, reach=name[1], body_bytes=DOCUMENT_BYTES)
            value = parse_object(document.body)
        except (FetchFailedError, FetchRefusedError, MalformedJsonError) as error:
            kept = self._after_failure(before, error.detail)
        else:
            said = _USUAL if document.fresh_for is None else document.fresh_for
            now = self._clock.now()
            expires = EpochSeconds(now + min(max(said, _SHORTEST), _LONGEST))
            kept = _Kept(value=value, rests_until=expires, expires_at=expires)
        self._documents[name] = kept
        self._documents.move_to_end(name)
        while len(self._documents) > _MAX_DOCUMENTS:
            self._documents.popitem(last=False)
        return kept

    def _after_failure(self, before: _Kept | None, failure: str) -> _Kept:
        """What is used in the meantime: the document as it was, for an hour; else the failure."""
        now = self._clock.now()
        rest = EpochSeconds(now + _FAILED)
        if before is not None and before.value is not None and now < before.expires_at + _STALE:
            last = EpochSeconds(before.expires_at + _STALE)
            return replace(before, rests_until=min(rest, last))
        return _Kept(value=None, rests_until=rest, expires_at=rest, failure=failure)

    def _value(self, kept: _Kept) -> JsonObject:
        if kept.value is None:
            raise IssuerUnavailableError(f"what the issuer publishes cannot be had: {kept.failure}")
        return kept.value
