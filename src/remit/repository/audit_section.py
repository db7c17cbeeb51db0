"""What `audit.yaml` says of copies and of those who vouch: sinks, the copy that calls wait for, witnesses, time stamps.

Refused: a URL with a password in it, or one that would send the log in the clear to another machine; a sink without what
its kind needs; a key that is no verifier key; a limit to how far a copy may be behind that nothing could keep.

Source: docs/adr/0026-audit-trail.md; C2SP signed-note (verifier keys); RFC 5425; MISSION F4.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StrictBool, StrictInt, WithJsonSchema

from remit.documents import Duration, duration_field, mistake, quoted
from remit.ids import TenantId
from remit.model import RemoteCopy, SinkRules, TimestampAuthority, Witness
from remit.repository.fields import Name, OptionalSecretReference, is_loopback_host
from remit.repository.lengths import DAY, MINUTE, within
from remit.repository.section import Section
from remit.repository.web_addresses import WebUrl

__all__ = [
    "EVENT_NAME",
    "EventPattern",
    "RemoteCopySection",
    "SinkSection",
    "TimestampSection",
    "WitnessSection",
    "remote_copy_of",
    "sinks_of",
    "timestamps_of",
    "witnesses_of",
]

EVENT_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}(\.([a-z][a-z_]{0,39}|\*))?")
_OPTION: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_KEY: Final = re.compile(r"[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{8,4096}={0,2}")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[!-~]{1,2048}|/[!-~]{1,1024}")
_PATH: Final = re.compile(r"/[^\x00-\x1f\x7f]{1,1023}")
_CLEAR: Final = frozenset({"http", "tcp", "syslog", "udp", "syslog+tcp", "syslog+udp"})


def _check_events(text: str) -> str:
    if EVENT_NAME.fullmatch(text) is None:
        raise mistake(
            f"{quoted(text)} is no kind of event", expected="such as `decision` or `grant.*`"
        )
    return text


def _check_option(text: str) -> str:
    if _OPTION.fullmatch(text) is None:
        raise mistake(
            f"{quoted(text)} is no name of an option", expected="lower-case letters, digits and `_`"
        )
    return text


def _check_value(value: object) -> str:
    """As text, the way YAML writes it. What was left blank is no value."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not text.strip() or len(text) > 1_000 or not text.isprintable():
        raise mistake(
            f"{quoted(text)} is no value of an option", expected="1 to 1000 characters on one line"
        )
    return text


def _check_key(text: str) -> str:
    if _KEY.fullmatch(text) is None:
        raise mistake(
            f"{quoted(text)} is no verifier key",
            expected="`name+hash+key`, as the witness shows it",
        )
    return text


def _check_url(text: str) -> str:
    """A place that a copy can be sent to. What stands before an `@` may be a password: it is not repeated."""
    expected = "such as `https://siem.acme.example/`, `tls://siem.acme.example:6514` or a folder"
    if _URL.fullmatch(text) is None:
        raise mistake("this is no URL of a sink", expected=expected, hide=True)
    if text.startswith("/"):
        return text
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise mistake("this is no URL of a sink", expected=expected, hide=True) from None
    if "@" in parts.netloc:
        raise mistake(
            "the URL holds a user name or a password", expected="`secret` beside it", hide=True
        )
    if not host and parts.scheme != "file":
        raise mistake("this is no URL of a sink", expected=expected, hide=True)
    if parts.scheme in _CLEAR and not is_loopback_host(host or ""):
        raise mistake(
            f"{quoted(text)} would send the audit log in the clear",
            expected="`https://…` or `tls://…`; without TLS a copy goes to loopback alone",
        )
    return text


def _check_path(text: str) -> str:
    if _PATH.fullmatch(text) is None:
        raise mistake(
            f"{quoted(text)} is no path of a file", expected="a path that begins with `/`"
        )
    return text


