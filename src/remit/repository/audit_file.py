"""`audit.yaml`: what the audit log may hold, how long, who gets a copy, and who vouches for it.

Refused: a quorum that the witnesses cannot make; a copy that calls wait for and that nobody gets.

Source: docs/adr/0026-audit-trail.md; RFC 9535 (JSONPath); MISSION F1 to F5.
"""

from types import MappingProxyType
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, WithJsonSchema, model_validator

from remit.audit.json_paths import MAX_PATH, BadPathError, json_path
from remit.documents import Duration, duration_field, mistake, quoted
from remit.ids import ServerName, TenantId
from remit.model import (
    AuditRules,
    AuditTreatment,
    Classification,
    RedactionRule,
    Retention,
)
from remit.repository.audit_section import (
    EventPattern,
    RemoteCopySection,
    SinkSection,
    TimestampSection,
    WitnessSection,
    remote_copy_of,
    sinks_of,
    timestamps_of,
    witnesses_of,
)
from remit.repository.fields import Line, Name
from remit.repository.lengths import DAY, within
from remit.repository.section import Section

__all__ = ["AuditFile", "DetectorsSection", "RedactionSection", "RetentionSection", "audit_of"]

_YEARS = 100 * 365 * DAY
_Kept = Annotated[Duration, within(DAY, _YEARS, "between `1d` and `36500d`")]


def _check_path(text: str) -> str:
    try:
        json_path(text)
    except BadPathError as error:
        raise mistake(
            f"{quoted(text)} is no JSONPath: {error.detail}",
            expected="a path from the arguments, such as `$.card` or `$..ssn`",
        ) from None
    return text


_JsonPath = Annotated[
    str,
    AfterValidator(_check_path),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\$", "maxLength": MAX_PATH, "examples": ["$..ssn"]}
    ),
]


class RedactionSection(Section):
    """How values in certain places of a call's arguments are treated. Of several rules that fit, the strictest holds."""

    path: _JsonPath = Field(description="A JSONPath (RFC 9535) over the arguments.")
    treatment: AuditTreatment = Field(description="What is kept of the values there.")
    classification: Classification | None = Field(
        default=None,
        alias="class",
        description="What sort of value it is: part of the token that stands for it.",
    )
    servers: tuple[str, ...] = Field(
        default=(), description="Only calls of these servers; left out, of every one."
    )
    tools: tuple[Line, ...] = Field(
        default=(),
        description="Only these things, named as policies name their actions, such as `payments/refund`; left out, every one.",
    )
    tenants: tuple[str, ...] = Field(
        default=(), description="Only calls for people of these organisations; left out, of all."
    )


class DetectorsSection(Section):
    """What looks for secrets and personal data wherever something is kept as it was said."""

    off: tuple[Name, ...] = Field(
        default=(), description="Detectors that find too much here, by their names."
    )


class RetentionSection(Section):
    """How long what is recorded is kept at least, and what is sealed in it at most."""

    records: _Kept = duration_field("365d", "For how long records are kept. `1d` to `36500d`.")
    sealed: _Kept = duration_field(
        "365d",
        "After so long the keys of what is sealed are destroyed, unless a hold stands. `1d` to `36500d`.",
    )
    kinds: dict[EventPattern, _Kept] = Field(
        default={},
        description="Kinds of events, such as `decision` or `grant.*`, that are kept longer or shorter; the longest name that fits counts.",
    )


class AuditFile(Section):
    """`audit.yaml`."""

    receipts: StrictBool = Field(
        default=True, description="Whether whoever calls a tool is told where its record stands."
    )
    redaction: tuple[RedactionSection, ...] = Field(
        default=(),
        description="What is kept of arguments. What no rule and no tool says anything of becomes a token.",
    )
    detectors: DetectorsSection = Field(
        default=DetectorsSection(),
        description="What looks for secrets and personal data in what is kept.",
    )
    retention: RetentionSection = Field(
        default=RetentionSection(), description="How long what is recorded is kept."
    )
    sinks: dict[Name, SinkSection] = Field(
        default={}, description="Who gets a copy, by a name of its own."
    )
    remote_copy: RemoteCopySection | None = Field(
        default=None, description="Which calls wait until somebody else has a copy."
    )
    witnesses: dict[Name, WitnessSection] = Field(
        default={}, description="Who signs that the log has only grown, by a name of our own."
    )
    quorum: Annotated[StrictInt, Field(ge=1, le=100)] = Field(
        default=1,
        description="How many witnesses have to have signed for a checkpoint to count as witnessed.",
    )
    timestamps: TimestampSection | None = Field(
        default=None, description="Who says what time it was."
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.quorum > max(1, len(self.witnesses)):
            raise mistake(
                "a quorum that these witnesses cannot make",
                expected="at most as many as `witnesses` names",
            )
        if self.remote_copy is not None and self.remote_copy.sink not in self.sinks:
            raise mistake(
                f"`remote_copy` names {quoted(self.remote_copy.sink)}, which is no sink",
                expected="a name that stands under `sinks`",
            )
        return self


def audit_of(file: AuditFile) -> AuditRules:
    """What `file` declares."""
    retention = file.retention
    return AuditRules(
        receipts=file.receipts,
        redaction=tuple(_rule(one) for one in file.redaction),
        detectors_off=frozenset(file.detectors.off),
        retention=Retention(
            records=retention.records,
            sealed=retention.sealed,
            kinds=MappingProxyType(dict(retention.kinds)),
        ),
        sinks=sinks_of(file.sinks),
        remote_copy=remote_copy_of(file.remote_copy),
        witnesses=witnesses_of(file.witnesses),
        quorum=file.quorum,
        timestamps=timestamps_of(file.timestamps),
    )


def _rule(section: RedactionSection) -> RedactionRule:
    return RedactionRule(
        path=section.path,
        treatment=section.treatment,
        classification=section.classification,
        servers=tuple(ServerName(one) for one in section.servers),
        tools=section.tools,
        tenants=tuple(TenantId(one) for one in section.tenants),
    )
