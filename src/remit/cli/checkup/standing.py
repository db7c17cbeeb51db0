"""What time has made of keys and clients: a key that signs too long, clients that wait or are about to go.

Of a server that runs it is the server's word, as the management API gives it; without one, what the
database holds. Nothing is changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remit.cli.checkup.finding import Finding, fine, note
from remit.clock import EpochSeconds
from remit.db import Database, Transaction
from remit.errors import Error
from remit.model import Catalog
from remit.oauth import list_clients, list_pending
from remit.secrets import list_stored_secrets
from remit.settings import Settings
from remit.tokens.store import list_keys

__all__ = ["Standing", "examine_standing", "standing_of_database", "standing_of_server"]

_DAY = 86_400
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Since when the key that signs does, since when each client waits, and when each that goes will; which secrets are stored."""

    signs_since: int | None
    waiting: Mapping[str, int]
    leaving: Mapping[str, int]
    secrets: frozenset[str] = frozenset()


def standing_of_server(
    keys: Iterable[Mapping[str, Any]],
    registrations: Iterable[Mapping[str, Any]],
    clients: Iterable[Mapping[str, Any]],
    secrets: Iterable[Mapping[str, Any]] = (),
) -> Standing:
    """What a running server answers for its lists of keys, registrations, clients and secrets."""
    return Standing(
        signs_since=next((one["signs_from"] for one in keys if one["state"] == "signs"), None),
        waiting={
            one["client_id"]: one["waits_since"] or one["created_at"] for one in registrations
        },
        leaving={one["client_id"]: one["removal_at"] for one in clients if one["removal_at"]},
        secrets=frozenset(one["name"] for one in secrets),
    )


def standing_of_database(
    settings: Settings, catalog: Catalog, *, resolve: Callable[[str], str], now: EpochSeconds
) -> Standing | None:
    """What the database holds; `None` where there is none to ask, which `examine_database` says."""
    url = settings.effective_database_url
    if settings.is_sqlite and not Path(url.removeprefix("sqlite:///")).exists():
        return None

    def read(tx: Transaction) -> Standing:
        keys = [one for one in list_keys(tx, retired=False) if one.signs_from <= now]
        return Standing(
            signs_since=keys[0].signs_from if keys else None,
            waiting={one.client_id: one.queued_at or one.created_at for one in list_pending(tx)},
            leaving={
                one.client.client_id: one.removal_at
                for one in list_clients(tx, catalog, now=now)
                if one.removal_at is not None
            },
            secrets=frozenset(one.name for one in list_stored_secrets(tx)),
        )

    try:
        database = Database.open(resolve(url) if url.startswith(("env:", "file:")) else url, pool=1)
    except Error:
        return None
    try:
        return database.read_now(read)
    except Error:
        return None
    finally:
        database.close()


def examine_standing(
    standing: Standing, catalog: Catalog, *, now: EpochSeconds
) -> Iterator[Finding]:
    """What somebody should look at."""
    lifetime = catalog.issuer.signing_key_lifetime
    since = standing.signs_since
    if since is not None and now - since > 2 * lifetime:
        yield note(
            "signing key",
            f"signs since {_days(now - since)}, more than twice the {_days(lifetime)} of "
            "`issuer.signing_key_lifetime`: no server was there to change it",
            mend="remit keys rotate",
        )
    elif since is not None:
        yield fine("signing key", f"signs since {_days(now - since)}")
    late = {name: at for name, at in standing.waiting.items() if now - at > _DAY}
    if late:
        longest = _days(now - min(late.values()))
        yield note(
            "registrations",
            f"{_names(late)} {'waits' if len(late) == 1 else 'wait'} for approval, up to {longest}",
            mend="remit registrations list, then approve or reject each",
        )
    # Whoever waits for approval is named above.
    leaving = {name: at for name, at in standing.leaving.items() if name not in standing.waiting}
    if leaving:
        left = max(0, min(leaving.values()) - now)
        yield note(
            "clients",
            f"{_names(leaving)} {'is' if len(leaving) == 1 else 'are'} about to be removed, "
            f"the first in {_days(left)}",
            mend="remit clients list shows why; use keeps one that is unused, a file in agents/ any",
        )


def _names(named: Mapping[str, int]) -> str:
    """The soonest few, as text that a stranger chose may be shown."""
    soonest = sorted(named, key=lambda name: named[name])
    shown = ", ".join(f"`{_plain(name)}`" for name in soonest[:_NAMED])
    return shown if len(soonest) <= _NAMED else f"{shown} and {len(soonest) - _NAMED} more"


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() and one != "`" else "?" for one in text)[:120]


def _days(seconds: int) -> str:
    days = seconds // _DAY
    return "less than a day" if days < 1 else "1 day" if days == 1 else f"{days} days"
