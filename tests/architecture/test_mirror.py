"""Tests mirror the source: who looks for the tests of a module finds them, and the other way round."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "remit"
TESTS = ROOT / "tests"

PACKAGES = ROOT / "packages"

# Folders of tests that mirror no room.
OWN = {"architecture", "conformance", "contracts", "e2e", "node", "vectors", "docs", "migrations"}


def test_every_test_file_of_a_room_names_a_module_or_a_subject_of_it():
    """`tests/<room>/test_<module>.py`; `test_<room>_*.py` and files listed in `OWN_SUBJECTS` speak of several."""
    strangers = []
    for path in sorted(TESTS.glob("*/test_*.py")):
        room = path.parent.name
        if room in OWN:
            continue
        stem = path.stem.removeprefix("test_")
        folder = SOURCE if room == "pavement" else SOURCE / room
        modules = {m.stem for m in folder.glob("**/*.py" if room != "pavement" else "*.py")}
        packages = {m.name for m in (SOURCE / room).rglob("*") if m.is_dir()}
        if stem not in modules | packages and f"{room}/{stem}" not in _own_subjects():
            strangers.append(f"{room}/{path.name}")
    assert strangers == []


def test_every_module_with_behaviour_has_its_tests():
    missing = []
    for path in sorted(SOURCE.rglob("*.py")):
        relative = path.relative_to(SOURCE)
        if path.name in {"__init__.py", "__main__.py"} or "migrations" in relative.parts:
            continue
        room = relative.parts[0] if len(relative.parts) > 1 else "pavement"
        if str(relative) in _untested():
            continue
        candidates = list((TESTS / room).rglob(f"test_{path.stem}.py"))
        if not candidates:
            missing.append(str(relative))
    assert missing == []


def test_every_distribution_of_its_own_has_its_tests_beside_it():
    """`packages/<distribution>/tests/test_<module>.py`, one to one, with the same two lists of exceptions."""
    missing, strangers = [], []
    for package in sorted(PACKAGES.glob("*/src/*/__init__.py")):
        room, tests = package.parent.name, package.parents[2] / "tests"
        modules = {path.stem for path in package.parent.glob("*.py")}
        missing += [
            f"{room}/{stem}.py"
            for stem in sorted(modules - {"__init__", "__main__"})
            if not (tests / f"test_{stem}.py").exists() and f"{room}/{stem}.py" not in _untested()
        ]
        strangers += [
            f"{room}/{path.name}"
            for path in sorted(tests.glob("test_*.py"))
            if path.stem.removeprefix("test_") not in modules
            and f"{room}/{path.stem.removeprefix('test_')}" not in _own_subjects()
        ]
    assert (missing, strangers) == ([], [])
    assert list(PACKAGES.glob("*/src/*/__init__.py")) != []


def _own_subjects() -> set[str]:
    return _lines("own_subjects.txt")


def _untested() -> set[str]:
    return _lines("tested_elsewhere.txt")


def _lines(name: str) -> set[str]:
    text = (Path(__file__).parent / name).read_text()
    return {line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()}
