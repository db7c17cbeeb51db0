"""Whether the settings show more to the world than they should. Source: PROTOCOL AS-05; RFC 9700 §2.6."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from remit.cli.checkup.finding import Finding, fine, note, unsafe
from remit.settings import LogLevel, Origin, Settings, is_loopback_host

__all__ = ["examine_settings", "is_production"]


def is_production(settings: Settings) -> bool:
    """Whether others than those at this machine are meant to reach it."""
    return settings.issuer.startswith("https://") or not settings.is_sqlite


def examine_settings(settings: Settings, origins: Mapping[str, Origin]) -> Iterator[Finding]:
    """What the settings alone tell."""
    yield from _issuer(settings)
    yield from _proxies(settings)
    if settings.log_level is LogLevel.DEBUG:
        yield unsafe(
            "logs",
            "debug logs name every request and what libraries say to each other",
            mend="set log_level to info when you have found what you are looking for",
        )
    url = settings.database_url
    if url is not None and not url.startswith(("env:", "file:")) and urlsplit(url).password:
        yield note(
            "database",
            f"its password stands in the settings ({origins['database_url'].place})",
            mend="keep the URL in a file of mode 0600 and set database_url to file:PATH",
        )


def _issuer(settings: Settings) -> Iterator[Finding]:
    secure = settings.issuer.startswith("https://")
    if secure or settings.listens_on_loopback:
        where = "over https" if secure else "on this machine only"
        yield fine("issuer", f"{settings.issuer}, {where}")
        return
    host = urlsplit(settings.issuer).hostname or ""
    yield unsafe(
        "issuer",
        f"`{settings.host}` listens to others than this machine, over plain http to `{host}`",
        mend="set public_url to an https origin, with a reverse proxy that ends TLS; or listen on 127.0.0.1",
    )


def _proxies(settings: Settings) -> Iterator[Finding]:
    if settings.issuer.startswith("https://") and not settings.trusted_proxies:
        yield note(
            "proxies",
            "public_url is https, so something ends TLS in front of Remit, but no proxy is trusted: "
            "every caller seems to come from its address",
            mend="set trusted_proxies to its address",
        )
    elif any(
        network.num_addresses > 65_536 and not is_loopback_host(str(network.network_address))
        for network in settings.trusted_proxies
    ):
        yield note(
            "proxies",
            "trusted_proxies holds a network of more than 65536 addresses",
            mend="name the proxies' own addresses: whoever is in it can forge where a call comes from",
        )
