"""Where state is kept, opened in the only order that works.

The folder's lock before anything is touched; the master key before what it seals; the
schema before what is read; the log before the database that records into it.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from importlib.metadata import version as version_of
from pathlib import Path

from remit.app.audit_store import LogPlace, log_place, open_log, source_of
from remit.app.custody_wiring import KeptLogs, close_custody, open_custody
from remit.app.data_folder import DataFolder, open_data_folder
from remit.app.joined_log import JoinedLog, open_joined_log
from remit.app.keys import open_redactor
from remit.app.log_folders import tiled_logs
from remit.app.log_key import LogKey
from remit.app.log_signer import SignerPlace, open_log_signer
from remit.app.metrics import MeteredAuditLog, Metrics
from remit.app.trail_wiring import TrailPlace, open_trail
from remit.audit import DurableAuditLog, Redactor, TallyingAuditLog
from remit.audit.database_log import DatabaseAuditLog
from remit.audit.source import RecordSource
from remit.audit.tiled_logs import TiledLogs
from remit.clock import Clock
from remit.custody import Custody
from remit.db import Database, migrate
from remit.db.throttle import network_of
from remit.deployment.activation_store import is_any_in_force
from remit.errors import Error
from remit.gateway import HandleKeys
from remit.secrets import KnownSecrets, MasterKey, SecretBox
from remit.settings import Settings
from remit.tokens.dpop_nonce import DpopNonces
from remit.trail import Trail

__all__ = ["Stores", "is_deployed", "open_stores"]

_NONCES = "remit:dpop-nonce:v1"
_TASK_HANDLES = "remit:task-handle:v1"
_REQUEST_STATES = "remit:request-state:v1"
_CALLS = "remit:approval-call:v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Everything that is on disk, open."""

    folder: DataFolder
    box: SecretBox
    log: DurableAuditLog
    log_name: str
    log_signer: str
    """Who signs it: `inside` this process, a `process` that is its child, or the path of a socket."""
    log_syncs: bool | None
    """Whether the database that it is in waits for its disk; `None` of a log in files."""
    source: RecordSource
    """All logs of the installation that this process can read."""
    tiled: TiledLogs
    """Their hashes, and proofs."""
    log_key: LogKey
    trail: Trail
    joined: JoinedLog
    audit: TallyingAuditLog
    redactor: Redactor
    database: Database
    metrics: Metrics
    nonces: DpopNonces
    """Those of the token endpoint: of one key, like everything that processes share."""
    handle_keys: HandleKeys
    """Under what the gateway seals what clients keep for it."""
    resolve_secret: KnownSecrets
    custody: Custody
    """What opens parts of recorded decisions, and destroys what opens them."""
    call_key: bytes = field(repr=False)
    """Under which calls are digested that people are asked about."""


async def open_stores(
    settings: Settings,
    is_server: Callable[[str], bool],
    *,
    environ: Mapping[str, str],
    clock: Clock,
    stack: AsyncExitStack,
) -> Stores:
    """Open them; `stack` closes them in the other order.

    Raises:
        Error: one of them cannot be opened; `detail` says which, and why.
    """
    secret = KnownSecrets(env=environ)
    folder = stack.enter_context(open_data_folder(settings.data))
    master, url = MasterKey.load(folder.path, environ), _database_url(settings, secret)
    migrate(url)
    kept = log_place(settings, folder, url)
    place = _signer_place(settings, kept, folder, master, clock=clock)
    signer = stack.enter_context(open_log_signer(place))
    log = stack.enter_context(open_log(settings, kept, signer))
    metrics = Metrics(version=version_of("remit"), is_server=is_server)
    audit = TallyingAuditLog(MeteredAuditLog(log, metrics), clock, network_of=network_of)
    database = Database.open(url, recorder=audit, pool=settings.database_pool)
    stack.enter_context(closing(database))
    joined = stack.enter_context(
        open_joined_log(settings, kept, master, database=database, recorder=audit, clock=clock)
    )
    box, redactor = SecretBox(master), open_redactor(master)
    source = source_of(folder, database, is_server=not url.startswith("sqlite"))
    tiled = tiled_logs(source, folder.path)
    asked_with = TrailPlace(
        database=database,
        is_server=not url.startswith("sqlite"),
        folder=folder,
        source=source,
        tiled=tiled,
        redactor=redactor,
        own=kept.name,
        clock=clock,
    )
    trail = stack.enter_context(open_trail(asked_with))
    custody = await open_custody(
        database,
        box,
        redactor,
        logs=KeptLogs(source, tiled, folder.path),
        instance=settings.instance,
        clock=clock,
    )
    stack.push_async_callback(close_custody, custody)
    return Stores(
        folder=folder,
        box=box,
        log=log,
        log_name=kept.name,
        log_signer=place.who,
        log_syncs=log.syncs if isinstance(log, DatabaseAuditLog) else None,
        source=source,
        tiled=tiled,
        log_key=LogKey(signer, audit),
        trail=trail,
        joined=joined,
        audit=audit,
        redactor=redactor,
        database=database,
        metrics=metrics,
        nonces=DpopNonces(master.derive(_NONCES)),
        handle_keys=_handle_keys(master),
        resolve_secret=secret,
        custody=custody,
        call_key=master.derive(_CALLS),
    )


def _handle_keys(master: MasterKey) -> HandleKeys:
    return HandleKeys(tasks=master.derive(_TASK_HANDLES), states=master.derive(_REQUEST_STATES))


def _signer_place(
    settings: Settings, kept: LogPlace, folder: DataFolder, master: MasterKey, *, clock: Clock
) -> SignerPlace:
    """Where the log that is `kept` there is signed."""
    return SignerPlace(
        settings=settings,
        folder=folder.path,
        master=master,
        url=kept.url,
        clock=clock,
        in_database=kept.in_database,
    )


def is_deployed(settings: Settings, resolve_secret: Callable[[str], str]) -> bool:
    """Whether a bundle seems to have been put in force, looked at before anything is opened, made or believed.

    `False` where it cannot be told: whoever opens the database then says what is wrong with it.
    """
    try:
        url = _database_url(settings, resolve_secret)
        if settings.is_sqlite and not Path(url.removeprefix("sqlite:///")).exists():
            return False
        with closing(Database.open(url, pool=1)) as database:
            return database.read_now(is_any_in_force)
    except Error:
        return False


def _database_url(settings: Settings, secret: Callable[[str], str]) -> str:
    url = settings.effective_database_url
    return secret(url) if url.startswith(("env:", "file:", "stored:")) else url
