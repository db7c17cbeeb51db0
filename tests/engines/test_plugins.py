"""Plug-ins: the one that the repository names is loaded, and no other that is installed."""

import sys
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from remit.engines.plugins import GROUP, load_plugin
from remit.policy.port import EngineSettings, EngineUnavailableError
from tests.engines.doubles import QUESTION, declared, point

PLUGIN = """
from remit.policy import MatchedRule, RuleEffect
from remit.policy.port import Answer


class Engine:
    version = "2026.11"

    def __init__(self, settings):
        self.name = settings.name
        self.only = settings.options["only"]

    async def evaluate_all(self, evaluations):
        rule = MatchedRule(id="only", effect=RuleEffect.PERMIT)
        return [
            Answer(question=one, allowed=True, rules=(rule,))
            if one.resource.name == self.only
            else Answer(question=one, allowed=False)
            for one in evaluations
        ]

    async def close(self):
        pass


def broken(settings):
    raise RuntimeError("no licence")


def nothing(settings):
    return object()
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A distribution with plug-ins, one of which must never be touched."""
    (tmp_path / "engine_of_theirs.py").write_text(PLUGIN)
    (tmp_path / "engine_nobody_named.py").write_text("raise SystemExit('loaded')")
    info = tmp_path / "their_engine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{GROUP}]\n"
        "theirs = engine_of_theirs:Engine\n"
        "broken = engine_of_theirs:broken\n"
        "nothing = engine_of_theirs:nothing\n"
        "absent = engine_of_theirs:absent\n"
        "unnamed = engine_nobody_named:Engine\n"
        "[another.group]\n"
        "elsewhere = engine_of_theirs:Engine\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("engine_of_theirs", "engine_nobody_named"):
        sys.modules.pop(name, None)


def settings(**options):
    return EngineSettings(name="theirs", url="", timeout=1.0, options=options)


async def test_the_plug_in_that_is_named_decides_and_what_it_tells_is_recorded(installed):
    engine = declared("plugin", "", plugin="theirs", options={"only": "get_account"})
    async with point() as decisions:
        allowed = await decisions.adjudicate(replace(QUESTION, engine=engine))
        assert allowed.allowed
        assert allowed.engine == "pdp@2026.11"
        assert [rule.id for rule in allowed.rules] == ["pdp:only"]
        other = replace(QUESTION, resource=replace(QUESTION.resource, name="list_accounts"))
        assert not (await decisions.adjudicate(replace(other, engine=engine))).allowed
    assert "engine_nobody_named" not in sys.modules


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody-s", "no plug-in `nobody-s` is installed"),
        ("elsewhere", "no plug-in `elsewhere` is installed"),
        ("broken", "RuntimeError"),
        ("absent", "AttributeError"),
        ("nothing", "is no policy engine"),
    ],
)
def test_what_is_no_engine_is_said_to_be_none(installed, name, said):
    with pytest.raises(EngineUnavailableError, match=said):
        load_plugin(name, settings())


def test_a_name_that_two_packages_have_is_nobody_s(installed):
    other = installed / "another_engine-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: another-engine\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text(f"[{GROUP}]\ntheirs = engine_nobody_named:Engine\n")
    with pytest.raises(EngineUnavailableError, match="more than one plug-in"):
        load_plugin("theirs", settings(only="x"))
    assert "engine_nobody_named" not in sys.modules


def test_our_own_adapters_stand_in_the_same_group():
    root = Path(__file__).parents[2] / "pyproject.toml"
    declared_points = tomllib.loads(root.read_text())["project"]["entry-points"][GROUP]
    assert set(declared_points) == {"authzen", "cerbos"}
    for target in declared_points.values():
        module, _, name = target.partition(":")
        engine = getattr(import_module(module), name)(
            EngineSettings(name="x", url="http://127.0.0.1:1", timeout=1.0)
        )
        assert engine.name == "x"
