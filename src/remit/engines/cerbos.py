"""Cerbos: `CheckResources` over its HTTP API, many resources in one question.

The principal is who the token says, with its roles; its attributes are the tenant, the attributes, the agent and
what the token says. The resource is of the kind of its server, is called by its name, and has what the catalog
says of it, the arguments, the circumstances and the phase as its attributes. Whoever has no role is asked about
with the role `remit:none`, for Cerbos wants one. Never sent: the token itself, be it as `auxData`.
Refused: an answer to another request, about another resource, to fewer or more of them, or one that has another
effect than the two.

Source: Cerbos API, `POST /api/check/resources`; docs/guides/policy-engines.md.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.engines.endpoint import CA_FILE, Endpoint
from remit.engines.options import number_option, refuse_unknown_options
from remit.engines.question import (
    agent_facts,
    arguments_json,
    circumstances,
    resource_facts,
    token_facts,
    who,
)
from remit.engines.telling import obligations_in, rules_of, text_in
from remit.engines.together import all_answers
from remit.ids import IdSource
from remit.policy.evaluation import Evaluation
from remit.policy.port import Answer, EngineSettings, EngineUnavailableError

__all__ = ["CerbosEngine", "open_cerbos"]

_PATH: Final = "/api/check/resources"
_MAX_BATCH: Final = 50
"""What Cerbos takes in one request unless it is told otherwise (`server.requestLimits`)."""
_NO_ROLE: Final = "remit:none"
_EFFECTS: Final = {"EFFECT_ALLOW": True, "EFFECT_DENY": False}
_NO_MATCH: Final = frozenset({"NO_MATCH", ""})
_OPTIONS: Final = frozenset({CA_FILE, "kind_prefix", "max_batch", "policy_version", "scope"})
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


def open_cerbos(settings: EngineSettings) -> "CerbosEngine":
    """The Cerbos at `settings.url`.

    Raises:
        EngineUnavailableError: an option is wrong.
    """
    return CerbosEngine(settings)


class CerbosEngine:
    """Implements `policy.port.ExternalPolicyEngine`."""

    def __init__(self, settings: EngineSettings) -> None:
        options = settings.options
        refuse_unknown_options(options, _OPTIONS)
        self._name = settings.name
        self._prefix = options.get("kind_prefix", "")
        self._versioned: JsonObject = {}
        if "policy_version" in options:
            self._versioned["policyVersion"] = options["policy_version"]
        self._scope = options.get("scope")
        if self._scope is not None:
            _filled(self._scope, {"tenant": "", "server": "", "environment": ""})
        self._max_batch = number_option(options, "max_batch", default=_MAX_BATCH, most=1_000)
        self._endpoint = Endpoint(settings, _PATH)
        self._ids = IdSource()

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str | None:
        return None

    async def evaluate_all(self, evaluations: Sequence[Evaluation]) -> Sequence[Answer]:
        """One answer to each; see the port."""
        batches = self._batches(evaluations)
        answered = await all_answers(
            [
                self._check(principal, [evaluations[place] for place in places])
                for principal, places in batches
            ]
        )
        by_place = {
            place: answer
            for (_, places), answers in zip(batches, answered, strict=True)
            for place, answer in zip(places, answers, strict=True)
        }
        return [by_place[place] for place in range(len(evaluations))]

    async def close(self) -> None:
        self._endpoint.close()

    def _batches(self, evaluations: Sequence[Evaluation]) -> list[tuple[JsonObject, list[int]]]:
        """Which questions go together: of one principal, and as many as Cerbos takes."""
        by_principal: dict[bytes, tuple[JsonObject, list[int]]] = {}
        for place, one in enumerate(evaluations):
            principal = self._principal(one)
            known = by_principal.setdefault(canonical_bytes(principal), (principal, []))
            known[1].append(place)
        return [
            (principal, places[start : start + self._max_batch])
            for principal, places in by_principal.values()
            for start in range(0, len(places), self._max_batch)
        ]

    async def _check(self, principal: JsonObject, asked: Sequence[Evaluation]) -> list[Answer]:
        request_id = self._ids.new_id("evl")
        resources: list[Json] = [
            {"actions": [_action(one)], "resource": self._resource(one)} for one in asked
        ]
        question: JsonObject = {
            "requestId": request_id,
            "includeMeta": True,
            "principal": principal,
            "resources": resources,
        }
        said = await self._endpoint.post(question)
        results = said.get("results")
        if said.get("requestId") != request_id:
            raise EngineUnavailableError("the answer of the engine is to another request")
        if not isinstance(results, list) or len(results) != len(asked):
            raise EngineUnavailableError("the engine did not answer about every resource")
        return [
            _answer(result, one, kind=self._kind(one))
            for result, one in zip(results, asked, strict=True)
        ]

    def _principal(self, one: Evaluation) -> JsonObject:
        subject = who(one.subject)
        return {
            "id": one.subject.id,
            "roles": subject.pop("roles") or [_NO_ROLE],
            "attr": {**subject, "agent": agent_facts(one), "token": token_facts(one)},
            **self._versioned,
            **self._scoped(one),
        }

    def _resource(self, one: Evaluation) -> JsonObject:
        facts: JsonObject = {
            **resource_facts(one.resource),
            "kind": one.resource.kind.value,
            "context": circumstances(one),
            "phase": one.phase.value,
        }
        arguments = arguments_json(one)
        if arguments is not None:
            facts["arguments"] = arguments
        return {
            "kind": self._kind(one),
            "id": one.resource.name,
            "attr": facts,
            **self._versioned,
            **self._scoped(one),
        }

    def _kind(self, one: Evaluation) -> str:
        return self._prefix + one.resource.server

    def _scoped(self, one: Evaluation) -> JsonObject:
        if self._scope is None:
            return {}
        values = {
            "tenant": one.subject.tenant,
            "server": one.resource.server,
            "environment": one.resource.environment,
        }
        return {"scope": _filled(self._scope, values)}


def _action(one: Evaluation) -> str:
    return f"{one.resource.kind.value}:{one.resource.name}"


def _answer(result: Json, question: Evaluation, *, kind: str) -> Answer:
    """What one result says, if it is about the resource and the action that were asked about."""
    if not isinstance(result, dict):
        raise EngineUnavailableError("a result of the engine is none")
    action = _action(question)
    about, actions = result.get("resource"), result.get("actions")
    if not isinstance(about, dict) or (about.get("kind"), about.get("id")) != (
        kind,
        question.resource.name,
    ):
        raise EngineUnavailableError("a result of the engine is about another resource")
    if not isinstance(actions, dict) or actions.keys() != {action}:
        raise EngineUnavailableError("a result of the engine is about another action")
    effect = actions[action]
    if not isinstance(effect, str) or effect not in _EFFECTS:
        raise EngineUnavailableError("the engine knows an effect that is not known here")
    allowed = _EFFECTS[effect]
    values = _outputs(result, action)
    message = next((text for one in values if (text := text_in(one.get("refusal")))), None)
    names = _matched(result, action)
    return Answer(
        question=question,
        allowed=allowed,
        rules=rules_of(names, allowed=allowed, message=message),
        obligations=tuple(
            found
            for one in values
            for found in obligations_in(one.get("obligations"), rule=next(iter(names), "output"))
        ),
    )


def _matched(result: Mapping[str, Json], action: str) -> tuple[str, ...]:
    """The policy that Cerbos names in `meta`, if one matched."""
    meta = result.get("meta")
    of_actions = meta.get("actions") if isinstance(meta, dict) else None
    of_action = of_actions.get(action) if isinstance(of_actions, dict) else None
    name = text_in(of_action.get("matchedPolicy")) if isinstance(of_action, dict) else None
    return () if name is None or name in _NO_MATCH else (name,)


def _outputs(result: Mapping[str, Json], action: str) -> list[Mapping[str, Json]]:
    """The outputs of its rules that are objects: `refusal` and `obligations` in them are for us."""
    outputs = result.get("outputs", [])
    if not isinstance(outputs, list):
        raise EngineUnavailableError("the outputs of the engine are no list")
    return [
        value
        for one in outputs
        if isinstance(one, dict)
        and one.get("action", action) == action
        and isinstance(value := one.get("val"), dict)
    ]


def _filled(scope: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise EngineUnavailableError("a placeholder in the option for the scope is not known")
        return values[found[1]]

    return _PLACEHOLDER.sub(value, scope)
