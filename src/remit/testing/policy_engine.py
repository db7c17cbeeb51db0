"""What every policy engine behind `policy.port.ExternalPolicyEngine` must do: run `PolicyEngineContract` over yours.

Subclass it in a test module and give it the fixture `subject`, an `EngineSubject` whose engine holds these rules:

1. Whoever is asked about may use whatever there is on the server `crm`, unless the call has an argument
   `organization_id` that is not the tenant of the subject.
2. The tool `list_accounts` of `crm` is for nobody who has the role `support`.
3. The tool `refund` of `payments` may be called with an `amount` of at most 500.00 in `USD`.
4. The tool `get_invoice` of `payments` may be called.
5. Nothing else is allowed.

In the phase `list` the arguments are not known: then whatever may be allowed with some arguments is allowed.
"""
# ruff: noqa: S101  asserting is what a contract suite is for

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from remit.clock import EpochSeconds
from remit.ids import AgentId, ClientId, ScopeName, ServerName, TenantId
from remit.model import AgentClass, Environment, Operation, Sensitivity
from remit.policy.elsewhere import Inquiries
from remit.policy.evaluation import (
    AgentFacts,
    ArgumentValue,
    Context,
    Evaluation,
    Money,
    Phase,
    ResourceFacts,
    ResourceKind,
    Subject,
    SubjectKind,
    TokenFacts,
)
from remit.policy.port import ExternalPolicyEngine

__all__ = ["CASES", "Case", "EngineSubject", "PolicyEngineContract", "ask"]

