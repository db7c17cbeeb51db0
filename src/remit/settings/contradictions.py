"""What two settings may not say together.

Each rule names the setting to change; the loader turns that into the file and
line, the variable or the flag it came from.
Source: PROTOCOL AS-05 (https, but for loopback).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from remit.settings.addresses import is_loopback_host
from remit.settings.model import AuditStore, Settings

__all__ = ["Contradiction", "contradictions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """`field` is the setting to change; `also` are the others that the rule looked at."""

    field: str
    also: tuple[str, ...]
    message: str
    mend: str


def contradictions(settings: Settings, *, given: frozenset[str]) -> Iterator[Contradiction]:
    """Everything in `settings` that does not go together; `given` are the fields not left at their default."""
    case = _Case(settings, given)
    for rule in _RULES:
        yield from rule(case)


@dataclass(frozen=True, slots=True)
class _Case:
    """What a rule looks at."""

    settings: Settings
    given: frozenset[str]


def _public_url_is_https_or_loopback(case: _Case) -> Iterator[Contradiction]:
    if case.settings.public_url is None:
        return
    parts = urlsplit(case.settings.public_url)
    if parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
        yield Contradiction(
            field="public_url",
            also=(),
            message=f"`{case.settings.public_url}` would send tokens over the network unencrypted",
            mend="use https, with a reverse proxy that ends TLS in front of Remit",
        )


def _open_host_needs_public_url(case: _Case) -> Iterator[Contradiction]:
    if case.settings.public_url is None and not case.settings.listens_on_loopback:
        yield Contradiction(
            field="host",
            also=("public_url",),
            message=f"`{case.settings.host}` is not loopback, and no public_url says where clients reach Remit",
            mend="set public_url to its https origin, or listen on 127.0.0.1",
        )


def _nobody_trusts_everybody(case: _Case) -> Iterator[Contradiction]:
    for network in case.settings.trusted_proxies:
        if network.prefixlen == 0:
            yield Contradiction(
                field="trusted_proxies",
                also=(),
                message=f"`{network}` lets every client forge the address it comes from",
                mend="name your proxies' own addresses",
            )


def _sqlite_has_no_pool(case: _Case) -> Iterator[Contradiction]:
    if case.settings.is_sqlite and "database_pool" in case.given:
        yield Contradiction(
            field="database_pool",
            also=("database_url",),
            message="the database is SQLite, which has one writer and no pool",
            mend="remove database_pool, or set database_url to PostgreSQL",
        )


def _sqlite_has_no_log(case: _Case) -> Iterator[Contradiction]:
    if case.settings.is_sqlite and case.settings.audit_store is AuditStore.DATABASE:
        yield Contradiction(
            field="audit_store",
            also=("database_url",),
            message="SQLite has one writer, who would wait for the audit log while the log waits for it",
            mend="leave audit_store at auto, or set database_url to PostgreSQL",
        )


def _one_name_is_taken(case: _Case) -> Iterator[Contradiction]:
    if case.settings.instance == "joined":
        yield Contradiction(
            field="instance",
            also=(),
            message="`joined` is the name of the log that joins those of all processes",
            mend="give the process another name",
        )


def _data_apart_from_repo(case: _Case) -> Iterator[Contradiction]:
    data, repo = case.settings.data.absolute(), case.settings.repo.absolute()
    if _within(data, repo) or _within(repo, data):
        yield Contradiction(
            field="data" if "data" in case.given else "repo",
            also=("repo", "data"),
            message=f"data folder `{case.settings.data}` and policy repository `{case.settings.repo}` are one inside the other",
            mend="keep them apart: keys and state must not end up in version control",
        )


def _within(inner: Path, outer: Path) -> bool:
    return inner == outer or outer in inner.parents


_RULES: tuple[Callable[[_Case], Iterator[Contradiction]], ...] = (
    _public_url_is_https_or_loopback,
    _open_host_needs_public_url,
    _nobody_trusts_everybody,
    _sqlite_has_no_pool,
    _sqlite_has_no_log,
    _one_name_is_taken,
    _data_apart_from_repo,
)
