"""`people.yaml`: how people log in, and what the claims of an identity provider make of them.

Source: OpenID Connect Core §3.1.3.7, §5.7 (a person is `iss` and `sub`, never an address).
"""

from types import MappingProxyType
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator

from remit.clock import Seconds
from remit.documents import Duration, mistake, quoted
from remit.ids import TenantId
from remit.model import ClaimMapping, IdentityProvider, SecondFactor, SignIn
from remit.repository.fields import Line, Name, OptionalSecretReference
from remit.repository.lengths import DAY, MINUTE, within
from remit.repository.section import Section
from remit.repository.web_addresses import IssuerUrl
from remit.scopes import is_scope_token

__all__ = [
    "ClaimName",
    "ClaimRuleSection",
    "ClaimValues",
    "IdentityProviderSection",
    "PeopleFile",
    "sign_in_of",
]


def _check_scopes(given: tuple[str, ...]) -> tuple[str, ...]:
    for scope in given:
        if not is_scope_token(scope):
            raise mistake(
                f"{quoted(scope)} is no scope", expected="such as `openid`, `profile` or `groups`"
            )
    if "openid" not in given:
        raise mistake(
            "without the scope `openid` there is no ID token", expected="`openid` among them"
        )
    return given


def _as_list(given: object) -> object:
    return [given] if isinstance(given, str) else given


ClaimName = Line
"""The name of a claim; dots may reach into objects."""
ClaimValues = Annotated[
    tuple[Line, ...],
    BeforeValidator(_as_list, json_schema_input_type=Line | list[Line]),
    Field(min_length=1),
]
"""The values one of which a claim has to have: one text, or a list of them."""


_MaxAge = Annotated[Duration, within(MINUTE, 30 * DAY, "between `1m` and `30d`")]


class ClaimRuleSection(Section):
    """What people with certain claims are here. Every rule that matches applies."""

    claims: dict[ClaimName, ClaimValues] = Field(
        min_length=1,
        description="Each claim named has to be, or to hold, one of the values given for it, to the letter. Dots reach into objects.",
    )
    roles: tuple[str, ...] = Field(default=(), description="The roles that such a person holds.")
    attributes: dict[Line, Line] = Field(
        default={}, description="Attributes that such a person has, for policies and for roles."
    )
    tenant: str | None = Field(default=None, description="The tenant that such a person is of.")
    deny: StrictBool = Field(
        default=False, description="`true` keeps such a person out, whatever other rules say."
    )

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        gives = bool(self.roles or self.attributes or self.tenant)
        if self.deny and gives:
            raise mistake(
                "a rule that keeps people out gives them nothing", expected="`deny`, or the rest"
            )
        if not self.deny and not gives:
            raise mistake(
                "a rule that makes nothing of anybody",
                expected="`roles`, `attributes`, `tenant` or `deny: true`",
            )
        return self


class IdentityProviderSection(Section):
    """An OpenID provider that people may log in through. Its name stands in our URLs."""

    title: Line = Field(description="What stands on the button of the log-in page.")
    issuer: IssuerUrl = Field(description="Its issuer, to the letter; `https`.")
    client_id: Line = Field(description="What Remit is called there.")
    secret: OptionalSecretReference = Field(
        default=None,
        description="Where Remit's secret there is kept: `env:NAME`, `file:/path` or `stored:name`. Without one, Remit is a public client there.",
    )
    scopes: Annotated[tuple[str, ...], AfterValidator(_check_scopes)] = Field(
        default=("openid", "profile", "email"), description="What Remit asks for there."
    )
    tenant: str | None = Field(
        default=None,
        description="The tenant of people whom no rule gives one. A person with none is refused.",
    )
    username_claim: ClaimName = Field(
        default="preferred_username", description="The claim that a new account is named by."
    )
    attributes: dict[Line, ClaimName] = Field(
        default={}, description="Attributes of a person here, and the claim each is taken from."
    )
    rules: tuple[ClaimRuleSection, ...] = Field(
        default=(), description="What claims make of a person, such as groups of roles."
    )
    provision: StrictBool = Field(
        default=True,
        description="Whether whoever comes for the first time gets an account; otherwise only who has linked one comes in.",
    )
    believe_amr: StrictBool = Field(
        default=False,
        description="Whether a second factor or a passkey that was used there counts here (`amr`).",
    )
    private_network: StrictBool = Field(
        default=False,
        description="Whether its addresses may be private; on loopback it may be `http` then, too.",
    )
    roles_max_age: _MaxAge | None = Field(
        default=None,
        description="How old what it said of a person may be when a token is refreshed; `1m` to `30d`. Older, and it is asked again; left out: at every refresh.",
    )


class PeopleFile(Section):
    """`people.yaml`."""

    passwords: StrictBool = Field(
        default=True, description="Whether local accounts may log in with a password."
    )
    second_factor: SecondFactor = Field(
        default=SecondFactor.OPTIONAL,
        description="`required`: who has no second factor sets one up at the next log-in.",
    )
    providers: dict[Name, IdentityProviderSection] = Field(
        default={}, description="The identity providers, by the name that stands in our URLs."
    )

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        if not self.passwords and not self.providers:
            raise mistake("nobody could log in", expected="`passwords: true`, or `providers`")
        return self


def sign_in_of(file: PeopleFile) -> SignIn:
    """What `file` declares."""
    return SignIn(
        passwords=file.passwords,
        second_factor=file.second_factor,
        providers=MappingProxyType(
            {name: _provider(name, one) for name, one in file.providers.items()}
        ),
    )


def _provider(name: str, section: IdentityProviderSection) -> IdentityProvider:
    return IdentityProvider(
        name=name,
        title=section.title,
        issuer=section.issuer,
        client_id=section.client_id,
        secret=section.secret,
        scopes=section.scopes,
        tenant=_tenant(section.tenant),
        username_claim=section.username_claim,
        attributes=MappingProxyType(dict(section.attributes)),
        rules=tuple(_rule(one) for one in section.rules),
        provision=section.provision,
        believe_amr=section.believe_amr,
        private_network=section.private_network,
        roles_max_age=Seconds(0) if section.roles_max_age is None else section.roles_max_age,
    )


def _rule(section: ClaimRuleSection) -> ClaimMapping:
    return ClaimMapping(
        claims=MappingProxyType(dict(section.claims)),
        roles=section.roles,
        attributes=MappingProxyType(dict(section.attributes)),
        tenant=_tenant(section.tenant),
        deny=section.deny,
    )


def _tenant(name: str | None) -> TenantId | None:
    return None if name is None else TenantId(name)
