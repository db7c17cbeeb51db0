"""The guard and the gateway's doors, put together in front of an application in this process.

It is the gateway's own code that reads, judges and answers: both eras, every method, every check of headers,
the same refusals. Only what lies behind differs: not a connection, but a call.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlsplit

from joserfc.jwk import ECKey

from remit.audit.port import AuditLog
from remit.audit.record_seal import RecordSeal
from remit.audit.redact import Redactor
from remit.clock import Clock, EpochSeconds
from remit.embedded.directory import Heard, HeardDirectory
from remit.embedded.in_process import InProcess
from remit.engines import EngineConnections
from remit.gateway import GatewayApp, GatewayDeps, GatewaySettings, Roster
from remit.gateway.protected_resource import METADATA_PREFIX, metadata_url
from remit.guard import Guard, GuardSettings
from remit.guard.account import NoPast
from remit.guard.elevations import NO_ELEVATIONS, Elevations
from remit.guard.ports import Past
from remit.guard.snapshot import PublicKey, Snapshot
from remit.model import HttpUpstream, Server
from remit.policy import CedarEngine, DecisionPoint
from remit.policy.port import EngineUnavailableError
from remit.tokens import KeySet, SigningKey, TokenVerifier, resource_of

__all__ = ["Assembly", "Surroundings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What does not change with a snapshot."""

    application: InProcess
    audit: AuditLog
    clock: Clock
    past: Past = NoPast()
    elevations: Elevations = NO_ELEVATIONS
    log_name: str | None = None
    """What the guard's own log is called in receipts."""


class Assembly:
    """Everything that a first snapshot makes possible. Later ones go to `take`."""

    def __init__(self, snapshot: Snapshot, heard: Heard, around: Surroundings) -> None:
        """Put it together.

        Raises:
            PolicyInvalidError: the policies do not parse.
            Error: something else in the snapshot cannot be used.
        """
        self._snapshot = _local(snapshot)
        self._keys = KeySet(_signing_keys(snapshot.keys))
        # No plug-in: what runs inside this server is for its owner to say, and not for a snapshot.
        self._engines = EngineConnections(_withheld, plugins=False)
        self._decisions = DecisionPoint(_engine(self._snapshot), around.clock, self._engines)
        self._directory = HeardDirectory(self._snapshot, heard, around.clock)
        public_url = snapshot.public_url
        guard = Guard(
            TokenVerifier(self._keys, snapshot.issuer, around.clock),
            self._directory,
            decisions=self._decisions,
            audit=around.audit,
            redactor=_redactor(snapshot),
            settings=GuardSettings(
                public_url=public_url,
                standing_max_age=snapshot.lease,
                past=around.past,
                elevations=around.elevations,
                log_name=around.log_name,
            ),
        )
        roster = Roster(_no_secret, requests_to=lambda _: around.application)
        server = self.server
        self.gateway = GatewayApp(
            GatewayDeps(
                guard=guard,
                directory=self._directory,
                upstreams=roster,
                settings=GatewaySettings(
                    public_url=public_url,
                    allowed_hosts=(urlsplit(resource_of(public_url, server)).netloc,),
                ),
                clock=around.clock,
                issuer=snapshot.issuer,
            )
        )
        self._directory.subscribe(self.gateway.look_again)

    @property
    def server(self) -> Server:
        """The one server there is."""
        return self._snapshot.catalog.servers[self._snapshot.server]

    @property
    def host(self) -> str:
        """How the server is addressed."""
        return urlsplit(resource_of(self._snapshot.public_url, self.server)).netloc

    def take(self, snapshot: Snapshot, heard: Heard) -> None:
        """Put another snapshot in force, whole or not at all.

        Raises:
            PolicyInvalidError: its policies do not parse; what was in force stays.
        """
        before, now = self._snapshot, _local(snapshot)
        same = before.catalog == now.catalog and before.policies == now.policies
        same = same and before.policy_version == now.policy_version
        engine = None if same else _engine(now)
        keys = _signing_keys(now.keys)
        # No await from here on: no decision sees one without the other.
        if engine is not None:
            self._decisions.publish(engine)
        self._keys.publish(keys)
        self._snapshot = now
        self._directory.replace(now, heard)
        self._engines.hold(now.catalog.engines.values())

    def renew(self, heard: Heard) -> None:
        """What is in force was still so when `heard`."""
        self._directory.renew(heard)

    def look_at_the_clock(self) -> None:
        """End what is under way when the lease is over."""
        self._directory.look_at_the_clock()

    async def close(self) -> None:
        """Let go of whoever was asked elsewhere."""
        await self._engines.close()

    def path_within(self, path: str) -> str | None:
        """Where in the gateway `path` leads, which is one of this server's two; `None` for any other."""
        url, server = self._snapshot.public_url, self.server
        if path == urlsplit(resource_of(url, server)).path:
            return f"/mcp/{server.name}"
        if path == urlsplit(metadata_url(url, server)).path:
            return f"{METADATA_PREFIX}{server.name}"
        return None


def _local(snapshot: Snapshot) -> Snapshot:
    """`snapshot`, with the server here and not wherever the gateway finds it."""
    name = snapshot.server
    declared = snapshot.catalog.servers[name]
    upstream = HttpUpstream(url="http://in.process/", timeout=declared.upstream.timeout)
    here = replace(declared, upstream=upstream)
    catalog = replace(snapshot.catalog, servers=MappingProxyType({name: here}))
    return replace(snapshot, catalog=catalog)


def _redactor(snapshot: Snapshot) -> Redactor:
    seal = RecordSeal(bytes.fromhex(snapshot.seal_key)) if snapshot.seal_key else None
    return Redactor(bytes.fromhex(snapshot.redaction_key), record_seal=seal)


def _engine(snapshot: Snapshot) -> CedarEngine:
    return CedarEngine.of_excerpt(
        snapshot.policies, snapshot.catalog, version=snapshot.policy_version
    )


def _signing_keys(keys: tuple[PublicKey, ...]) -> list[SigningKey]:
    """Keys to verify with; there is nothing in them to sign with."""
    at = EpochSeconds(0)
    return [
        SigningKey(
            kid=one.kid,
            key=ECKey.import_key({"kty": "EC", "crv": "P-256", "x": one.x, "y": one.y}),
            created_at=at,
            signs_from=at,
        )
        for one in keys
    ]


def _no_secret(reference: str) -> str:
    raise LookupError(f"there is no secret `{reference}` here")


def _withheld(reference: str) -> str:
    del reference
    raise EngineUnavailableError(
        "the engine wants a secret, which stays with Remit: a guard inside a server cannot ask it"
    )
