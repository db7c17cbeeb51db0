"""The lines that the guide says protect a server do."""

import re
from pathlib import Path

import pytest

from remit.guard import Protected

PAGE = Path(__file__).resolve().parents[2] / "docs/guides/guard.md"
BLOCKS = re.findall(
    r'^```python title="([^"]+)"\n(.*?)^```', PAGE.read_text(), re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize(("name", "text"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_an_example_of_the_guide_gives_a_protected_application(name, text, monkeypatch):
    monkeypatch.setenv("CRM_GUARD_SECRET", "a-secret")
    found = {}
    exec(compile(text, name, "exec"), found)  # our own page
    assert isinstance(found["app"], Protected)


def test_every_kind_of_server_has_its_example():
    assert [name for name, _ in BLOCKS] == ["sdk.py", "fast.py", "asgi.py"]
