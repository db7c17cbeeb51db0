"""Three lines protect a server, and cost it nothing before it starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from remit.guard import Protected, protect

GOLDEN = Path(__file__).with_name("imports.txt")
GOOD = {"remit": "https://remit.example", "name": "crm", "secret": "s"}


async def application(scope, receive, send):
    """Any ASGI application."""


def test_importing_it_loads_exactly_what_the_golden_file_says():
    program = (
        "import sys; before = set(sys.modules)\n"
        "from remit.guard import protect\n"
        "new = {one.partition('.')[0] for one in set(sys.modules) - before}\n"
        "print(*sorted(new - sys.stdlib_module_names), sep='\\n')"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == GOLDEN.read_text()


def test_what_runs_in_a_server_loads_no_database_and_no_server_of_ours():
    program = "import remit.embedded, sys; print(*sys.modules, sep='\\n')"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {one.partition(".")[0] for one in result.stdout.split()}
    assert not loaded & {"sqlalchemy", "alembic", "psycopg", "mcp", "fastmcp", "fastapi", "uvicorn"}
    assert "remit.oauth" not in result.stdout.split()


def test_an_application_is_taken_as_it_is():
    assert isinstance(protect(application, **GOOD), Protected)


@pytest.mark.parametrize("maker", ["streamable_http_app", "http_app"])
def test_a_server_of_a_library_is_asked_for_its_application(maker):
    asked = []

    class Server:
        pass

    server = Server()
    setattr(server, maker, lambda: asked.append(maker) or application)
    protect(server, **GOOD)
    assert asked == [maker]


def test_what_is_neither_is_refused():
    with pytest.raises(TypeError, match="neither an MCP server nor"):
        protect(object(), **GOOD)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"secret": ""}, "secret"),
        ({"remit": "http://remit.example"}, "neither https nor on loopback"),
        ({"remit": "http://127.0.0.1.evil.example"}, "neither https nor on loopback"),
        ({"remit": "http://localhost@evil.example"}, "neither https nor on loopback"),
        ({"remit": "http://localhost:\n@evil.example"}, "neither https nor on loopback"),
        ({"remit": "remit.example"}, "neither https nor on loopback"),
    ],
)
def test_what_would_send_the_secret_in_the_clear_is_refused(changed, match):
    with pytest.raises(ValueError, match=match):
        protect(application, **{**GOOD, **changed})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8600", "http://localhost", "http://[::1]:80/x"])
def test_loopback_needs_no_certificate(url):
    assert protect(application, **{**GOOD, "remit": url})
