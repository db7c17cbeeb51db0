"""Where the rooms meet: everything is opened in the order it stands here, and closed the other way round."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from starlette.routing import Router
from starlette.types import ASGIApp

from remit import identity, oauth
from remit.api import ApiDeps, http_routes, socket_door
from remit.api.authzen import DecisionDeps, decision_routes
from remit.app.allowed_applications import allowed_applications
from remit.app.approval_pages import freshness_asked, leading_back, open_pages
from remit.app.beginning import ServerNames, begin, folder_first
from remit.app.bundle_book import BundleBook
from remit.app.caller_credentials import OwnCallerCredentials
from remit.app.copies import Copies
from remit.app.custody_wiring import keep_custody
from remit.app.data_folder import DataFolder
from remit.app.definitions import DefinitionBook
from remit.app.deploying import deployment_of
from remit.app.door import Door
from remit.app.engine_watch import EngineWatch
from remit.app.gateway_wiring import listing_of, open_gateway
from remit.app.guard_wiring import open_guard_door
from remit.app.health import Health, health_routes
from remit.app.host import OwnHost, own_hosts
from remit.app.joined_log import JoinedLog
from remit.app.key_refresh import KeyRefresh
from remit.app.log_metrics import show_log
from remit.app.log_proofs import LogProofs
from remit.app.metrics import Metrics
from remit.app.parts import Parts, open_parts
from remit.app.problems import with_problems
from remit.app.reload import PolicyReload
from remit.app.secret_refresh import SecretRefresh
from remit.app.self_test import SelfTest
from remit.app.standing import StandingRefresh
from remit.app.status import Status
from remit.app.stores import open_stores
from remit.app.telling import Telling
from remit.app.trial_desk import TrialDesk
from remit.app.upkeep import record_counts
from remit.approvals.access_book import AccessBook
from remit.approvals.access_desk import AccessDesk
from remit.approvals.desk import Desk
from remit.audit import TallyingAuditLog
from remit.clock import Clock, EpochSeconds, Seconds, SystemClock
from remit.custody import Custody
from remit.db import Database
from remit.deployment.bundle import MAX_BUNDLE
from remit.engines.inquiry import EngineInquiry
from remit.gateway import GatewayApp
from remit.guard import Standing
from remit.identity import providers
from remit.registry import RegistryDirectory
from remit.secrets import KnownSecrets
from remit.settings import Settings
from remit.tokens.published import Published
from remit.tokens.published_keys import PublishedKeys
from remit.trail import Trail
from remit.web import SecurityHeaders, static_routes
from remit.web.fetch import DocumentFetcher

__all__ = ["App", "build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Remit, open. `asgi` faces the network, `management` the socket in the data folder.

    Nothing runs by itself yet: whoever serves runs `standing`, starts `gateway` and the upkeep.
    """

    asgi: ASGIApp
    management: ASGIApp
    settings: Settings
    folder: DataFolder
    gateway: GatewayApp
    standing: StandingRefresh
    keys: KeyRefresh
    secrets: SecretRefresh
    definitions: DefinitionBook
    bundles: BundleBook
    desk: TrialDesk
    approvals: Desk
    access: AccessDesk
    telling: Telling
    copies: Copies
    proofs: LogProofs
    reload: PolicyReload
    database: Database
    directory: RegistryDirectory
    audit: TallyingAuditLog
    joined: JoinedLog
    custody: Custody
    keep_custody: Callable[[], Coroutine[None, None, None]]
    trail: Trail
    clock: Clock
    stopping: asyncio.Event
    renew_documents: Callable[[], Awaitable[int]]
    self_test: SelfTest


