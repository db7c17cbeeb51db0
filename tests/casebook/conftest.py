"""The two example repositories, loaded once, and tables run over them."""

from collections.abc import Callable

import pytest

from remit.casebook import Report, Result, run_tables, tables_of
from remit.repository import LoadedRepository, load_repository, write_example

PEOPLE = """\
people:
  ann: { tenant: acme, roles: [support] }
  sam: { tenant: acme, attributes: { department: sales, title: Sales Manager } }
  kim: { tenant: globex, roles: [support] }
"""

Run = Callable[[str], Report]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> LoadedRepository:
    folder = tmp_path_factory.mktemp("small") / "policy"
    write_example(folder)
    return load_repository(folder)


@pytest.fixture(scope="session")
def complete(tmp_path_factory: pytest.TempPathFactory) -> LoadedRepository:
    folder = tmp_path_factory.mktemp("complete") / "policy"
    write_example(folder, complete=True)
    return load_repository(folder)


@pytest.fixture
def run(example: LoadedRepository) -> Run:
    """Run a file of tables, to which three people are known, over the small example."""

    def run_text(text: str) -> Report:
        contents = {"tests/people.yaml": PEOPLE.encode(), "tests/some.yaml": text.encode()}
        return run_tables(example, tables_of(contents))

    return run_text


@pytest.fixture
def one(run: Run) -> Callable[[str], Result]:
    """Run one case, given as the lines below its name, for ann through the support assistant."""

    def run_case(text: str) -> Result:
        lines = "".join(f"    {line}\n" for line in text.strip().splitlines())
        table = (
            f"defaults: {{ who: ann, agent: support-assistant }}\ncases:\n  - name: one\n{lines}"
        )
        (result,) = run(table).results
        return result

    return run_case
