"""How a network, an origin and a database address are written, and which are refused.

An origin is compared byte for byte by MCP clients (as the issuer) and by
browsers, so only its canonical spelling is accepted.
Source: RFC 6454 §6.2; RFC 8414 §2 (issuer); PROTOCOL fact 3.
"""

import ipaddress
import re
from urllib.parse import urlsplit

__all__ = ["IpNetwork", "database_url", "is_loopback_host", "network", "origin", "words"]

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def words(value: object) -> object:
    """A comma-separated text as its parts, as the environment and flags write lists; else `value`."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def network(value: object) -> object:
    """An address or network in CIDR notation; a lone address is a network of one.

    Raises:
        ValueError: neither, or everybody.
    """
    if not isinstance(value, str):
        return value
    try:
        parsed = ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(
            f"`{value}` is not an IP address or network; write `10.0.0.5` or `10.0.0.0/8`"
        ) from None
    return parsed


def origin(value: str) -> str:
    """`value`, if it is scheme, host and port in canonical spelling.

    Raises:
        ValueError: anything else; the message says how to write it.
    """
    parts = urlsplit(value)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"`{value}` is not an http or https origin; write `https://remit.example`")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "an origin carries no user name or password; remove what stands before `@`"
        )
    wanted = f"{parts.scheme}://{parts.netloc.lower()}"
    if parts.path or parts.query or parts.fragment or value.endswith(("?", "#")):
        raise ValueError(f"`{value}` has more than scheme, host and port; write `{wanted}`")
    if value != wanted:
        raise ValueError(f"`{value}` is not in lower case; write `{wanted}`")
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"`{value}` has a port out of range; use 1 to 65535") from None
    host = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    if _HOST.fullmatch(host) is None:
        raise ValueError(f"`{value}` has no well-formed host; write it in lower case and ASCII")
    if port == _DEFAULT_PORTS[parts.scheme]:
        raise ValueError(f"`{value}` spells out the default port; write `{parts.scheme}://{host}`")
    if port == 0:
        raise ValueError(f"`{value}` has port 0, which nobody can reach")
    return value


def database_url(value: str) -> str:
    """`value`, if Remit can open such a database. The message never repeats a password.

    Raises:
        ValueError: another kind of database, or one that forgets everything.
    """
    if value.startswith(("env:", "file:")):
        return value
    scheme = value.partition(":")[0]
    if scheme == "stored":
        raise ValueError(
            "what is stored in the database cannot say which database it is; use `env:` or `file:`"
        )
    if scheme == "sqlite":
        path = value.removeprefix("sqlite:///")
        if path == value or not path or path == ":memory:":
            raise ValueError(
                "a SQLite database needs a file; write `sqlite:////var/lib/remit/remit.sqlite3`"
            )
        return value
    if scheme == "postgresql":
        if not urlsplit(value).path.strip("/"):
            raise ValueError("the PostgreSQL URL names no database; end it with `/remit`")
        return value
    raise ValueError(
        f"databases of kind `{scheme[:20]}` are not supported; use `sqlite:///…` or `postgresql://…`"
    )


def is_loopback_host(host: str) -> bool:
    """Whether nobody off this machine can reach `host`: `localhost` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
