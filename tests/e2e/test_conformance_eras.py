"""The official conformance suite's server checks of one era, through Remit, in front of a server of the other.

What cannot pass is written here, with the reason, and in docs/reference/eras.md.
"""

import secrets
import sys
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from remit.demo.stage import _process, _remit, _until_listening, _until_ready, free_port
from tests.e2e.servers import one_era_everything
from tests.e2e.test_conformance_server import (
    HEADERS,
    SCORED,
    _bearer,
    fixture_names,
    judge,
    token,
    write_repository,
)

pytestmark = [pytest.mark.e2e, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

FIXTURES = str(Path(one_era_everything.__file__).resolve())
NO_NAMES = frozenset({
    # A server of sessions does not name its questions, and the suite looks for names of its own.
    "input-required-result-basic-elicitation", "input-required-result-non-tool-request",
    # It asks one thing at a time, and the suite wants three in one result.
    "input-required-result-multiple-input-requests",
})  # fmt: skip
OF_THE_SUITE = ("2026-07-28", "legacy"), ("2025-11-25", "modern")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(tmp_path_factory):
    """The URL of a Remit with the fixtures of each era behind it, as its bearer sees it."""
    folder = tmp_path_factory.mktemp("eras")
    ports = {era: free_port() for era in ("legacy", "modern")}
    remit, outside = free_port(), free_port()
    repository = folder / "policy"
    write_repository(repository, await fixture_names(), ports["legacy"])
    server = yaml.safe_load((repository / "servers/by-http.yaml").read_text())
    for era, port in ports.items():
        reached = {"upstream": {"http": {"url": f"http://127.0.0.1:{port}/mcp"}}}
        (repository / f"servers/{era}.yaml").write_text(yaml.safe_dump(server | reached))
    for name in ("by-http", "by-stdio"):
        (repository / f"servers/{name}.yaml").unlink()
    secret, url = secrets.token_urlsafe(24), f"http://localhost:{outside}"
    serve = _remit(
        "serve", "--repo", str(repository), "--data", str(folder / "data"),
        "--port", str(remit), "--public-url", url,
    )  # fmt: skip
    old, new = ([sys.executable, FIXTURES, era, "--port", str(port)] for era, port in ports.items())
    async with (
        _process(old, folder / "legacy.log", {}),
        _process(new, folder / "modern.log", {}),
        _process(serve, folder / "remit.log", {"SUITE_SECRET": secret}) as process,
        _bearer(outside, remit) as bearer,
    ):
        await _until_ready(f"{url}/readyz", process, folder / "remit.log")
        for era, port in ports.items():
            await _until_listening(port, folder / f"{era}.log")
            bearer.tokens[f"/mcp/{era}"] = await token(url, secret, f"{url}/mcp/{era}")
        yield url


@pytest.mark.parametrize(("requirements", "server"), OF_THE_SUITE)
async def test_every_scored_scenario_that_can_pass_does(gateway, tmp_path, requirements, server):
    verdict = await judge(f"{gateway}/mcp/{server}", requirements, tmp_path / "results")
    scored = verdict.passed.keys() - verdict.unscored
    failed = {name for name, passed in verdict.passed.items() if not passed} & scored
    assert len(scored) == SCORED[requirements], verdict.output
    assert failed == (NO_NAMES if server == "legacy" else set()), verdict.output
    if requirements == "2026-07-28":
        assert {name: verdict.checks[name] for name in HEADERS} == HEADERS, verdict.output
