"""The two questions put to a catalog and its policies, whoever holds them: a running server, or a folder.

Whether the time, the address and the arguments are known is said by who asks; nothing else of a call is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pydantic import Field

from remit.api.administrator import Administrator, ForbiddenError
from remit.api.operation import Flag, Shape, Text
from remit.api.problems import BadRequestError
from remit.api.reachable.answers import MOST_ANSWERS, Asking, what_can, who_can, workload_of
from remit.api.reachable.answers import thing_told as told_of
from remit.api.reachable.cohort import (
    Cohort,
    cohort_of,
    cohorts_of,
    names_persons,
    role_cohorts,
    roles_within,
    somebody,
)
from remit.api.reachable.question import (
    arguments_given,
    instant_of,
    named_agent,
    named_thing,
    opened,
    require_address,
    tenants_asked,
)
from remit.canonical import JsonObject, MalformedJsonError, parse_json
from remit.clock import Clock
from remit.engines.inquiry import EngineWord
from remit.errors import NotFoundError
from remit.guard.definitions import Definitions
from remit.guard.ports import Standing
from remit.guard.prospect import Surroundings
from remit.identity import User, subject_of
from remit.ids import ScopeName, TenantId
from remit.model import MANAGEMENT, Agent, Catalog
from remit.policy import PolicySource
from remit.policy.check import CheckedPolicy, checked_policies
from remit.policy.engines.cedar_held import held
from remit.policy.evaluation import ArgumentValue, Evaluation
from remit.policy.places import places_of
from remit.policy.unsettled import OpenPolicies

__all__ = ["Answered", "Draft", "Ground", "WhatCan", "WhoCan", "what_can_asked", "who_can_asked"]

_NAMES: Final = ScopeName("remit:users.read")
_EVERY_ROLE: Final = "nobody was named: people are taken to hold every role that brings anything"
_ROLES: Final = "there are no accounts to look at: roles stand for those who hold them"
_NO_ENGINE: Final = "no external engine permits any of this, so none was asked"
_WORDS: Final = (
    "engines were asked about what is known here and no more: of a call they are told how the person logged in, "
    "from where, why and after what, and may say otherwise; what they say now permits nothing"
)
_MORE: Final = f"there are more than {MOST_ANSWERS} answers; name an organisation"


class WhoCan(Shape):
    """Which thing, by `SERVER/NAME`; and what is known of the call. `arguments`: a JSON object of texts.

    `ask_engine`: where an external engine permits, ask it.
    """

    thing: Text
    arguments: Text | None = None
    tenant: Text | None = None
    at: Text | None = None
    ip: Text | None = None
    ask_engine: Flag = False


class WhatCan(Shape):
    """For whom the agent would act: a person's name or id, or roles, separated by commas; else for anybody."""

    agent: Text
    user: Text | None = None
    roles: Text | None = None
    tenant: Text | None = None
    at: Text | None = None
    ip: Text | None = None
    ask_engine: Flag = False


class Answered(Shape):
    """`answers`, each with its `verdict`: `always`, `depends` or `never`. `notes` say what was left out."""

    asked: dict[str, Any]
    versions: dict[str, Any]
    answers: list[dict[str, Any]]
    notes: list[str] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is in force, or would be; `users` is `None` where there are no accounts to look at."""

    catalog: Catalog
    sources: Sequence[PolicySource]
    standing: Standing
    definitions: Definitions
    users: Sequence[User] | None
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The answers, before engines had a say. `questions` are those to engines, one for each answer that awaits a word."""

    about: JsonObject
    answers: list[JsonObject]
    notes: list[str]
    version: str
    questions: Sequence[Evaluation] = ()

    def answered(self, words: Sequence[EngineWord] = ()) -> Answered:
        """The answers, with what engines said to `questions`."""
        awaiting = [one for one in self.answers if one["engine_says"] is not None]
        for one, word in zip(awaiting, words, strict=False):
            said: Any = one["engine_says"]
            one["engine_says"] = {
                **said, "answer": word.word.value, "rules": [*word.rules],
                "needs": [*word.needs], "why": word.why,
            }  # fmt: skip
        return Answered(
            asked=self.about,
            versions={"catalog": self.version},
            answers=self.answers,
            notes=self.notes,
        )


def who_can_asked(ground: Ground, asked: WhoCan, by: Administrator) -> Draft:
    """Who can use a thing, on what it depends, and why others cannot.

    Raises:
        NotFoundError: the thing or the organisation is not there, or not theirs.
        BadRequestError: what is said to be known cannot be.
    """
    catalog = ground.catalog
    server, target = named_thing(asked.thing, by, catalog)
    tenants = tenants_asked(asked.tenant, by, catalog)
    known = arguments_given(_texts(asked.arguments), target.arguments)
    policies = _checked(ground)
    asking = _asking(ground, asked, policies, by=by, tenants=tenants, known=known)
    cohorts = _cohorts(
        ground, policies, tenants, roles=roles_within(catalog, [server]), apart=asked.ask_engine
    )
    answers = list(islice(who_can(server, target, cohorts, asking=asking), MOST_ANSWERS + 1))
    notes = [_ROLES] if ground.users is None else []
    about: JsonObject = {**told_of(server, target), **_said(asked), "arguments": [*sorted(known)]}
    return _drafted(about, answers, notes=notes, ground=ground, asking=asking)


