import re
from pathlib import Path

import pytest

from remit.documents import render_problems
from remit.repository import check_repository, json_schemas, write_example
from remit.repository.reference import PAGES, main, refresh_page, schema_bytes, tables

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "policy-repository.md").read_text(encoding="utf-8")
ALL = {name: (REFERENCE / name).read_text(encoding="utf-8") for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_models_say(name: str) -> None:
    """When this fails: `python -m remit.repository.reference`."""
    assert refresh_page(ALL[name]) == ALL[name]


def test_the_schemas_are_what_the_models_say() -> None:
    """When this fails: `python -m remit.repository.reference`."""
    written = {path.name: path.read_bytes() for path in (REFERENCE / "schemas").iterdir()}
    assert written == {name: schema_bytes(schema) for name, schema in json_schemas().items()}


def test_the_pages_have_the_tables_of_every_kind_of_file() -> None:
    assert set(re.findall(r"<!-- keys: (\w+) -->", "".join(ALL.values()))) == set(tables())


def test_every_key_says_what_it_is() -> None:
    rows = [
        row for table in tables().values() for row in table.splitlines() if row.startswith("| `")
    ]
    assert len(rows) > 60
    assert [row for row in rows if row.endswith("|  |")] == []


@pytest.mark.parametrize("page", ALL.values(), ids=ALL)
def test_every_link_within_a_page_leads_to_a_heading(page: str) -> None:
    anchors = {
        heading.lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([a-z-]+)\)", page)) <= anchors


def test_the_report_on_the_page_is_what_a_check_says(tmp_path: Path) -> None:
    write_example(tmp_path / "policy")
    crm = tmp_path / "policy" / "servers" / "crm.yaml"
    first, tools, rest = crm.read_text(encoding="utf-8").partition("\n  get_account:\n")
    rest = rest.replace("[crm:accounts.read]", "[crm:account.read]", 1)
    crm.write_text(first + tools + rest, encoding="utf-8")
    report = render_problems(check_repository(tmp_path / "policy").problems).plain
    assert f"```\n{report}\n```" in PAGE, report


def test_a_place_for_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        refresh_page("<!-- keys: nothing -->\n<!-- end -->\n")


def test_the_command_brings_a_folder_up_to_date(tmp_path: Path) -> None:
    page = tmp_path / "policy-repository.md"
    page.write_text(
        "before\n<!-- keys: roles -->\nout of date\n<!-- end -->\nafter\n", encoding="utf-8"
    )
    assert main([str(tmp_path)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "out of date" not in text
    assert "| `attributes` |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert len(list((tmp_path / "schemas").iterdir())) == len(json_schemas())
