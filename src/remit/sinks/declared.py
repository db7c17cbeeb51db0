"""What is known of each kind of sink before any is opened: its options and its forms.

So that a policy repository is told at once what is wrong with a sink, and not by a receiver that stays silent. What has to do
with files and hosts is not looked at: it is where the repository is checked otherwise than where Remit runs.

Source: docs/reference/sinks.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["COMMON", "DECLARED", "HTTP", "DeclaredKind"]

COMMON: Final = frozenset({"begin"})
"""Options of every sink: those that whoever carries reads."""
_TLS: Final = frozenset({"ca_file", "client_cert", "client_key"})
HTTP: Final = _TLS | {"compress", "timeout"}
_JSON: Final = frozenset({"json", "ocsf", "ecs"})
_ANY: Final = _JSON | {"cef"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredKind:
    """One kind."""

    options: frozenset[str]
    forms: frozenset[str] = _ANY
    every: int | None = None
    """Seconds for which it keeps records back if the option `every` says nothing else; `None` for one that does not."""


DECLARED: Final[Mapping[str, DeclaredKind]] = MappingProxyType(
    {
        "archive": DeclaredKind(
            options=(HTTP - {"compress"})
            | {"endpoint", "every", "files", "lock", "lock_days", "records", "region"},
            every=30,
        ),
        "elastic": DeclaredKind(options=HTTP | {"auth", "index"}, forms=_JSON),
        "otlp": DeclaredKind(options=HTTP | {"header", "service_name"}),
        "splunk": DeclaredKind(
            options=HTTP | {"ack", "ack_timeout", "host", "index", "source_type"}
        ),
        "syslog": DeclaredKind(
            options=_TLS | {"enterprise", "facility", "host_name", "longest", "resend", "timeout"},
        ),
        "webhook": DeclaredKind(options=HTTP | {"confirm"}),
    }
)
"""Ours; of a plug-in nothing is known."""
