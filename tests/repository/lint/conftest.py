from collections.abc import Callable

import pytest

from remit.repository.folder import read_files
from remit.repository.lint import Remark, lint
from remit.repository.loading import examine
from tests.repository.conftest import Repository

Said = Callable[..., list[str]]

SCOPES = """\
crm:accounts.read: {title: Read, description: Read accounts.}
crm:accounts.write: {title: Write, description: Write accounts.}
crm:accounts.delete: {title: Delete, description: Delete accounts.}
crm:notes.read: {title: Notes, description: Read notes.}
"""
ROLES = """\
roles:
  support: {scopes: [crm:accounts.read, crm:accounts.write, crm:accounts.delete, crm:notes.read]}
"""
SERVER = """\
title: CRM
owner: crm@acme.example
shared: true
environment: prod
upstream: {http: {url: 'https://crm.example/mcp'}}
tools:
  get: {operation: read, scopes: [crm:accounts.read], sensitivity: low}
  put: {operation: write, scopes: [crm:accounts.write], sensitivity: low}
  drop: {operation: delete, scopes: [crm:accounts.delete], sensitivity: medium}
  notes: {operation: read, scopes: [crm:notes.read], sensitivity: low}
"""
AGENT = """\
name: Helper
owner: lead@acme.example
class: assistant
scopes: [crm:accounts.read, crm:accounts.write, crm:accounts.delete, crm:notes.read]
environments: [prod]
tenants: [acme]
"""


@pytest.fixture
def tidy(repository: Repository) -> Repository:
    """A repository on which there is nothing to remark."""
    repository.write("scopes.yaml", SCOPES).write("roles.yaml", ROLES)
    return repository.write("servers/crm.yaml", SERVER).write("agents/helper.yaml", AGENT)


def look(repository: Repository, stages: tuple[str | None, ...] = (None,)) -> list[Remark]:
    files = read_files(repository.path)
    found = [examine(files, stage=one, check=lambda _sources, _declared: []) for one in stages]
    return lint(found, stages=stages)


@pytest.fixture
def said() -> Said:
    """Every remark as `code file:line message`."""

    def told(repository: Repository, *stages: str | None) -> list[str]:
        return [
            f"{one.code} {one.problem.file}:{one.problem.line} {one.problem.message}"
            for one in look(repository, stages or (None,))
        ]

    return told
