from pathlib import Path

from remit.repository.kinds import KINDS
from remit.repository.lint.reference import render

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "lint.md"


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "run `python -m remit.repository.lint.reference > docs/reference/lint.md`"
    )


def test_every_code_has_a_heading_to_link_to():
    text = render()
    assert all(f"\n### {code}\n" in text for code in KINDS)