def what_can_asked(ground: Ground, asked: WhatCan, by: Administrator) -> Draft:
    """What an agent can use for somebody, on what it depends, and why not the rest.

    Raises:
        NotFoundError: the agent, the person or the organisation is not there, or not theirs.
        BadRequestError: a person and roles are named both, or the organisation is not clear.
        ForbiddenError: a person is named by who may not read about people.
    """
    catalog = ground.catalog
    agent = named_agent(asked.agent, by, catalog)
    notes: list[str] = []
    cohort = _for_whom(ground, agent, asked, by=by, notes=notes)
    asking = _asking(ground, asked, _checked(ground), by=by, tenants=(cohort.tenant,))
    answers = list(islice(what_can(agent, cohort, asking=asking), MOST_ANSWERS + 1))
    about: JsonObject = {
        "agent": agent.id, "agent_name": agent.name, "owner": agent.owner,
        "class": agent.agent_class.value, "tenant": cohort.tenant, **_said(asked),
    }  # fmt: skip
    return _drafted(about, answers, notes=notes, ground=ground, asking=asking)


def _for_whom(
    ground: Ground, agent: Agent, asked: WhatCan, *, by: Administrator, notes: list[str]
) -> Cohort:
    if asked.user is not None and asked.roles is not None:
        raise BadRequestError("a person has the roles they have: name one or the other")
    own = workload_of(agent)
    if own is not None and by.sees(own.tenant):
        if asked.user is not None or asked.roles is not None:
            raise BadRequestError("a workload acts for itself, and for no person")
        return own
    if asked.user is not None:
        return _named_person(ground, asked.user, agent, by)
    tenants = [
        one for one in tenants_asked(asked.tenant, by, ground.catalog) if one in agent.tenants
    ]
    if len(tenants) != 1:
        named = ", ".join(f"`{one}`" for one in tenants) or "none"
        raise BadRequestError(f"name the organisation; the agent acts in {named}")
    seen = [one for one in ground.catalog.servers.values() if one.tenant in {None, tenants[0]}]
    there = roles_within(ground.catalog, [*seen, MANAGEMENT])
    if asked.roles is None:
        notes.append(_EVERY_ROLE)
        return cohort_of(somebody(tenants[0], there))
    roles = [one.strip() for one in asked.roles.split(",") if one.strip()]
    for role in roles:
        if role not in there:
            raise NotFoundError("there is no such role")
    return cohort_of(somebody(tenants[0], roles))


def _named_person(ground: Ground, name: str, agent: Agent, by: Administrator) -> Cohort:
    if not by.holds(_NAMES):
        raise ForbiddenError("to ask about a person takes `remit:users.read`")
    for user in ground.users or ():
        if name in {user.id, user.username} and by.sees(user.tenant):
            if user.tenant not in agent.tenants:
                raise BadRequestError("the agent does not act in the person's organisation")
            return cohort_of(subject_of(user, ground.catalog), user.username)
    raise NotFoundError("there is no such account")


def _asking(
    ground: Ground,
    asked: WhoCan | WhatCan,
    policies: Sequence[CheckedPolicy],
    *,
    by: Administrator,
    tenants: Sequence[TenantId],
    known: Mapping[str, ArgumentValue] | None = None,
) -> Asking:
    require_address(asked.ip)
    within = Surroundings(
        catalog=ground.catalog,
        # What cures a `forbid` is a condition of it, so that it is one that might refuse.
        policies=OpenPolicies([one.evaluated for one in held(policies)]),
        version=ground.catalog.version,
        standing=ground.standing,
        definitions=ground.definitions,
        clock=ground.clock,
        now=instant_of(asked.at, ground.clock.now()),
        open_to=opened(at=asked.at, ip=asked.ip),
        ip=asked.ip,
        known=known,
    )
    return Asking(
        within=within,
        places=places_of(ground.sources),
        tenants=tenants,
        names=by.holds(_NAMES),
        questions=[] if asked.ask_engine else None,
    )


def _checked(ground: Ground) -> list[CheckedPolicy]:
    policies, _ = checked_policies(ground.sources, ground.catalog)
    # What is on trial refuses nothing.
    return [one for one in policies if one.annotations.get("mode") != "observe"]


def _cohorts(
    ground: Ground,
    policies: Iterable[CheckedPolicy],
    tenants: Sequence[TenantId],
    *,
    roles: Sequence[str],
    apart: bool,
) -> list[Cohort]:
    """`apart`: each by themselves, for whoever is asked elsewhere may tell them apart."""
    there: list[Cohort] = []
    if ground.users is not None:
        seen = [one for one in ground.users if one.tenant in tenants]
        there = cohorts_of(seen, ground.catalog, one_by_one=apart or names_persons(policies))
    return [*there, *role_cohorts(ground.catalog, tenants, roles=roles, besides=there)]


def _texts(text: str | None) -> Mapping[str, str]:
    """The JSON object of texts that `arguments` is.

    Raises:
        BadRequestError: it is something else.
    """
    if text is None:
        return {}
    try:
        found = parse_json(text.encode())
    except MalformedJsonError as error:
        raise BadRequestError("`arguments` is a JSON object of texts") from error
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise BadRequestError("`arguments` is a JSON object of texts")
    return {name: str(value) for name, value in found.items()}


def _said(asked: WhoCan | WhatCan) -> dict[str, Any]:
    return {"at": asked.at, "ip": asked.ip}


def _drafted(
    about: JsonObject,
    answers: list[JsonObject],
    *,
    notes: list[str],
    ground: Ground,
    asking: Asking,
) -> Draft:
    notes = [*notes, _MORE] if len(answers) > MOST_ANSWERS else notes
    shown = answers[:MOST_ANSWERS]
    awaiting = sum(one["engine_says"] is not None for one in shown)
    if asking.questions is not None:
        notes = [*notes, _WORDS if awaiting else _NO_ENGINE]
    return Draft(
        about=about,
        answers=shown,
        notes=notes,
        version=ground.catalog.version,
        questions=(asking.questions or [])[:awaiting],
    )
