"""The ledger: each MUST we claim names its tests, and each test it names exists."""

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEDGER = sorted((Path(__file__).parent / "requirements").glob("*.toml"))


def _lines() -> list[tuple[str, str, dict[str, object]]]:
    return [
        (path.stem, identifier, entry)
        for path in LEDGER
        for identifier, entry in tomllib.loads(path.read_text()).items()
    ]


@cache
def _functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize(
    ("ledger", "identifier", "entry"), _lines(), ids=lambda value: str(value)[:40]
)
def test_each_claimed_requirement_names_tests_that_exist(ledger, identifier, entry):
    assert entry["text"], identifier
    assert entry["source"], identifier
    assert entry["tests"], f"{identifier} in {ledger} is claimed without a test"
    for reference in entry["tests"]:
        file, _, function = str(reference).partition("::")
        path = ROOT / file
        assert path.is_file(), f"{identifier}: no file {file}"
        if function:
            assert function.split("[")[0].split("::")[-1] in _functions(path), (
                f"{identifier}: no test {reference}"
            )


def test_the_lists_of_the_authorization_server_the_gateway_and_clients_are_covered():
    """The measure: all of AS, RS and CL in the list, but for what stands in `deferred.toml`."""
    claimed = {identifier for _, identifier, _ in _lines()}
    deferred = tomllib.loads((Path(__file__).parent / "deferred.toml").read_text())
    measure = (
        {f"AS-{n:02}" for n in (*range(1, 58), *range(60, 76))}
        | {f"RS-{n:02}" for n in (*range(1, 11), *range(20, 28), *range(30, 48), *range(50, 54))}
        | {f"CL-{n:02}" for n in range(1, 18)}
    )
    assert measure - claimed - set(deferred) == set()
    assert claimed & set(deferred) == set(), "claimed and deferred at once"
