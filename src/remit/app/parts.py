"""What several doors share, opened once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from remit import identity
from remit.app.access_wiring import open_access
from remit.app.approvals_wiring import Asking, open_asking
from remit.app.beginning import Beginning
from remit.app.bundle_book import BundleBook, Shelf
from remit.app.copies import Copies, open_copies
from remit.app.definitions import DefinitionBook
from remit.app.in_force import InForce
from remit.app.key_refresh import KeyRefresh
from remit.app.log_proofs import LogProofs, open_proofs
from remit.app.secret_refresh import SecretRefresh
from remit.app.standing import StandingRefresh
from remit.app.stores import Stores
from remit.app.telling import Telling, open_telling
from remit.app.trial_desk import TrialDesk
from remit.approvals.access_desk import AccessDesk
from remit.clock import Clock, Seconds
from remit.deployment.sealing import InstallationKey
from remit.engines import EngineConnections
from remit.guard import Guard, GuardSettings
from remit.guard.networks import Zones
from remit.guard.remote_copy import CopyGate
from remit.history import DatabasePast
from remit.policy import CedarEngine, DecisionPoint
from remit.registry import RegistryDirectory
from remit.settings import Policies, Settings
from remit.tokens import KeySet, TokenVerifier
from remit.tokens.rotation import open_keys
from remit.web import Site, site_at

__all__ = ["Parts", "open_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the doors are made of."""

    settings: Settings
    stores: Stores
    site: Site
    directory: RegistryDirectory
    decisions: DecisionPoint
    engines: EngineConnections
    keys: KeySet
    key_refresh: KeyRefresh
    secret_refresh: SecretRefresh
    definitions: DefinitionBook
    in_force: InForce
    shelf: Shelf
    desk: TrialDesk
    book: BundleBook
    policy_key: InstallationKey
    verifier: TokenVerifier
    guard: Guard
    refresh: StandingRefresh
    past: DatabasePast
    asking: Asking
    access: AccessDesk
    telling: Telling
    copies: Copies
    proofs: LogProofs
    passwords: identity.Passwords
    clock: Clock
    stopping: asyncio.Event


async def open_parts(
    settings: Settings,
    stores: Stores,
    directory: RegistryDirectory,
    *,
    began: Beginning,
    clock: Clock,
) -> Parts:
    """Make them of what is open already.

    Raises:
        Error: a signing key cannot be opened.
    """
    keys = await open_keys(stores.database, stores.box, clock)
    verifier = TokenVerifier(keys, settings.issuer, clock)
    engines = EngineConnections(stores.resolve_secret)
    engine_asked = stores.metrics.engine_asked
    decisions = DecisionPoint(began.loaded.engine, clock, engines, inquired=engine_asked)
    in_force = InForce(
        began.loaded,
        directory=directory,
        decisions=decisions,
        audit=stores.audit,
        resolve_secret=stores.resolve_secret,
    )
    shelf, desk, book = _bundles(
        settings,
        stores,
        in_force,
        began=began,
        clock=clock,
        decide_by=lambda engine: DecisionPoint(engine, clock, engines, inquired=engine_asked),
    )
    past = DatabasePast(stores.database)
    refresh = StandingRefresh(
        stores.database, directory.publish, clock=clock, metrics=stores.metrics
    )
    copies = open_copies(stores, directory, instance=settings.instance, clock=clock)
    asking = open_asking(stores, directory, public_url=settings.issuer, clock=clock)
    guard_settings = _guard_settings(
        settings, past, desk, asking, copy_gate=copies.gate, log_name=stores.log_name
    )
    return Parts(
        settings=settings,
        stores=stores,
        site=_site(settings, directory),
        directory=directory,
        decisions=decisions,
        engines=engines,
        keys=keys,
        key_refresh=_key_refresh(stores, keys, directory, clock),
        secret_refresh=SecretRefresh(stores.database, stores.box, stores.resolve_secret),
        definitions=_definitions(stores, directory, desk, clock),
        in_force=in_force,
        shelf=shelf,
        desk=desk,
        book=book,
        policy_key=began.key,
        verifier=verifier,
        guard=_guard(stores, directory, verifier, decisions, settings=guard_settings),
        refresh=refresh,
        past=past,
        asking=asking,
        access=open_access(stores, directory, asking, refresh=refresh, clock=clock),
        copies=copies,
        proofs=open_proofs(stores, directory, clock),
        telling=open_telling(stores, directory, public_url=settings.issuer, clock=clock),
        passwords=identity.Passwords(),
        clock=clock,
        stopping=asyncio.Event(),
    )


def _site(settings: Settings, directory: RegistryDirectory) -> Site:
    return site_at(
        settings.issuer,
        trusted_proxies=settings.trusted_proxies,
        zones=Zones(directory).of,
    )


def _guard(
    stores: Stores,
    directory: RegistryDirectory,
    verifier: TokenVerifier,
    decisions: DecisionPoint,
    *,
    settings: GuardSettings,
) -> Guard:
    return Guard(
        verifier,
        directory,
        decisions=decisions,
        audit=stores.audit,
        redactor=stores.redactor,
        settings=settings,
    )


def _definitions(
    stores: Stores, directory: RegistryDirectory, desk: TrialDesk, clock: Clock
) -> DefinitionBook:
    return DefinitionBook(
        stores.database,
        directory,
        clock=clock,
        metrics=stores.metrics,
        also=lambda: desk.catalog,
    )


def _key_refresh(
    stores: Stores, keys: KeySet, directory: RegistryDirectory, clock: Clock
) -> KeyRefresh:
    return KeyRefresh(
        stores.database,
        stores.box,
        keys,
        clock=clock,
        lifetime=lambda: directory.catalog.issuer.signing_key_lifetime,
    )


def _guard_settings(
    settings: Settings,
    past: DatabasePast,
    desk: TrialDesk,
    asking: Asking,
    *,
    copy_gate: CopyGate,
    log_name: str,
) -> GuardSettings:
    return GuardSettings(
        public_url=settings.issuer,
        standing_max_age=Seconds(settings.standing_max_age),
        past=past,
        trial=desk.world_of,
        tally=desk.count,
        elevations=asking.elevations,
        log_name=log_name,
        copy_gate=copy_gate,
    )


def _bundles(
    settings: Settings,
    stores: Stores,
    in_force: InForce,
    *,
    began: Beginning,
    clock: Clock,
    decide_by: Callable[[CedarEngine], DecisionPoint],
) -> tuple[Shelf, TrialDesk, BundleBook]:
    """What follows the database: the bundles in it, the one on trial, the one in force."""
    database, key = stores.database, began.key
    shelf = Shelf(database, key, stage=settings.stage)
    desk = TrialDesk(database, key, instance=settings.instance, clock=clock, decide_by=decide_by)
    book = BundleBook(
        shelf,
        in_force,
        desk=desk,
        landmark=began.landmark,
        activation=began.activation,
        folder_decides=settings.policies is Policies.FOLDER,
    )
    return shelf, desk, book
