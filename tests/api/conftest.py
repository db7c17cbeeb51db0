"""A whole Remit, open in this process, and its management API."""

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from remit.app import App, build
from remit.repository import write_example
from remit.settings import Settings

ISSUER = "http://127.0.0.1:8600"
SECRET = "a-secret-for-the-billing-job-of-the-example"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def environ() -> dict[str, str]:
    return {"REMIT_BILLING_JOB_SECRET": SECRET}


@pytest.fixture(scope="session")
def _opened_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a migrated database and its keys: a third of the time of a first start."""
    folder = tmp_path_factory.mktemp("opened")
    write_example(folder / "policy")

    async def once() -> None:
        async with build(Settings(repo=folder / "policy", data=folder / "data"), environ={}):
            pass

    asyncio.run(once())
    return folder / "data"


@pytest.fixture
def settings(tmp_path: Path, _opened_once: Path) -> Settings:
    write_example(tmp_path / "policy")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    for name in ("remit.sqlite3", "master.key"):
        shutil.copy(_opened_once / name, data / name)
    return Settings(repo=tmp_path / "policy", data=data)


@pytest.fixture
async def app(settings: Settings, environ: dict[str, str]) -> AsyncIterator[App]:
    async with build(settings, environ=environ) as opened:
        yield opened


@pytest.fixture
async def management(app: App) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app.management)
    async with httpx2.AsyncClient(transport=transport, base_url="http://remit") as client:
        yield client


@pytest.fixture
async def public(app: App) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app.asgi)
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


@pytest.fixture
async def grant(public: httpx2.AsyncClient) -> str:
    """An access token of the billing job; its grant is the only one there is."""
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    answer = await public.post(
        "/token",
        headers={"Authorization": f"Basic {credentials}"},
        data={"grant_type": "client_credentials", "resource": f"{ISSUER}/mcp/payments"},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.fixture
def dana() -> dict[str, object]:
    return {"username": "Dana", "tenant": "acme", "roles": ["support"], "password": PASSWORD}
