"""Decision tables: thousands of cases, against a floor that decides the same and says nothing about it.

The floor puts the same calls to the steps that decide (`guard.rehearing`), each with a token made
beforehand; nothing is prepared, compared, counted or told. *Apart* is a case decided without remembering
what follows from catalog and policies alone. Times are of the processor, in the fastest of the runs.

    python -m benchmarks.casebook [CASES]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from remit.audit.context import Context
from remit.casebook import Case, run_tables, tables_of
from remit.casebook.bearer import applicant_of, token_of
from remit.casebook.past import TablePast
from remit.guard.call import Call
from remit.guard.definitions import NO_DEFINITIONS
from remit.guard.ports import Standing
from remit.guard.reconsider import Scenario, reconsider
from remit.guard.rehearing import Rehearing
from remit.policy import CedarEngine, DecisionPoint
from remit.repository import LoadedRepository, load_repository, write_example
from remit.testing.clock import FixedClock

RUNS = 5


def many(cases: int) -> bytes:
    """One table of refunds, each another amount, after another sum, and one of accounts at every hour."""
    refunds = [f"      - [{number % 700 + 1}, {number}]" for number in range(cases // 2)]
    accounts = [
        f"      - [{'acme' if number % 3 else 'globex'}, acc-{number}, mon {number % 24:02d}:{number % 60:02d}]"
        for number in range(cases - cases // 2)
    ]
    return "\n".join(
        [
            "defaults: { who: ann, agent: support-assistant, expect: { reason: permitted } }",
            "cases:",
            "  - name: refunds",
            "    tool: payments/refund",
            "    arguments: { invoice_id: inv-77, reason: late }",
            "    columns: [arguments.amount, history.refunded_today]",
            "    rows:",
            *refunds,
            "  - name: accounts",
            "    tool: crm/get_account",
            "    columns: [arguments.organization_id, arguments.account_id, at]",
            "    rows:",
            *accounts,
            "",
        ]
    ).encode()


def scenarios(repository: LoadedRepository, cases: list[Case]) -> list[Scenario]:
    """The calls of all cases, ready to be decided; those that come alike share a token."""
    catalog = repository.catalog
    decisions = DecisionPoint(CedarEngine.load(repository.policies, catalog), FixedClock())
    tokens = {}
    found = []
    for case in cases:
        question = case.question
        bearer = applicant_of(question, catalog)
        alike = (question.thing, question.at)
        if alike not in tokens:
            tokens[alike] = token_of(question, bearer, catalog)
        call = Call(
            server=question.server, method="tools/call", authorization=(), context=Context(),
            kind=question.kind, name=question.name, arguments=question.arguments,
        )  # fmt: skip
        found.append(
            Scenario(
                call=call,
                token=tokens[alike],
                catalog=catalog,
                standing=Standing(as_of=bearer[2]),
                definitions=NO_DEFINITIONS,
                decisions=decisions,
                now=bearer[2],
                past=TablePast(question.history),
            )
        )
    return found


def reheard(rehearing: Rehearing, one: Scenario) -> object:
    """Decide it, and no more."""
    return rehearing.decide(one.call, one.token, now=one.now, past=one.past)


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the processor, in the fastest of the runs."""
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main(count: int = 4_000) -> None:
    """Print what reading, running and deciding take."""
    with tempfile.TemporaryDirectory() as folder:
        write_example(Path(folder) / "policy", complete=True)
        repository = load_repository(Path(folder) / "policy")
    contents = {
        "tests/people.yaml": repository.contents["tests/people.yaml"],
        "tests/many.yaml": many(count),
    }
    tables = tables_of(contents)
    asked = scenarios(repository, [case for table in tables for case in table.cases])
    rehearing = Rehearing(repository.catalog, asked[0].decisions)
    took = {
        "read the tables": fastest(lambda: tables_of(contents)),
        "run them": fastest(lambda: run_tables(repository, tables)),
        "floor: decide alone": fastest(lambda: [reheard(rehearing, one) for one in asked]),
        "decide, each apart": fastest(lambda: [reconsider(one) for one in asked[: count // 4]]) * 4,
    }
    policies = len(policies_of(repository))
    sys.stdout.write(
        f"{count} cases, {policies} policies\n\n| | seconds | cases a second |\n|---|---|---|\n"
    )
    for what, seconds in took.items():
        sys.stdout.write(f"| {what} | {seconds:.2f} | {count / seconds:,.0f} |\n")


def policies_of(repository: LoadedRepository) -> tuple[str, ...]:
    """The policies that decide, by name."""
    return tuple(
        rule.id for rule in CedarEngine.load(repository.policies, repository.catalog).rules
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000)