EventPattern = Annotated[
    str,
    AfterValidator(_check_events),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{EVENT_NAME.pattern}$", "examples": ["grant.*"]}
    ),
]
"""A kind of event, or all that begin alike; whether there is such a kind is for `audit_rules` to say."""
_Option = Annotated[
    str,
    AfterValidator(_check_option),
    WithJsonSchema({"type": "string", "pattern": f"^{_OPTION.pattern}$"}),
]
_Value = Annotated[
    StrictBool | StrictInt | str,
    AfterValidator(_check_value),
    WithJsonSchema({"type": ["string", "integer", "boolean"]}),
]
_SinkUrl = Annotated[
    str,
    AfterValidator(_check_url),
    WithJsonSchema({"type": "string", "examples": ["tls://siem.acme.example:6514"]}),
]
_VerifierKey = Annotated[
    str,
    AfterValidator(_check_key),
    WithJsonSchema({"type": "string", "pattern": f"^{_KEY.pattern}$"}),
]
_File = Annotated[
    str,
    AfterValidator(_check_path),
    WithJsonSchema({"type": "string", "examples": ["/etc/remit/tsa.pem"]}),
]
_Lag = Annotated[Duration, within(1, DAY, "between `1s` and `1d`")]


class SinkSection(Section):
    """Who gets a copy of what is recorded. It is read off the log: nothing waits for it, and nothing is lost while it is away."""

    kind: Name = Field(
        description="`syslog`, `splunk`, `otlp`, `elastic`, `webhook`, `archive`, or the name of a plug-in."
    )
    form: Literal["json", "ocsf", "ecs", "cef"] = Field(
        default="json", description="What a record is written as."
    )
    url: _SinkUrl = Field(default="", description="Where it goes; for an archive, a folder too.")
    secret: OptionalSecretReference = Field(
        default=None, description="Where the secret that it asks for is kept, or what signs."
    )
    kinds: tuple[EventPattern, ...] = Field(
        default=(), description="Only these kinds of events; left out, all."
    )
    tenants: tuple[str, ...] = Field(
        default=(), description="Only what concerns these organisations; left out, everything."
    )
    options: dict[_Option, _Value] = Field(
        default={}, description="What its kind knows besides; see [sinks](sinks.md)."
    )
    alert_after: _Lag = duration_field(
        "45s", "How far behind it may be before that is an event. `1s` to `1d`."
    )


class RemoteCopySection(Section):
    """Calls that are refused while nobody else has a copy of what happened before them."""

    sink: str = Field(description="The sink, by its name under `sinks`.")
    max_lag: _Lag = Field(description="How far behind it may be. `1s` to `1d`.")
    sensitivity: Literal["low", "medium", "high", "critical"] = Field(
        default="high", description="Calls of at least this sensitivity."
    )


class WitnessSection(Section):
    """Somebody elsewhere who signs that the log has only grown."""

    url: WebUrl = Field(description="Where it is asked; its `/add-checkpoint` stands below.")
    key: _VerifierKey = Field(description="Its verifier key, as `remit witness` shows it.")


class TimestampSection(Section):
    """Who says what time it was, as RFC 3161 has it."""

    url: WebUrl = Field(
        description="Where it is asked. Its answers are signed: `http` is admitted."
    )
    every: Annotated[Duration, within(MINUTE, 366 * DAY, "between `1m` and `366d`")] = (
        duration_field("1h", "How often it is asked. `1m` to `366d`.")
    )
    roots: _File = Field(
        description="PEM file with the authorities that its certificates descend from."
    )


Sinks: TypeAlias = Mapping[str, SinkSection]


def sinks_of(sections: Sinks) -> Mapping[str, SinkRules]:
    """What `sections` declare, by name."""
    return MappingProxyType({
        name: SinkRules(
            **dict(one) | {
                "name": name,
                "tenants": tuple(TenantId(tenant) for tenant in one.tenants),
                "options": MappingProxyType({key: str(value) for key, value in one.options.items()}),
            }
        )
        for name, one in sections.items()
    })  # fmt: skip


def remote_copy_of(section: RemoteCopySection | None) -> RemoteCopy | None:
    """What `section` declares."""
    return None if section is None else RemoteCopy(**dict(section))


def witnesses_of(sections: Mapping[str, WitnessSection]) -> tuple[Witness, ...]:
    """What `sections` declare, in their order."""
    return tuple(Witness(name=name, url=one.url, key=one.key) for name, one in sections.items())


def timestamps_of(section: TimestampSection | None) -> TimestampAuthority | None:
    """What `section` declares."""
    return None if section is None else TimestampAuthority(**dict(section))
