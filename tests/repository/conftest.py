from dataclasses import dataclass
from pathlib import Path

import pytest

from remit.documents import Problem
from remit.model import Catalog
from remit.repository import Findings, check_repository, load_repository

FILES = {
    "remit.yaml": """\
version: 1
tenants:
  acme: {name: Acme, time_zone: America/New_York}
  globex: {name: Globex, time_zone: Europe/Berlin}
environments: [dev, prod]
""",
    "scopes.yaml": """\
crm:accounts.read: {title: Read, description: Read accounts.}
crm:accounts.write: {title: Write, description: Write accounts.}
""",
    "roles.yaml": """\
roles:
  support: {scopes: [crm:accounts.read]}
""",
    "servers/crm.yaml": """\
title: CRM
owner: crm@acme.example
shared: true
environment: prod
upstream: {http: {url: 'https://crm.example/mcp'}}
tools:
  get:
    operation: read
    scopes: [crm:accounts.read]
    sensitivity: low
""",
    "agents/helper.yaml": """\
name: Helper
owner: lead@acme.example
class: assistant
scopes: [crm:accounts.read]
environments: [prod]
tenants: [acme]
""",
    "policies/all.cedar": '@id("all") permit (principal, action, resource);\n',
}


@dataclass(frozen=True)
class Repository:
    """A small policy repository on disk. Policies are not checked here: that is the policy room's."""

    path: Path

    def write(self, name: str, text: str) -> "Repository":
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return self

    def edit(self, name: str, old: str, new: str) -> "Repository":
        text = (self.path / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        return self.write(name, text.replace(old, new))

    def append(self, name: str, text: str) -> "Repository":
        return self.write(name, (self.path / name).read_text(encoding="utf-8") + text)

    def findings(self) -> Findings:
        return check_repository(self.path, check=lambda _sources, _catalog: [])

    def problems(self) -> list[Problem]:
        return list(self.findings().problems)

    def said(self) -> list[str]:
        """Each problem as `file:line message`."""
        return [f"{one.file}:{one.line} {one.message}" for one in self.problems()]

    def catalog(self) -> Catalog:
        return load_repository(self.path, check=lambda _sources, _catalog: []).catalog


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "policy")
    for name, text in FILES.items():
        made.write(name, text)
    return made
