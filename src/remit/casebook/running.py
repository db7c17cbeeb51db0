"""Runs decision tables: each case through the steps that decide every call, and nothing is carried out.

A case that an engine in another process would have to decide is not run unless that engine is asked
(`run_tables_live`); a report that leaves one out has not passed. What the server guards against by itself (how
often is called, what a definition was, whether a key is proved) is left out: a table is about what was written.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from remit.audit.context import Context, Network
from remit.casebook.answer import found_of_list, found_of_ruling, found_of_verdict
from remit.casebook.bearer import UndeclaredError, applicant_of, token_of
from remit.casebook.case import Asked, Case, Question, Table
from remit.casebook.comparison import differences
from remit.casebook.coverage import Tally, touched_by
from remit.casebook.past import TablePast
from remit.casebook.report import Found, Report, Result, Status
from remit.casebook.selection import Selection
from remit.clock import Clock, EpochSeconds
from remit.guard.call import Call
from remit.guard.definitions import NO_DEFINITIONS
from remit.guard.issuance import rule
from remit.guard.ladder import Allowance
from remit.guard.ports import Standing
from remit.guard.reconsider import Scenario, UnansweredError, listing, reconsider
from remit.guard.refusal import Refusal
from remit.guard.target import find_target
from remit.ids import ScopeName
from remit.model import Catalog, Server
from remit.policy import CedarEngine, DecisionPoint
from remit.policy.check import checked_policies
from remit.policy.evaluation import ResourceKind
from remit.policy.vocabulary import ISSUE
from remit.repository import LoadedRepository

__all__ = ["Progress", "run_tables"]

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
    for case in (case for table in tables for case in table.cases):
        if selection is not None and not selection(case):
            continue
        result = run.result(case)
        results.append(result)
        if progress is not None:
            progress(result)
    return Report(
        results=tuple(results),
        coverage=run.tally.coverage(run.policies, repository.catalog),
        catalog_version=repository.catalog.version,
        stage=repository.stage,
        micros=_micros_since(started),
    )


class _Run:
    """One run over one repository."""

    def __init__(self, repository: LoadedRepository) -> None:
        catalog = _without_proofs(repository.catalog)
        self.catalog = catalog
        self.stage = repository.stage
        self.tally = Tally()
        self.policies, _ = checked_policies(repository.policies, catalog)
        self._decisions = DecisionPoint(CedarEngine.load(repository.policies, catalog), _Timeless())

    def result(self, case: Case) -> Result:
        """What comes of one case."""
        if case.stages and self.stage not in case.stages:
            why = f"for {', '.join(case.stages)} alone"
            return Result(case=case, status=Status.LEFT_OUT, why=why)
        started = time.perf_counter()
        try:
            found = self._answer(case.question)
        except (UnansweredError, UndeclaredError) as error:
            return Result(case=case, status=Status.NOT_RUN, why=error.detail)
        unlike = tuple(differences(case.expected, found))
        return Result(
            case=case,
            status=Status.FAILED if unlike else Status.PASSED,
            found=found,
            differences=unlike,
            micros=_micros_since(started),
        )

    def _answer(self, question: Question) -> Found:
        bearer = applicant_of(question, self.catalog)
        applicant, server, now = bearer
        if question.asked is Asked.ISSUE:
            asked = question.scopes if question.scopes is not None else _baseline(server)
            ruling = rule(
                asked, applicant, server=server, catalog=self.catalog, decisions=self._decisions, now=now
            )  # fmt: skip
            if ruling.decision is not None:
                self.tally.note_decision((ISSUE, ()), ruling.decision)
            return found_of_ruling(ruling)
        token = token_of(question, bearer, self.catalog)
        scenario = Scenario(
            call=_call(question),
            token=token,
            catalog=self.catalog,
            standing=_EVERYBODY,
            definitions=NO_DEFINITIONS,
            decisions=self._decisions,
            now=now,
            past=TablePast(question.history),
        )
        if question.asked is Asked.LIST:
            return found_of_list(listing(scenario), token)
        verdict = reconsider(scenario)
        self._note(question, server, verdict)
        return found_of_verdict(verdict, token)

    def _note(self, question: Question, server: Server, verdict: Allowance | Refusal) -> None:
        target = find_target(server, question.kind, question.name)
        if target is None:
            return
        touched = touched_by(target.facts)
        self.tally.note_thing(touched, allowed=isinstance(verdict, Allowance))
        if verdict.decision is not None:
            self.tally.note_decision(touched, verdict.decision)


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
    )


def _baseline(server: Server) -> tuple[ScopeName, ...]:
    """What is asked for when a client asks for nothing in particular."""
    return server.baseline_scopes or server.scopes


def _without_proofs(catalog: Catalog) -> Catalog:
    """`catalog` in which no token has to be bound to a key: nobody is here to prove one."""
    return replace(
        catalog,
        servers=MappingProxyType(
            {name: replace(one, dpop_required=False) for name, one in catalog.servers.items()}
        ),
        agents=MappingProxyType(
            {name: replace(one, dpop_required=False) for name, one in catalog.agents.items()}
        ),
    )


def _micros_since(started: float) -> int:
    return int((time.perf_counter() - started) * 1_000_000)
