from pathlib import Path

from remit.api.reference import render

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "management-api.md"


def test_the_page_is_what_the_table_says():
    message = "run `python -m remit.api.reference > docs/reference/management-api.md`"
    assert PAGE.read_text(encoding="utf-8") == render(), message