@asynccontextmanager
async def build(
    settings: Settings, *, environ: Mapping[str, str] | None = None, clock: Clock | None = None
) -> AsyncIterator[App]:
    """Open everything that `settings` name; close it when the context ends.

    Raises:
        RepositoryInvalidError: the policy repository has mistakes.
        DataFolderInUseError: another process has the data folder.
        Error: something else that Remit stands on cannot be opened; `detail` says what.
    """
    environ = os.environ if environ is None else environ
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        folder = folder_first(settings, KnownSecrets(env=environ))
        names = ServerNames()
        stores = await open_stores(settings, names, environ=environ, clock=clock, stack=stack)
        stack.push_async_callback(record_counts, stores.audit)
        began = await begin(settings, stores, folder, clock)
        directory = RegistryDirectory(began.loaded.catalog, Standing(as_of=EpochSeconds(0)))
        names.directory = directory
        parts = await open_parts(settings, stores, directory, began=began, clock=clock)
        stack.callback(parts.passwords.close)
        for one in (parts.engines, parts.past, parts.telling, parts.copies):
            stack.push_async_callback(one.close)
        await _look_first(parts)
        self_test = SelfTest(parts)
        people = leading_back(_people(parts))
        authorization = _authorization(parts, people)
        credentials = OwnCallerCredentials(authorization, clock)
        gateway = open_gateway(parts, self_test.seal, credentials)
        stack.push_async_callback(gateway.close_servers)
        directory.subscribe(gateway.look_again)
        reload = PolicyReload(
            settings.repo,
            stage=settings.stage,
            in_force=parts.in_force,
            book=parts.book,
            metrics=stores.metrics,
        )
        api = _api(parts, reload, authorization, gateway=gateway, self_test=self_test)
        yield App(
            asgi=_public(parts, gateway, api, people=people, authorization=authorization),
            management=_management(parts, api),
            settings=settings,
            folder=stores.folder,
            gateway=gateway,
            standing=parts.refresh,
            keys=parts.key_refresh,
            secrets=parts.secret_refresh,
            definitions=parts.definitions,
            bundles=parts.book,
            desk=parts.desk,
            approvals=parts.asking.desk,
            access=parts.access,
            telling=parts.telling,
            copies=parts.copies,
            proofs=parts.proofs,
            reload=reload,
            database=stores.database,
            directory=directory,
            audit=stores.audit,
            joined=stores.joined,
            custody=stores.custody,
            keep_custody=partial(keep_custody, stores.custody, directory),
            trail=stores.trail,
            clock=clock,
            stopping=parts.stopping,
            renew_documents=partial(oauth.renew_documents, authorization),
            self_test=self_test,
        )


async def _look_first(parts: Parts) -> None:
    """Read what everything else follows from, and have it followed from here on."""
    await parts.refresh.now()
    await parts.secret_refresh.now()
    await parts.definitions.refresh()
    parts.directory.subscribe(parts.definitions.republish)
    parts.desk.subscribe(parts.definitions.republish)
    EngineWatch(parts.engines, parts.directory).begin()
    # From here on this version decides; what is not in the log does not.
    await parts.in_force.record()
    await parts.book.refresh()


def _people(parts: Parts) -> identity.IdentityDeps:
    stores = parts.stores
    return identity.IdentityDeps(
        database=stores.database,
        directory=parts.directory,
        clock=parts.clock,
        site=parts.site,
        passwords=parts.passwords,
        box=stores.box,
        form_sources=oauth.login_form_sources(stores.database, parts.clock),
        required_acr=oauth.login_requirements(stores.database, parts.clock),
        sections=(
            allowed_applications(
                stores.database,
                parts.directory,
                public_url=parts.settings.issuer,
                clock=parts.clock,
                publish=parts.refresh.now,
            ),
        ),
    )


def _authorization(parts: Parts, people: identity.IdentityDeps) -> oauth.OAuthDeps:
    stores = parts.stores
    return oauth.OAuthDeps(
        database=stores.database,
        audit=stores.audit,
        directory=parts.directory,
        keys=parts.keys,
        verifier=parts.verifier,
        decisions=parts.decisions,
        clock=parts.clock,
        site=parts.site,
        read_session=identity.session_reader(people),
        resolve_secret=stores.resolve_secret,
        fetch=DocumentFetcher().fetch,
        client_keys=PublishedKeys(DocumentFetcher().fetch, parts.clock),
        issuer_keys=PublishedKeys(DocumentFetcher().fetch, parts.clock),
        publish=parts.refresh.now,
        nonces=stores.nonces,
        third_parties=_third_parties(parts),
        confirm=providers.AskedAnew(_providers(parts, people)),
        step_ups=parts.asking.step_ups,
        temporary=AccessBook(parts.directory, parts.clock),
    )