_PATIENCE = 20.0
"""Seconds: what an engine has to be fast enough for is its time-out, which is not judged here."""
_GENEROUS = 5.0
"""Seconds in which something has to have happened that takes none."""
_BLOCKED = 1.0
"""Seconds for which nothing else moves: whoever waits like that holds up every call of the process."""
_WRITES = frozenset({"refund", "update_account"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSubject:
    """An engine under test. After `fail` nobody answers it any more; after `mend` it is answered again.

    After `stall` its questions are taken, and nothing is said until `mend`; `None` for an engine that waits for nobody.
    """

    engine: ExternalPolicyEngine
    fail: Callable[[], Awaitable[None]]
    mend: Callable[[], Awaitable[None]]
    stall: Callable[[], Awaitable[None]] | None


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the decision table."""

    name: str
    evaluation: Evaluation
    allowed: bool


def ask(
    server: str,
    name: str,
    arguments: Mapping[str, ArgumentValue] | None = None,
    *,
    tenant: str = "acme",
    roles: Sequence[str] = ("finance",),
    kind: ResourceKind = ResourceKind.TOOL,
) -> Evaluation:
    """May `usr_1` of `tenant`, through an assistant, use that? Without `arguments` in the phase `list`."""
    return Evaluation(
        phase=Phase.LIST if arguments is None else Phase.CALL,
        subject=Subject(
            kind=SubjectKind.USER,
            id="usr_1",
            tenant=TenantId(tenant),
            roles=tuple(roles),
            attributes=MappingProxyType({"department": "sales"}),
        ),
        agent=AgentFacts(
            id=AgentId("support-assistant"),
            agent_class=AgentClass.ASSISTANT,
            owner="support-lead@acme.example",
            max_sensitivity=Sensitivity.HIGH,
        ),
        token=TokenFacts(
            client_id=ClientId("cli_1"), scopes=(ScopeName("crm:accounts.read"),), acr="1fa"
        ),
        resource=ResourceFacts(
            kind=kind,
            server=ServerName(server),
            name=name,
            tenant=None,
            environment=Environment("prod"),
            operation=Operation.WRITE if name in _WRITES else Operation.READ,
            sensitivity=Sensitivity.LOW,
            owner="crm-team@acme.example",
        ),
        context=Context(
            now=EpochSeconds(1_790_000_000),
            time_zone="America/New_York",
            ip="192.0.2.1",
            arguments=arguments,
        ),
    )


def _account(organization: str) -> Mapping[str, ArgumentValue]:
    return {"organization_id": organization, "account_id": "acc-1001"}


def _refund(amount: str, currency: str = "USD") -> Mapping[str, ArgumentValue]:
    return {
        "amount": Money(Decimal(amount), currency),
        "invoice_id": "inv-1",
        "reason": "broken",
    }


CASES: tuple[Case, ...] = (
    Case("own-organisation", ask("crm", "get_account", _account("acme")), allowed=True),
    Case("another-organisation", ask("crm", "get_account", _account("globex")), allowed=False),
    Case(
        "another-person",
        ask("crm", "get_account", _account("globex"), tenant="globex"),
        allowed=True,
    ),
    Case("near-miss", ask("crm", "get_account", _account("Acme")), allowed=False),
    Case(
        "prompt",
        ask("crm", "summarise_account", {}, kind=ResourceKind.PROMPT),
        allowed=True,
    ),
    Case(
        "a-role-shut-out",
        ask("crm", "list_accounts", {"organization_id": "acme"}, roles=("finance", "support")),
        allowed=False,
    ),
    Case(
        "a-role-not-shut-out",
        ask("crm", "list_accounts", {"organization_id": "acme"}),
        allowed=True,
    ),
    Case("nobody-s-role", ask("crm", "get_account", _account("acme"), roles=()), allowed=True),
    Case("small-refund", ask("payments", "refund", _refund("12.5")), allowed=True),
    Case("largest-refund", ask("payments", "refund", _refund("500.00")), allowed=True),
    Case("a-cent-too-much", ask("payments", "refund", _refund("500.01")), allowed=False),
    Case("a-hair-too-much", ask("payments", "refund", _refund("500.0001")), allowed=False),
    Case("other-currency", ask("payments", "refund", _refund("10.00", "EUR")), allowed=False),
    Case("no-amount", ask("payments", "refund", {"invoice_id": "inv-1"}), allowed=False),
    Case("invoice", ask("payments", "get_invoice", {"invoice_id": "inv-1"}), allowed=True),
    Case("another-tool", ask("payments", "close_ledger", {"month": "2026-10"}), allowed=False),
    Case("another-server", ask("payroll", "get_account", _account("acme")), allowed=False),
    Case("list-of-own", ask("crm", "get_account"), allowed=True),
    Case("list-of-refund", ask("payments", "refund"), allowed=True),
    Case("list-shut-out", ask("crm", "list_accounts", roles=("support",)), allowed=False),
    Case("list-of-nothing", ask("payments", "close_ledger"), allowed=False),
)
"""The decision table."""


class PolicyEngineContract:
    """Inherit, and every method is a test."""

    async def test_each_question_alone_is_decided_as_the_table_says(
        self, subject: EngineSubject
    ) -> None:
        for case in CASES:
            assert await _decided(subject, [case]) == [case.allowed], case.name

    async def test_all_questions_at_once_are_decided_as_each_alone(
        self, subject: EngineSubject
    ) -> None:
        assert await _decided(subject, CASES) == [case.allowed for case in CASES]

    async def test_an_answer_follows_its_question_and_not_its_place(
        self, subject: EngineSubject
    ) -> None:
        turned = [*reversed(CASES), CASES[1], CASES[0], CASES[1]]
        assert await _decided(subject, turned) == [case.allowed for case in turned]

    async def test_more_questions_than_one_message_takes_are_all_answered(
        self, subject: EngineSubject
    ) -> None:
        many = [CASES[number % len(CASES)] for number in range(260)]
        assert await _decided(subject, many) == [case.allowed for case in many]

    async def test_no_question_has_no_answer(self, subject: EngineSubject) -> None:
        assert list(await subject.engine.evaluate_all(())) == []

    async def test_questions_of_many_at_the_same_time_are_kept_apart(
        self, subject: EngineSubject
    ) -> None:
        asked = [CASES[number % len(CASES)] for number in range(120)]
        decided = await asyncio.gather(*(_decided(subject, [case]) for case in asked))
        assert decided == [[case.allowed] for case in asked]

    async def test_who_gives_up_takes_nobody_along(self, subject: EngineSubject) -> None:
        given_up = [
            asyncio.ensure_future(subject.engine.evaluate_all([case.evaluation for case in CASES]))
            for _ in range(8)
        ]
        await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        assert await _decided(subject, CASES) == [case.allowed for case in CASES]

    async def test_an_engine_that_nobody_answers_permits_nothing(
        self, subject: EngineSubject
    ) -> None:
        assert await _decided(subject, CASES[:1]) == [True]
        await subject.fail()
        for questions in (CASES[:1], CASES):
            assert await _is_refused(subject, questions), "it answers though nobody answers it"

    async def test_an_engine_that_is_answered_again_answers_again(
        self, subject: EngineSubject
    ) -> None:
        await subject.fail()
        assert await _is_refused(subject, CASES[:1])
        await subject.mend()
        assert await _decided(subject, CASES) == [case.allowed for case in CASES]

    async def test_what_fails_is_an_exception_and_nothing_worse(
        self, subject: EngineSubject
    ) -> None:
        await subject.fail()
        failure: BaseException | None = None
        try:
            await subject.engine.evaluate_all([CASES[0].evaluation])
        except BaseException as error:  # noqa: BLE001  what is no `Exception` would end the process
            failure = error
        assert failure is not None, "it answers though nobody answers it"
        assert isinstance(failure, Exception), f"`{type(failure).__name__}` ends the process"

    async def test_no_failure_is_left_lying_that_nobody_heard_of(
        self, subject: EngineSubject
    ) -> None:
        unheard: list[str] = []
        loop = asyncio.get_running_loop()
        before = loop.get_exception_handler()
        loop.set_exception_handler(lambda _, context: unheard.append(str(context["message"])))
        try:
            await subject.fail()
            for _ in range(3):
                assert await _is_refused(subject, CASES)
            await asyncio.sleep(0)
            gc.collect()
            await asyncio.sleep(0)
        finally:
            loop.set_exception_handler(before)
        assert unheard == []

    async def test_who_is_kept_waiting_is_let_go_and_nothing_goes_on_for_them(
        self, subject: EngineSubject
    ) -> None:
        assert await _decided(subject, CASES[:1]) == [True]
        if subject.stall is None:
            assert _answers_at_once(subject), "it waits for somebody: `stall` has to say how"
            return
        before = asyncio.all_tasks()
        await subject.stall()
        asked = [case.evaluation for case in CASES]
        waiting = [asyncio.ensure_future(subject.engine.evaluate_all(asked)) for _ in range(2)]
        blocked = await _longest_step(10)
        assert blocked < _BLOCKED, "nothing else moves while it waits"
        for task in waiting:
            task.cancel()
        done, kept = await asyncio.wait(waiting, timeout=_GENEROUS)
        assert not kept, "it does not let itself be cancelled"
        answered = [one for one in done if not one.cancelled() and one.exception() is None]
        assert not answered, "it answers though nobody answers it"
        assert await _ends(asyncio.all_tasks() - before), "something goes on that nobody waits for"
        await subject.mend()
        assert await _decided(subject, CASES) == [case.allowed for case in CASES]

    async def test_who_waits_too_long_is_refused_in_time(self, subject: EngineSubject) -> None:
        if subject.stall is None:
            return
        await subject.stall()
        asked = [case.evaluation for case in CASES]
        try:
            async with asyncio.timeout(_GENEROUS):
                await Inquiries().answers(subject.engine, asked, seconds=0.1)
        except TimeoutError:
            raise AssertionError("whoever asks cannot stop waiting") from None
        except Exception:  # noqa: BLE001  whatever it raises is a refusal
            return
        raise AssertionError("it answers though nobody answers it")

    async def test_it_says_what_it_is_called_and_of_which_version(
        self, subject: EngineSubject
    ) -> None:
        name = subject.engine.name
        assert isinstance(name, str)
        assert name
        assert subject.engine.name == name
        assert subject.engine.version is None or isinstance(subject.engine.version, str)


async def _decided(subject: EngineSubject, cases: Sequence[Case]) -> list[bool]:
    """What the engine says, taken as the decision point takes it: strictly."""
    asked = [case.evaluation for case in cases]
    answers = await Inquiries().answers(subject.engine, asked, seconds=_PATIENCE)
    return [answer.allowed for answer in answers]


async def _is_refused(subject: EngineSubject, cases: Sequence[Case]) -> bool:
    try:
        await _decided(subject, cases)
    except Exception:  # noqa: BLE001  whatever it raises is a refusal
        return True
    return False


def _answers_at_once(subject: EngineSubject) -> bool:
    """Whether the engine answers without letting anybody else have a turn."""
    try:
        asked: Any = subject.engine.evaluate_all([CASES[0].evaluation])
        asked.send(None)
    except StopIteration:
        return True
    asked.close()
    return False


async def _longest_step(turns: int) -> float:
    """How long, at most, everybody else had to wait for one of so many turns, in seconds."""
    loop = asyncio.get_running_loop()
    longest = 0.0
    for _ in range(turns):
        started = loop.time()
        await asyncio.sleep(0.01)
        longest = max(longest, loop.time() - started)
    return longest


async def _ends(tasks: set["asyncio.Task[object]"]) -> bool:
    """Whether all of them end by themselves."""
    if not tasks:
        return True
    _, going_on = await asyncio.wait(tasks, timeout=_GENEROUS)
    return not going_on
