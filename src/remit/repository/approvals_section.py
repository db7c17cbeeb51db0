"""What `approvals.yaml` says of those who answer, and of those who are told: rules, justifications, notifiers.

Refused: a quorum that no two people make; a currency without an amount; a pattern on which matching could take longer
than anybody waits; a notifier that would send in the clear, or has its password in its URL.

Source: docs/adr/0025-cures.md; MISSION B7, C2.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, StrictBool, StrictInt, WithJsonSchema, model_validator

from remit.documents import Duration, duration_field, mistake, one_of, quoted
from remit.ids import ServerName
from remit.model import ACR_MULTI_FACTOR, ACR_VALUES, Environment
from remit.model.approvals import (
    ApprovalRule,
    Confirmation,
    Escalation,
    JustificationField,
    Notifier,
    NotifierKind,
)
from remit.repository.fields import Currency, Line, Name, OptionalSecretReference
from remit.repository.lengths import DAY, MINUTE, within
from remit.repository.patterns import LinePattern
from remit.repository.rules_file import Amount
from remit.repository.section import Section

__all__ = [
    "FIELD_NAME",
    "Acr",
    "ApprovalRuleSection",
    "ConfirmationSection",
    "FieldName",
    "JustificationSection",
    "NotifierSection",
    "confirmation_of",
    "justifications_of",
    "notifiers_of",
    "rules_of",
]

FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_URL: Final = re.compile(r"[A-Za-z0-9\-._~:/?@!$&'()*+,;=%\[\]]{1,2048}")


def _check_acr(text: str) -> str:
    if text not in ACR_VALUES:
        raise mistake(
            f"{quoted(text)} is no strength that anybody knows", expected=one_of(ACR_VALUES)
        )
    return text


def _check_field(text: str) -> str:
    if FIELD_NAME.fullmatch(text) is None:
        raise mistake(
            f"{quoted(text)} is no name of what is told",
            expected="lower-case letters, digits and `_`, such as `ticket`",
        )
    return text


def _check_mailbox(text: str) -> str:
    if _MAILBOX.fullmatch(text) is None:
        raise mistake(f"{quoted(text)} is no address", expected="such as `oncall@acme.example`")
    return text


def _check_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if _URL.fullmatch(text) is None or scheme not in {"http", "https", "smtp", "smtps"} or not rest:
        raise mistake(
            "the URL is none of a notifier",
            expected="`https://…`, or `smtps://host` for e-mail",
            hide=True,
        )
    authority = rest.split("/", 1)[0]
    user, at, _ = authority.rpartition("@")
    if at and (":" in user or scheme in {"http", "https"}):
        raise mistake(
            "the URL holds a password, or a user name that nobody asks for",
            expected="`secret` beside it",
            hide=True,
        )
    return text


Acr = Annotated[
    str, AfterValidator(_check_acr), WithJsonSchema({"type": "string", "enum": list(ACR_VALUES)})
]
"""How strongly somebody has to have proved who they are."""
FieldName = Annotated[
    str,
    AfterValidator(_check_field),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{FIELD_NAME.pattern}$", "examples": ["reason"]}
    ),
]
"""The name of one thing that has to be told."""
_Mailbox = Annotated[
    str,
    AfterValidator(_check_mailbox),
    WithJsonSchema({"type": "string", "format": "email", "examples": ["oncall@acme.example"]}),
]
_NotifierUrl = Annotated[
    str,
    AfterValidator(_check_url),
    WithJsonSchema(
        {"type": "string", "format": "uri", "examples": ["https://hooks.acme.example/remit"]}
    ),
]
_Waits = Annotated[Duration, within(MINUTE, 7 * DAY, "between `1m` and `7d`")]
_Holds = Annotated[Duration, within(MINUTE, DAY, "between `1m` and `1d`")]


class ConfirmationSection(Section):
    """How a person confirms a call of their own agent."""

    waits: Annotated[Duration, within(MINUTE, DAY, "between `1m` and `1d`")] = duration_field(
        "10m", "How long the page waits for them. `1m` to `1d`."
    )
    holds: Annotated[Duration, within(MINUTE, 60 * MINUTE, "between `1m` and `60m`")] = (
        duration_field("5m", "How long what they confirmed may be used, once. `1m` to `60m`.")
    )
    fresh: Annotated[Duration, within(MINUTE, 60 * MINUTE, "between `1m` and `60m`")] = (
        duration_field(
            "5m",
            "How long ago they may have proved who they are; never before the request was made. `1m` to `60m`.",
        )
    )


class EscalationSection(Section):
    """Who else may answer when nobody did."""

    after: _Waits = Field(description="After how long without an answer; less than `waits`.")
    role: str = Field(description="Whoever holds this role may answer then, too.")


class ApprovalRuleSection(Section):
    """How many people of which role answer for what. The first rule of a role that matches a call counts."""

    name: Name = Field(description="What pages and the log call it.")
    role: str = Field(
        description='For what asks for approval by this role: `@require_approval("…")`, or `approver` under `access`.'
    )
    servers: tuple[str, ...] = Field(
        default=(), description="Only calls of these servers; left out, of every one."
    )
    tools: tuple[Line, ...] = Field(
        default=(),
        description="Only these things, named as policies name their actions, such as `payments/refund`; left out, every one.",
    )
    environments: tuple[str, ...] = Field(
        default=(),
        description="Only calls of servers in these environments; left out, in every one.",
    )
    above: Amount | None = Field(
        default=None,
        description="Only calls with a larger amount, and calls whose amount cannot be told.",
    )
    currency: Currency | None = Field(
        default=None, description="What `above` is in; left out for amounts of type `decimal`."
    )
    quorum: Annotated[StrictInt, Field(ge=1, le=10)] = Field(
        default=1, description="How many different people have to approve."
    )
    owners: StrictBool = Field(
        default=False, description="Whether whoever owns the server may answer, besides the role."
    )
    acr: Acr = Field(
        default=ACR_MULTI_FACTOR, description="How strongly whoever answers must have logged in."
    )
    waits: _Waits = duration_field("15m", "How long a request waits for its answers. `1m` to `7d`.")
    holds: _Holds = duration_field(
        "5m", "How long what was approved may be used, once. `1m` to `1d`."
    )
    escalation: EscalationSection | None = Field(
        default=None, description="Who else may answer when nobody did."
    )
    notify: tuple[Name, ...] = Field(
        default=(), description="Names under `notifiers`: where those who may answer are told."
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.currency is not None and self.above is None:
            raise mistake("a currency of no amount", expected="`above` beside it")
        if self.escalation is not None and self.escalation.after >= self.waits:
            raise mistake(
                "nobody else is asked before the request ends", expected="`after` less than `waits`"
            )
        return self


class JustificationSection(Section):
    """One thing that has to be told where a policy, or an offer of access, asks for it by its name."""

    title: Line | None = Field(
        default=None, description="What stands beside the field that a person fills in."
    )
    pattern: LinePattern | None = Field(
        default=None,
        description="What it has to match from its beginning to its end; left out: any line.",
    )
    longest: Annotated[StrictInt, Field(ge=1, le=500)] = Field(
        default=500, description="How many characters it may have."
    )


class NotifierSection(Section):
    """Where people are told that something waits for them. Nothing can be approved from there."""

    kind: Literal["webhook", "slack", "email"] = Field(
        description="`webhook`: JSON, signed as Standard Webhooks say. `slack`: an incoming webhook as Slack has them. `email`: by SMTP."
    )
    url: _NotifierUrl | None = Field(
        default=None,
        description="Where it goes: `https`; for e-mail the server, `smtps://host` or `smtp://host` with STARTTLS, and the user name before an `@`.",
    )
    secret: OptionalSecretReference = Field(
        default=None,
        description="Where the secret is kept: of a webhook what signs; of `slack` the whole URL; of `email` the password.",
    )
    sender: _Mailbox | None = Field(default=None, description="For e-mail: from whom.")
    recipients: tuple[_Mailbox, ...] = Field(default=(), description="For e-mail: to whom.")
    private_network: StrictBool = Field(
        default=False,
        description="Whether its address may be private; on loopback it may be in the clear then, too.",
    )

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        is_email = self.kind == "email"
        if is_email and not (self.url and self.sender and self.recipients):
            raise mistake("an e-mail without its way", expected="`url`, `sender` and `recipients`")
        if not is_email and (self.sender or self.recipients):
            raise mistake("only an e-mail has a sender and recipients", expected="`kind: email`")
        if self.kind == "webhook" and not (self.url and self.secret):
            raise mistake(
                "a webhook that is not signed is anybody's", expected="`url` and `secret`"
            )
        if self.kind == "slack" and (self.url is None) == (self.secret is None):
            raise mistake("where it goes is not said once", expected="either `secret` or `url`")
        if self.url is not None and self.url.startswith("smtp") != is_email:
            raise mistake(
                "the URL is one of another kind",
                expected="`smtps://…` for e-mail, else `https://…`",
            )
        return self


Justifications: TypeAlias = dict[FieldName, JustificationSection]
"""Every field by its name."""


def confirmation_of(section: ConfirmationSection) -> Confirmation:
    """What `section` declares."""
    return Confirmation(**dict(section))


def rules_of(sections: tuple[ApprovalRuleSection, ...]) -> tuple[ApprovalRule, ...]:
    """The rules in their order."""
    return tuple(_rule(one) for one in sections)


def justifications_of(sections: Justifications) -> Mapping[str, JustificationField]:
    """What `sections` declare."""
    return MappingProxyType({
        name: JustificationField(name=name, title=one.title or "", pattern=one.pattern, longest=one.longest)
        for name, one in sections.items()
    })  # fmt: skip


def notifiers_of(sections: Mapping[str, NotifierSection]) -> Mapping[str, Notifier]:
    """What `sections` declare."""
    return MappingProxyType({
        name: Notifier(**dict(one) | {"name": name, "kind": NotifierKind(one.kind)})
        for name, one in sections.items()
    })  # fmt: skip


def _rule(section: ApprovalRuleSection) -> ApprovalRule:
    escalation = section.escalation
    return ApprovalRule(
        **dict(section) | {
            "servers": tuple(ServerName(one) for one in section.servers),
            "environments": tuple(Environment(one) for one in section.environments),
            "escalation": None if escalation is None else Escalation(**dict(escalation)),
        }
    )  # fmt: skip
