"""Any decision point that speaks AuthZEN 1.0: one question at `evaluation`, several at `evaluations`.

In the words of Remit's own decision endpoint: the subject is `user` or `agent`, the action the method of the
protocol with the arguments among its properties, the resource a `tool`, `resource` or `prompt` of a server;
agent, token, circumstances and phase are the context. Never sent: the token itself.
Refused: whatever is not `decision: true` or `false`, fewer or more answers than questions, the echo of another
request's id, a permission together with an error.

Source: AuthZEN Authorization API 1.0 §6, §7, §9, §10 (X-Request-ID); docs/guides/policy-engines.md.
"""

from collections.abc import Sequence
from typing import Final

from remit.canonical import Json, JsonObject
from remit.engines.discovery import Discovery, Paths
from remit.engines.endpoint import CA_FILE, Endpoint
from remit.engines.options import number_option, refuse_unknown_options, switch_option
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
from remit.policy.evaluation import Evaluation, ResourceKind, SubjectKind
from remit.policy.port import Answer, EngineSettings, EngineUnavailableError

__all__ = ["AuthZenEngine", "open_authzen"]

_MAX_BATCH: Final = 100
_PATHS: Final = Paths("/access/v1/evaluation", "/access/v1/evaluations")
_METHODS: Final = {
    ResourceKind.TOOL: "tools/call",
    ResourceKind.RESOURCE: "resources/read",
    ResourceKind.PROMPT: "prompts/get",
    ResourceKind.SERVER: "issue",
}
_SUBJECTS: Final = {SubjectKind.USER: "user", SubjectKind.WORKLOAD: "agent"}
_OPTIONS: Final = frozenset({CA_FILE, "batch", "discover", "max_batch", "policies_member"})


def open_authzen(settings: EngineSettings) -> "AuthZenEngine":
    """The decision point at `settings.url`.

    Raises:
        EngineUnavailableError: an option is wrong.
    """
    return AuthZenEngine(settings)


class AuthZenEngine:
    """Implements `policy.port.ExternalPolicyEngine`."""

    def __init__(self, settings: EngineSettings) -> None:
        options = settings.options
        refuse_unknown_options(options, _OPTIONS)
        self._settings = settings
        batch = switch_option(options, "batch", default=True)
        paths = _PATHS if batch else Paths(_PATHS.evaluation, None)
        self._discovery = Discovery(settings, paths, batch=batch)
        self._discovers = switch_option(options, "discover", default=False)
        self._max_batch = number_option(options, "max_batch", default=_MAX_BATCH, most=1_000)
        self._member = options.get("policies_member", "policies")
        self._paths = paths
        self._ids = IdSource()
        self._endpoints = {path: Endpoint(settings, path) for path in (*paths.all,)}

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def version(self) -> str | None:
        return None

    async def evaluate_all(self, evaluations: Sequence[Evaluation]) -> Sequence[Answer]:
        """One answer to each; see the port."""
        paths = await self._discovery.paths() if self._discovers else self._paths
        size = 1 if paths.evaluations is None else self._max_batch
        batches = [evaluations[start : start + size] for start in range(0, len(evaluations), size)]
        answered = await all_answers([self._ask(batch, paths) for batch in batches])
        return [answer for answers in answered for answer in answers]

    async def close(self) -> None:
        self._discovery.close()
        for endpoint in self._endpoints.values():
            endpoint.close()

    async def _ask(self, batch: Sequence[Evaluation], paths: Paths) -> list[Answer]:
        if len(batch) == 1 or paths.evaluations is None:
            said = await self._said(paths.evaluation, _question(batch[0]))
            return [self._answer(said, batch[0])]
        question: JsonObject = {
            "evaluations": [_question(one) for one in batch],
            "options": {"evaluations_semantic": "execute_all"},
        }
        said = await self._said(paths.evaluations, question)
        answers = said.get("evaluations")
        if not isinstance(answers, list) or len(answers) != len(batch):
            raise EngineUnavailableError("the engine did not answer every question")
        return [self._answer(one, asked) for one, asked in zip(answers, batch, strict=True)]

    async def _said(self, path: str, question: JsonObject) -> JsonObject:
        request_id = self._ids.new_id("evl")
        return await self._endpoint(path).post(question, request_id=request_id)

    def _endpoint(self, path: str) -> Endpoint:
        known = self._endpoints.get(path)
        if known is None:
            known = self._endpoints[path] = Endpoint(self._settings, path)
        return known

    def _answer(self, said: Json, question: Evaluation) -> Answer:
        if not isinstance(said, dict):
            raise EngineUnavailableError("an answer of the engine is none")
        allowed, context = said.get("decision"), said.get("context")
        if allowed is not True and allowed is not False:
            raise EngineUnavailableError("an answer of the engine is neither yes nor no")
        if context is not None and not isinstance(context, dict):
            # What it asks for besides may stand there.
            raise EngineUnavailableError("the context of an answer is no object")
        told = context or {}
        if allowed and told.get("error") is not None:
            raise EngineUnavailableError("the engine allows and reports an error at once")
        names = _names(told.get(self._member))
        return Answer(
            question=question,
            allowed=allowed,
            rules=rules_of(names, allowed=allowed, message=_words(told.get("reason_user"))),
            obligations=obligations_in(told.get("obligations"), rule=next(iter(names), "decision")),
        )


def _question(one: Evaluation) -> JsonObject:
    resource, action = one.resource, JsonObject(name=_METHODS[one.resource.kind])
    arguments = arguments_json(one)
    if arguments is not None:
        action["properties"] = {"arguments": arguments}
    said = who(one.subject)
    del said["kind"]
    return {
        "subject": {
            "type": _SUBJECTS[one.subject.kind],
            "id": one.subject.id,
            "properties": said,
        },
        "action": action,
        "resource": {
            "type": resource.kind.value,
            "id": resource.name,
            "properties": resource_facts(resource),
        },
        "context": {
            **circumstances(one),
            "agent": agent_facts(one),
            "token": token_facts(one),
            "phase": one.phase.value,
        },
    }


def _names(value: Json) -> tuple[str, ...]:
    """The policies that the engine names: one, or a list of them."""
    given = value if isinstance(value, list) else [value]
    return tuple(text for one in given if (text := text_in(one)) is not None)


def _words(value: Json) -> str | None:
    """What the engine has to say to the person: text, or the first of several texts by language or status."""
    if isinstance(value, dict):
        return next((text for key in sorted(value) if (text := text_in(value[key]))), None)
    return text_in(value)
