"""The engine that the guide writes is one, and the suite it shows runs over it."""

import re
import sys
from pathlib import Path

import pytest

from remit.policy.elsewhere import Inquiries
from remit.policy.port import EngineSettings
from remit.testing.policy_engine import PolicyEngineContract, ask

PAGE = Path(__file__).resolve().parents[2] / "docs/guides/policy-engines.md"
BLOCKS = dict(
    re.findall(r'^```python title="([^"]+)"\n(.*?)^```', PAGE.read_text(), re.DOTALL | re.MULTILINE)
)


@pytest.fixture
def written(tmp_path, monkeypatch):
    for name, text in BLOCKS.items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in BLOCKS:
        sys.modules.pop(name.removesuffix(".py"), None)


async def test_the_engine_of_the_guide_answers(written):
    found = __import__("acme_remit")
    engine = found.open_engine(EngineSettings(name="acme", url="", timeout=1.0))
    asked = (ask("crm", "get_account", {}), ask("payments", "refund", {}))
    answers = await Inquiries().answers(engine, asked, seconds=20)
    assert [one.allowed for one in answers] == [True, False]


def test_the_suite_of_the_guide_is_the_contract(written):
    found = __import__("test_acme_remit")
    assert issubclass(found.TestAcme, PolicyEngineContract)
