"""The house rules that a machine can check. Limits bite; the exemption lists only shrink."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "remit"
PACKAGES = ROOT / "packages"
MODULES = [
    *sorted(path for path in SOURCE.rglob("*.py") if "migrations/versions" not in str(path)),
    *sorted(PACKAGES.glob("*/src/**/*.py")),
]

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6
FORBIDDEN_WORDS = {
    "util", "utils", "helper", "helpers", "common", "misc", "core", "base", "service", "services",
    "manager", "handler", "handlers", "processor",
}  # fmt: skip

# Command-line commands declare each option as a parameter: that is how typer reads them.
PARAMETER_EXEMPT = ("cli/",)


def _name(path: Path) -> str:
    """Below the package that everything is in; of another distribution, with the name of its package."""
    if path.is_relative_to(PACKAGES):
        return "/".join(path.relative_to(PACKAGES).parts[2:])
    return str(path.relative_to(SOURCE))


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def _words(identifier: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier)
    return {word.casefold() for word in spaced.split("_") if word}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_and_functions_stay_small(path):
    lines = path.read_text().count("\n")
    assert lines <= MAX_MODULE_LINES, (
        f"{_name(path)} has {lines} lines: split it by what it decides"
    )
    for function in _functions(path):
        body_start = function.body[0]
        docstring = isinstance(body_start, ast.Expr) and isinstance(body_start.value, ast.Constant)
        first = function.body[1].lineno if docstring and len(function.body) > 1 else function.lineno
        length = (function.end_lineno or first) - first + 1
        assert length <= MAX_FUNCTION_LINES, f"{_name(path)}:{function.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_functions_take_few_parameters(path):
    if _name(path).startswith(PARAMETER_EXEMPT):
        return
    for function in _functions(path):
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        count = sum(argument.arg not in {"self", "cls"} for argument in every)
        assert count <= MAX_PARAMETERS, f"{_name(path)}:{function.name} takes {count} parameters"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_names_say_what_a_thing_decides(path):
    for part in Path(_name(path)).parts:
        assert not _words(part.removesuffix(".py")) & FORBIDDEN_WORDS, part
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            assert not _words(node.name) & FORBIDDEN_WORDS, f"{_name(path)}: {node.name}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text())), f"{_name(path)} has no docstring"


@pytest.mark.parametrize(
    "path", sorted(SOURCE.glob("*/__init__.py")), ids=lambda path: path.parent.name
)
def test_a_rooms_public_face_is_sorted_and_complete(path):
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    declared = next(
        (
            [element.value for element in node.value.elts if isinstance(element, ast.Constant)]
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "__all__"
            and isinstance(node.value, ast.List | ast.Tuple)
        ),
        [],
    )
    assert declared == sorted(declared)
    assert imported <= set(declared)


def test_sql_stands_only_in_stores():
    allowed = {"store.py", "grant_store.py", "client_store.py", "throttle.py", "doctor.py"}
    offenders = [
        _name(path)
        for path in MODULES
        if path.name not in allowed
        and not path.name.endswith("_store.py")
        and not _name(path).startswith("db/")
        and re.search(r"^(from|import) sqlalchemy", path.read_text(), re.MULTILINE)
    ]
    assert offenders == []


def test_broad_excepts_stand_only_at_doors_and_task_roots():
    """Each is listed here with its reason; a new one needs one too."""
    allowed = _exemptions("broad_excepts.txt")
    found = {
        f"{_name(path)}:{handler_owner}"
        for path in MODULES
        for handler_owner in _broad_excepts(path)
    }
    assert found - allowed == set(), "new broad except"
    assert allowed - found == set(), "exemption no longer needed: remove it"


def _broad_excepts(path: Path) -> set[str]:
    owners = set()
    for function in _functions(path):
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
                owners.add(function.name)
    return owners


def _is_broad(node: ast.expr | None) -> bool:
    if node is None:
        return True
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(isinstance(n, ast.Name) and n.id in {"Exception", "BaseException"} for n in names)


def _exemptions(name: str) -> set[str]:
    text = (Path(__file__).parent / name).read_text()
    return {line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()}
