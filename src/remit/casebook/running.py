"""Runs decision tables: each case through the steps that decide every call, and nothing is carried out.

A case that an engine in another process would have to decide is not run unless that engine is asked
(`run_tables_live`); a report that leaves one out has not passed. What the server guards against by itself (how
often is called, what a definition was, whether a key is proved) is left out: a table is about what was written.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from remit.audit.context import Context, Network
from remit.casebook.answer import found_of_list, found_of_ruling, found_of_verdict
from remit.casebook.bearer import Bearer, UndeclaredError, applicant_of, token_of
from remit.casebook.case import Asked, Case, Question, Table
from remit.casebook.comparison import differences
from remit.casebook.coverage import Tally, touched_by
from remit.casebook.past import TablePast
from remit.casebook.report import Found, Report, Result, Status
from remit.casebook.selection import Selection
from remit.clock import Clock, EpochSeconds
from remit.guard.call import Call
from remit.guard.definitions import NO_DEFINITIONS
from remit.guard.elevations import Elevated
from remit.guard.issuance import rule
from remit.guard.ladder import Allowance
from remit.guard.ports import Standing
from remit.guard.reconsider import (
    Scenario,
    UnansweredError,
    deliberate,
    deliberate_listing,
    listing,
)
from remit.guard.refusal import Refusal
from remit.guard.rehearing import Rehearing
from remit.guard.target import find_target
from remit.ids import ScopeName
from remit.model import Server
from remit.policy import CedarEngine, DecisionPoint
from remit.policy.check import checked_policies
from remit.policy.decision import DecisionReason
from remit.policy.evaluation import ResourceKind
from remit.policy.port import Elsewhere
from remit.policy.vocabulary import ISSUE
from remit.repository import LoadedRepository
from remit.tokens.access_token import AccessToken

__all__ = ["Progress", "run_tables", "run_tables_live"]

Progress = Callable[[Result], None]
"""Told of each result as it comes."""

_PROTOCOL: Final = "2026-07-28"
_METHODS: Final[Mapping[ResourceKind, str]] = MappingProxyType(
    {
        ResourceKind.TOOL: "tools/call",
        ResourceKind.RESOURCE: "resources/read",
        ResourceKind.PROMPT: "prompts/get",
    }
)
_AT_ONCE: Final = 16
_OWN_ENGINES: Final = frozenset({"", "cedar", "decision-point", "history"})
_EVERYBODY: Final = Standing(as_of=EpochSeconds(0))


def run_tables(
    repository: LoadedRepository,
    tables: Sequence[Table],
    *,
    selection: Selection | None = None,
    progress: Progress | None = None,
) -> Report:
    """Run every case of `tables` that is selected over what `repository` declares, in its stage. No I/O."""
    started = time.perf_counter()
    run = _Run(repository)
    results: list[Result] = []
    for case in _selected(tables, selection):
        results.append(run.result(case))
        if progress is not None:
            progress(results[-1])
    return run.report(results, started)


async def run_tables_live(
    repository: LoadedRepository,
    tables: Sequence[Table],
    elsewhere: Elsewhere,
    *,
    selection: Selection | None = None,
    progress: Progress | None = None,
) -> Report:
    """The same, with the engines of `elsewhere` asked where they decide; of one that does not answer, no case is run."""
    started = time.perf_counter()
    run = _Run(repository, elsewhere)
    results: list[Result] = []
    cases = list(_selected(tables, selection))
    for first in range(0, len(cases), _AT_ONCE):
        some = await asyncio.gather(*map(run.result_live, cases[first : first + _AT_ONCE]))
        for result in some:
            results.append(result)
            if progress is not None:
                progress(result)
    return run.report(results, started)


def _selected(tables: Sequence[Table], selection: Selection | None) -> Iterator[Case]:
    for table in tables:
        yield from (one for one in table.cases if selection is None or selection(one))


class _Run:
    """One run over one repository."""

    def __init__(self, repository: LoadedRepository, elsewhere: Elsewhere | None = None) -> None:
        engine = CedarEngine.load(repository.policies, repository.catalog)
        self._policies, _ = checked_policies(repository.policies, repository.catalog)
        self._decisions = DecisionPoint(engine, _Timeless(), elsewhere)
        self._rehearing = Rehearing(repository.catalog, self._decisions)
        # Without limits on how often is called, and without keys to prove: neither is a table's to say.
        self._catalog = self._rehearing.catalog
        self._stage = repository.stage
        self._tally = Tally()
        self._tokens: dict[object, AccessToken] = {}

    def report(self, results: Sequence[Result], started: float) -> Report:
        """What came of all of it."""
        return Report(
            results=tuple(results),
            coverage=self._tally.coverage(self._policies, self._catalog),
            catalog_version=self._catalog.version,
            stage=self._stage,
            micros=_micros_since(started),
        )

    def result(self, case: Case) -> Result:
        """What comes of one case."""
        started = time.perf_counter()
        prepared = self._prepared(case)
        if isinstance(prepared, Result):
            return prepared
        try:
            if isinstance(prepared, Found):
                found = prepared
            elif case.question.asked is Asked.LIST:
                found = found_of_list(listing(prepared), prepared.token)
            else:
                found = self._found(case.question, self._reheard(prepared), prepared)
        except UnansweredError as error:
            return Result(case=case, status=Status.NOT_RUN, why=error.detail)
        return _compared(case, found, started)

    async def result_live(self, case: Case) -> Result:
        """What comes of one case, whoever decides it."""
        started = time.perf_counter()
        prepared = self._prepared(case)
        if isinstance(prepared, Result):
            return prepared
        if isinstance(prepared, Found):
            found = prepared
        elif case.question.asked is Asked.LIST:
            found = found_of_list(await deliberate_listing(prepared), prepared.token)
        else:
            found = self._found(case.question, await deliberate(prepared), prepared)
        if _is_unreachable(found) and case.expected.reason != found.reason:
            return Result(case=case, status=Status.NOT_RUN, why="; ".join(found.errors))
        return _compared(case, found, started)

    def _prepared(self, case: Case) -> Scenario | Found | Result:
        """The question as it is to be put; or the answer already, or why there is none."""
        if case.stages and self._stage not in case.stages:
            why = f"for {', '.join(case.stages)} alone"
            return Result(case=case, status=Status.LEFT_OUT, why=why)
        try:
            bearer = applicant_of(case.question, self._catalog)
        except UndeclaredError as error:
            return Result(case=case, status=Status.NOT_RUN, why=error.detail)
        if case.question.asked is Asked.ISSUE:
            return self._issued(case.question, bearer)
        return Scenario(
            call=_call(case.question),
            token=self._token(case.question, bearer),
            catalog=self._catalog,
            standing=_EVERYBODY,
            definitions=NO_DEFINITIONS,
            decisions=self._decisions,
            now=bearer[2],
            past=TablePast(case.question.history),
            elevated=_elevated(case.question, bearer[2]),
        )

    def _reheard(self, scenario: Scenario) -> Allowance | Refusal:
        return self._rehearing.decide(
            scenario.call,
            scenario.token,
            now=scenario.now,
            past=scenario.past,
            elevated=scenario.elevated,
        )

    def _token(self, question: Question, bearer: Bearer) -> AccessToken:
        """The same for all who come alike."""
        alike = (question.agent, id(question.person), question.tenant, question.server, question.kind, question.name,
            question.scopes, question.access, question.at, question.acr, question.amr, question.auth_age, question.purpose)  # fmt: skip
        token = self._tokens.get(alike)
        if token is None:
            token = self._tokens[alike] = token_of(question, bearer, self._catalog)
        return token

    def _issued(self, question: Question, bearer: Bearer) -> Found:
        applicant, server, now = bearer
        ruling = rule(
            question.scopes if question.scopes is not None else _baseline(server),
            applicant,
            server=server,
            catalog=self._catalog,
            decisions=self._decisions,
            now=now,
        )
        if ruling.decision is not None:
            self._tally.note_decision((ISSUE, ()), ruling.decision)
        return found_of_ruling(ruling)

    def _found(self, question: Question, verdict: Allowance | Refusal, scenario: Scenario) -> Found:
        server = self._catalog.servers[question.server]
        target = find_target(server, question.kind, question.name)
        if target is not None:
            touched = touched_by(target.facts)
            self._tally.note_thing(touched, allowed=isinstance(verdict, Allowance))
            if verdict.decision is not None:
                self._tally.note_decision(touched, verdict.decision)
        return found_of_verdict(verdict, scenario.token)


def _compared(case: Case, found: Found, started: float) -> Result:
    unlike = tuple(differences(case.expected, found))
    return Result(
        case=case,
        status=Status.FAILED if unlike else Status.PASSED,
        found=found,
        differences=unlike,
        micros=_micros_since(started),
    )


def _is_unreachable(found: Found) -> bool:
    """Whether an engine in another process should have decided, and did not."""
    return found.reason == DecisionReason.ENGINE_ERROR and found.engine not in _OWN_ENGINES


class _Timeless(Clock):
    """How long a decision takes is not looked at here."""

    def now(self) -> EpochSeconds:
        return EpochSeconds(0)

    def now_ms(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 0.0


def _call(question: Question) -> Call:
    kind = question.kind
    return Call(
        server=question.server,
        method="tools/list" if kind is None else _METHODS[kind],
        authorization=(),
        context=Context(network=Network(ip=question.ip)),
        kind=kind,
        name=question.name,
        arguments=question.arguments,
        protocol_version=_PROTOCOL,
        justification=question.justification or None,
    )


def _elevated(question: Question, now: EpochSeconds) -> Elevated | None:
    """What people said of the call; nothing of it was spent."""
    said = question.elevation
    if said is None:
        return None
    confirmed = None if said.acr is None else EpochSeconds(now - said.confirmed)
    return Elevated(
        id="casebook",
        grant_id="casebook",
        roles=said.roles,
        acr=said.acr,
        confirmed_at=confirmed,
        scopes=said.scopes,
    )


def _baseline(server: Server) -> tuple[ScopeName, ...]:
    """What is asked for when a client asks for nothing in particular."""
    return server.baseline_scopes or server.scopes


def _micros_since(started: float) -> int:
    return int((time.perf_counter() - started) * 1_000_000)
