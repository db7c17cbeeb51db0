"""What the guard loads, seen at run time: an import linter does not see a leak through `__init__`."""

import subprocess
import sys

import pytest

HEAVY = ["sqlalchemy", "starlette", "fastapi", "mcp", "uvicorn", "jinja2", "alembic", "psycopg"]
ROOMS = [
    "remit.db",
    "remit.web",
    "remit.secrets",
    "remit.tokens.store",
    "remit.oauth",
    "remit.gateway",
]


@pytest.mark.parametrize("module", ["remit.guard", "remit.policy", "remit.tokens"])
def test_importing_it_loads_no_database_no_page_and_no_door(module):
    program = f"import {module}, sys; print('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert module in loaded
    assert loaded & {*HEAVY, *ROOMS} == set()
