"""`engines` of `remit.yaml`: the engines in other processes that servers and tenants may name.

Refused: a time-out below 10 ms or beyond 5 s; a URL in the clear to another machine, for whoever stands between
would decide, or with a password in it; a link-local address, behind which clouds keep their credentials; a URL or a plug-in
where the kind has none; an option that the kind does not know. Loopback and private addresses are not refused:
engines run there, and the URL is the operator's own word.

Source: docs/guides/policy-engines.md; `remit.web.reach`.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from remit.documents import mistake, quoted
from remit.engines.connections import option_fault
from remit.model import EngineKind, ExternalEngine
from remit.repository.fields import Line, OptionalSecretReference, UpstreamUrl
from remit.repository.section import Section

__all__ = ["EngineSection", "engines_of"]

_SHORTEST: Final = 10
_LONGEST: Final = 5_000
_DEFAULT: Final = 250
_TIME: Final = re.compile(r"([1-9][0-9]{0,3})(ms|s)")
_EXPECTED: Final = "between `10ms` and `5s`, such as `250ms`"
_PLUGIN: Final = r"[a-z0-9][a-z0-9_.-]{0,62}"
_OPTION: Final = r"[a-z][a-z0-9_]{0,62}"


def _parse_timeout(given: object) -> int:
    found = _TIME.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise mistake(f"{quoted(given)} is no time-out", expected=_EXPECTED)
    milliseconds = int(found[1]) * (1 if found[2] == "ms" else 1_000)
    if not _SHORTEST <= milliseconds <= _LONGEST:
        raise mistake(f"the time-out {quoted(given)} is out of bounds", expected=_EXPECTED)
    return milliseconds


def _check_url(text: str) -> str:
    parts = urlsplit(text)
    try:
        literal = ip_address(parts.hostname or "")
    except ValueError:
        literal = None
    if parts.query:
        raise mistake(
            f"{quoted(text)} has a query", expected="`https://host`, with a path or without"
        )
    if literal is not None and (literal.is_link_local or literal.is_multicast):
        raise mistake(
            f"{quoted(text)} is an address that is never asked", expected="the address of an engine"
        )
    return text


def _matching(pattern: str, what: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise mistake(f"{quoted(text)} is no {what}", expected=f"text like `{pattern}`")
        return text

    return AfterValidator(check)


_Timeout = Annotated[
    int,
    BeforeValidator(_parse_timeout),
    WithJsonSchema(
        {"type": "string", "pattern": "^[1-9][0-9]{0,3}(ms|s)$", "examples": ["250ms", "1s"]}
    ),
]
_EngineUrl = Annotated[UpstreamUrl, AfterValidator(_check_url)]
_PluginName = Annotated[str, _matching(_PLUGIN, "name of a plug-in")]
_OptionName = Annotated[str, _matching(_OPTION, "name of an option")]


class EngineSection(Section):
    """One engine. It permits; what the policies of this repository forbid stays forbidden."""

    kind: EngineKind = Field(
        description="`cerbos`: a Cerbos PDP. `authzen`: any decision point that speaks AuthZEN 1.0. `plugin`: what `plugin` names."
    )
    url: _EngineUrl | None = Field(
        default=None,
        description="Where it is asked: `https://…`, or `http://` on loopback. Not needed by every plug-in.",
    )
    timeout: _Timeout = Field(
        default=_DEFAULT,
        description="Whoever has not answered by then has refused. `10ms` to `5s`.",
        json_schema_extra={"default": f"{_DEFAULT}ms"},
    )
    secret: OptionalSecretReference = Field(
        default=None,
        description="Where the secret is kept that it is shown as a bearer token: `env:NAME`, `file:/path` or `stored:name`.",
    )
    plugin: _PluginName | None = Field(
        default=None,
        description="For `kind: plugin`: the name of its entry point in `remit.policy_engines`. No other is loaded.",
    )
    options: dict[_OptionName, Line] = Field(
        default={}, description="What else its kind reads; see the guide to policy engines."
    )

    @model_validator(mode="after")
    def _is_one_of_its_kind(self) -> Self:
        is_plugin = self.kind is EngineKind.PLUGIN
        if is_plugin and self.plugin is None:
            raise mistake(
                "a plug-in without a name", expected="`plugin`, the name of its entry point"
            )
        if not is_plugin and self.plugin is not None:
            raise mistake("a name of a plug-in on what is none", expected="`kind: plugin`")
        if not is_plugin and self.url is None:
            raise mistake("an engine without an address", expected="`url`")
        fault = option_fault(self.kind, self.options)
        if fault is not None:
            raise mistake(
                fault, expected="the options of the kind, see the guide to policy engines"
            )
        return self


def engines_of(sections: Mapping[str, EngineSection]) -> Mapping[str, ExternalEngine]:
    """What `sections` declare, by name."""
    return MappingProxyType({
        name: ExternalEngine(
            name=name,
            kind=one.kind,
            url=one.url or "",
            timeout_ms=one.timeout,
            secret=one.secret,
            plugin=one.plugin or "",
            options=MappingProxyType(dict(one.options)),
        )
        for name, one in sections.items()
    })  # fmt: skip