def _public(
    parts: Parts,
    gateway: GatewayApp,
    api: ApiDeps,
    *,
    people: identity.IdentityDeps,
    authorization: oauth.OAuthDeps,
) -> ASGIApp:
    """What the network reaches: the gateway, and around everything else one set of headers."""
    stores, settings = parts.stores, parts.settings
    sections = (
        providers.identity_section(people),
        oauth.connection_section(authorization),
        oauth.elevation_section(authorization),
    )
    people = replace(people, sections=(*people.sections, *sections))
    router = Router(
        [
            *oauth.routes(authorization),
            *identity.routes(people),
            *providers.routes(_providers(parts, people)),
            *open_pages(parts, people),
            *static_routes(),
            *http_routes(api),
            *decision_routes(_decisions(parts, authorization)),
            *open_guard_door(parts, authorization),
            *health_routes(_health(parts), stores.metrics, settings),
        ],
        redirect_slashes=False,
    )
    site = OwnHost(with_problems(router), own_hosts(settings))
    return Door(
        gateway=gateway,
        site=SecurityHeaders(site, secure=parts.site.secure),
        name="site",
        metrics=stores.metrics,
        max_body=settings.max_request_body,
    )


def _decisions(parts: Parts, authorization: oauth.OAuthDeps) -> DecisionDeps:
    """For other gateways that ask whether a call is within the agent's remit."""
    return DecisionDeps(
        guard=parts.guard,
        site=parts.site,
        for_servers=partial(oauth.server_endpoint, authorization),
    )


def _third_parties(parts: Parts) -> oauth.ThirdPartyAccess:
    """Where Remit itself is a client: the hosts that it asks are named by the repository."""
    fetcher = DocumentFetcher()
    return oauth.ThirdPartyAccess(
        box=parts.stores.box,
        published=Published(fetcher.fetch, parts.clock),
        post_form=fetcher.post_form,
    )


def _providers(parts: Parts, people: identity.IdentityDeps) -> providers.ProviderDeps:
    """Log-in elsewhere: the hosts that it asks are named by the repository, not by strangers."""
    fetcher = DocumentFetcher()
    return providers.ProviderDeps(
        people=people,
        published=Published(fetcher.fetch, parts.clock),
        keys=PublishedKeys(fetcher.fetch, parts.clock),
        post_form=fetcher.post_form,
        resolve_secret=parts.stores.resolve_secret,
        freshness=freshness_asked(parts),
    )


def _health(parts: Parts) -> Health:
    health = Health(
        database=parts.stores.database,
        log=parts.stores.log,
        guard=parts.guard,
        directory=parts.directory,
        clock=parts.clock,
        data=parts.stores.folder.path,
        standing_max_age=parts.settings.standing_max_age,
        stopping=parts.stopping,
    )
    _gauges(health, parts.stores.metrics)
    return health


def _gauges(health: Health, metrics: Metrics) -> None:
    metrics.gauge(
        "remit_standing_age_seconds",
        "Since it was last known who is suspended or revoked.",
        health.standing_age,
    )
    show_log(metrics, health.log, health.data)


def _api(
    parts: Parts,
    reload: PolicyReload,
    authorization: oauth.OAuthDeps,
    *,
    gateway: GatewayApp,
    self_test: SelfTest,
) -> ApiDeps:
    stores = parts.stores
    status = Status(parts, self_test)

    async def publish() -> None:
        await parts.refresh.now()
        await parts.key_refresh.now()
        await parts.secret_refresh.now()
        await parts.definitions.refresh()
        await parts.book.refresh()

    return ApiDeps(
        database=stores.database,
        box=stores.box,
        audit=stores.audit,
        data=stores.folder.path,
        source=stores.source,
        tiled=stores.tiled,
        log_key=stores.log_key.change,
        directory=parts.directory,
        guard=parts.guard,
        passwords=parts.passwords,
        clock=parts.clock,
        site=parts.site,
        publish=publish,
        reload=reload,
        status=status,
        policies=lambda: parts.in_force.loaded.repository.policies,
        withdraw_connection=partial(oauth.withdraw_connection, authorization),
        list_server=listing_of(gateway),
        stopping=parts.stopping,
        guard_lease=Seconds(parts.settings.guard_lease),
        custody=stores.custody,
        trail=stores.trail,
        engines=EngineInquiry(parts.engines, parts.clock),
        deployment=deployment_of(parts),
        approvals=parts.asking.desk,
        access=parts.access,
        sinks=parts.copies.desk,
    )


def _management(parts: Parts, api: ApiDeps) -> ASGIApp:
    return Door(
        gateway=None,
        site=socket_door(api),
        name="management",
        metrics=parts.stores.metrics,
        # Whoever may open the socket may send a whole bundle.
        max_body=max(parts.settings.max_request_body, 2 * MAX_BUNDLE),
    )
