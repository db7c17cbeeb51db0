"""What the operator reads: one line an event, and nothing in it that opens anything.

Logs are for running Remit; the audit log is the record. Every line passes
`redact` last, whoever wrote it: the values of telling keys are dropped whole,
and bearer tokens, JSON Web Tokens, Remit's own secrets, credentials in URLs and
query strings are cut out of any text, tracebacks included.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from remit.settings import LogFormat, LogLevel

__all__ = ["configure_logs", "redact"]

_REDACTED = "[redacted]"

_TELLING_KEYS = re.compile(
    r"authorization|cookie|password|passwd|secret|token|assertion|verifier|credential|api[-_]?key"
    r"|private|^code$|^state$|^nonce$|^query$|^query_string$|^body$|^dpop$",
    re.IGNORECASE,
)
_HARMLESS_KEYS = frozenset({"token_type", "token_endpoint_auth_method", "jti_digest"})

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(Bearer|Basic|DPoP)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), r"\1 [redacted]"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){1,4}"), _REDACTED),
    # Remit's own secrets: an optional prefix and 256 bits in base64url.
    (re.compile(r"(?<![A-Za-z0-9_-])(?:[a-z]{2,8}_){0,3}[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"), _REDACTED),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), _REDACTED),
    (re.compile(r"://[^/\s:@`'\"]*:[^/\s@`'\"]+@"), "://[redacted]@"),
    (re.compile(r"(?<=[A-Za-z0-9/._~-])\?[A-Za-z0-9_.~%-]+=[^\s`'\"<>]*"), "?[redacted]"),
    (
        re.compile(
            r"\b((?:access_|refresh_|id_)?token|client_secret|code_verifier|password|assertion|code)=[^&\s`'\"]+"
        ),
        r"\1=[redacted]",
    ),
)  # fmt: skip


# HTTP clients say every URL at `INFO`, its query included.
_LIBRARIES = ("alembic", "asyncio", "httpcore2", "httpx", "httpx2", "mcp", "sqlalchemy", "uvicorn")


def configure_logs(level: LogLevel, style: LogFormat, *, stream: TextIO | None = None) -> None:
    """Send everything, Remit's lines and those of libraries, to `stream` (standard error) in one format."""
    stream = sys.stderr if stream is None else stream
    console = style is LogFormat.CONSOLE or (style is LogFormat.AUTO and stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sink = logging.StreamHandler(stream)
    sink.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:-1], _positional, redact],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [sink]
    root.setLevel(level.value.upper())
    _quieten(level)


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The event with every secret cut out of it, however deep. A structlog processor."""
    for key in list(event):
        if not key.startswith("_"):
            event[key] = _redacted(key, event[key])
    return event


def _redacted(key: str, value: object) -> object:
    if key not in _HARMLESS_KEYS and _TELLING_KEYS.search(key):
        return _REDACTED
    if isinstance(value, str):
        for pattern, replacement in _PATTERNS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, Mapping):
        return {name: _redacted(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _redacted("", str(value))


def _positional(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop the arguments that a library's message has already been formatted with."""
    event.pop("positional_args", None)
    return event


def _quieten(level: LogLevel) -> None:
    """Libraries speak when something is wrong; their chatter only helps those who debug them."""
    libraries = logging.INFO if level is LogLevel.DEBUG else logging.WARNING
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(libraries)
    logging.getLogger("uvicorn.access").disabled = True
