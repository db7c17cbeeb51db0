"""Installations of Remit without their doors: what is in force, judged and proposed for real, on both databases."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from remit.app.bundle_book import BundleBook, Shelf
from remit.app.in_force import InForce
from remit.app.landmark import landmark_in
from remit.app.trial_desk import TrialDesk
from remit.audit.context import Actor, ActorType, Context
from remit.audit.file_source import FileSource
from remit.audit.record_seal import RecordKeys
from remit.clock import EpochSeconds
from remit.db import Database
from remit.deployment import Bundle, DeploymentDeps, How, Person, Proposal, Wish, bundle_of, propose
from remit.deployment.judging import Court, judge_by
from remit.deployment.loaded import LoadedPolicies, load_bundle
from remit.deployment.sealing import InstallationKey, PublisherKeys, installation_key
from remit.guard import Standing
from remit.identity import User
from remit.identity.store import add_user
from remit.ids import TenantId, UserId
from remit.policy import DecisionPoint
from remit.registry import RegistryDirectory
from remit.secrets import MasterKey, SecretBox
from remit.testing.audit import InMemoryAuditLog
from remit.testing.clock import FixedClock

FILES = {
    "remit.yaml": """\
version: 1
tenants:
  acme: {name: Acme, time_zone: America/New_York}
environments: [prod]
stages: [staging, prod]
deployment: {}
""",
    "scopes.yaml": """\
crm:accounts.read: {title: Read, description: Read accounts., sensitivity: low}
crm:accounts.write: {title: Write, description: Write accounts., sensitivity: critical}
""",
    "roles.yaml": """\
roles:
  support: {scopes: [crm:accounts.read]}
  reviewer: {scopes: ['remit:policy.approve']}
""",
    "servers/crm.yaml": """\
title: CRM
owner: crm@acme.example
shared: true
environment: prod
pinning: 'off'
upstream: {http: {url: 'https://crm.example/mcp'}}
tools:
  get: {operation: read, scopes: [crm:accounts.read], sensitivity: low}
  set: {operation: write, scopes: [crm:accounts.write], sensitivity: critical}
""",
    "agents/helper.yaml": """\
name: Helper
owner: lead@acme.example
class: assistant
scopes: [crm:accounts.read]
environments: [prod]
tenants: [acme]
""",
    "policies/all.cedar": '@id("all")\npermit (principal, action, resource);\n',
}
FORBID = {"policies/none.cedar": '@id("none")\nforbid (principal, action, resource);\n'}
CALM = {**FORBID, "policies/less.cedar": '@id("less")\nforbid (principal, action, resource);\n'}
"""Narrower still: nobody has to look at it."""
RULES = "deployment: {}"
ADA, BOB, EVE = (Person(f"usr_{one}", (f"user:usr_{one}",)) for one in ("ada", "bob", "eve"))
WIDER_AGENT = FILES["agents/helper.yaml"].replace(
    "[crm:accounts.read]", "[crm:accounts.read, crm:accounts.write]"
)
WIDER = {"agents/helper.yaml": WIDER_AGENT}
"""Lets an agent do more with a scope that is critical."""


def bundle(changes: dict[str, str] | None = None, *, rules: str | None = None) -> Bundle:
    """The small repository, changed."""
    changed = {**FILES, **(changes or {})}
    if rules is not None:
        changed["remit.yaml"] = changed["remit.yaml"].replace(RULES, f"deployment: {{{rules}}}")
    return bundle_of({path: text.encode() for path, text in changed.items()})


def context_of(person: Person) -> Context:
    return Context(actor=Actor(ActorType.ADMIN, person.name))


@dataclass
class Process:
    """One process of an installation."""

    deps: DeploymentDeps
    book: BundleBook
    desk: TrialDesk
    in_force: InForce
    directory: RegistryDirectory
    decisions: DecisionPoint
    log: InMemoryAuditLog
    clock: FixedClock

    @property
    def bundle(self) -> str:
        """What decides here."""
        assert self.directory.catalog is self.in_force.loaded.catalog
        assert self.decisions.engine is self.in_force.loaded.engine
        return self.in_force.loaded.bundle

    def shelf_version(self, wanted: Bundle) -> str:
        """What decisions under `wanted` call it."""
        return load_bundle(wanted, stage=self.deps.stage or None).catalog.version

    async def apply(
        self, wanted: Bundle, by: Person = ADA, *, how: How = How.APPLY, share: int | None = None
    ) -> Proposal:
        wish = Wish(bundle=wanted, how=how, share=share)
        return await propose(self.deps, wish, by=by, context=context_of(by))


Start = Callable[..., Process]


@pytest.fixture
def box() -> SecretBox:
    return SecretBox(MasterKey(bytes(range(32))))


@pytest.fixture
def key(database: Database, box: SecretBox) -> InstallationKey:
    return database.run_now(lambda tx: installation_key(tx, box, EpochSeconds(1)))


@pytest.fixture
def accounts(database: Database) -> None:
    """Everybody here may approve."""
    for person in (ADA, BOB, EVE):
        account = User(
            id=UserId(person.name),
            tenant=TenantId("acme"),
            username=person.name.removeprefix("usr_"),
            display_name="",
            roles=("reviewer",),
            attributes={},
            created_at=EpochSeconds(1),
        )
        database.run_now(lambda tx, one=account: add_user(tx, one, password_hash="x"))


@pytest.fixture
def start(database: Database, key: InstallationKey, tmp_path: Path, accounts: None) -> Start:
    """Starts a process on the database, its folder being `folder`; several make an installation of several."""
    audit = tmp_path / "audit"
    audit.mkdir()

    def started(
        folder: Bundle | None = None,
        *,
        stage: str | None = None,
        publishers: PublisherKeys | None = None,
        clock: FixedClock | None = None,
        instance: str = "main",
        on: Database = database,
        signs: InstallationKey = key,
    ) -> Process:
        clock = clock or FixedClock()
        loaded: LoadedPolicies = load_bundle(folder or bundle(), stage=stage)
        directory = RegistryDirectory(loaded.catalog, Standing(as_of=EpochSeconds(0)))
        decisions = DecisionPoint(loaded.engine, clock)
        log = InMemoryAuditLog()
        in_force = InForce(
            loaded, directory=directory, decisions=decisions, audit=log, resolve_secret=str
        )
        desk = TrialDesk(
            on,
            signs,
            instance=instance,
            clock=clock,
            decide_by=lambda engine: DecisionPoint(engine, clock),
        )
        shelf = Shelf(on, signs, stage=stage)
        folder_of_its_own = tmp_path / instance
        folder_of_its_own.mkdir(exist_ok=True)
        book = BundleBook(
            shelf,
            in_force,
            desk=desk,
            landmark=landmark_in(folder_of_its_own, signs),
            activation=None,
            folder_decides=False,
        )
        deps = DeploymentDeps(
            database=on,
            key=signs,
            publishers=publishers or PublisherKeys(),
            judge=judge_by(
                Court(
                    source=FileSource(audit),
                    data=audit.parent,
                    record_keys=lambda: RecordKeys(bytes(32)),
                    clock=clock,
                )
            ),
            load=shelf.load,
            refresh=book.refresh,
            clock=clock,
            stage=stage or "",
            url="https://remit.example",
        )
        return Process(deps, book, desk, in_force, directory, decisions, log, clock)

    return started


@pytest.fixture
def process(start: Start) -> Process:
    return start()


def without_replay(deps: DeploymentDeps, judge: object) -> DeploymentDeps:
    """`deps`, judged by `judge`."""
    return replace(deps, judge=judge)
