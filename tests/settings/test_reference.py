from pathlib import Path

from remit.settings.model import SECRET_VARIABLES, Settings
from remit.settings.reference import render

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_the_page_is_what_the_model_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "run `python -m remit.settings.reference > docs/reference/settings.md`"
    )


def test_every_setting_and_every_secret_is_on_the_page() -> None:
    page = render()
    for name in Settings.model_fields:
        assert f"| `{name}` | `REMIT_{name.upper()}` | `--{name.replace('_', '-')}` |" in page
    for name in SECRET_VARIABLES:
        assert f"| `{name}` |" in page


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
