"""What an operator may set, and what each setting may be.

One flat, frozen value, read once; rooms receive values from it and never the
environment. A field is `name` in the YAML file, `REMIT_NAME` in the environment
and `--name` on the command line. What two settings may not say together is
`remit.settings.contradictions`.
"""

import hashlib
import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from remit.canonical import JsonObject, canonical_bytes
from remit.clock import Seconds
from remit.settings.addresses import (
    IpNetwork,
    database_url,
    is_loopback_host,
    network,
    origin,
    words,
)

__all__ = [
    "SECRET_SUFFIXES",
    "SECRET_VARIABLES",
    "AuditStore",
    "LogFormat",
    "LogLevel",
    "Policies",
    "Settings",
]

SECRET_VARIABLES = ("REMIT_MASTER_KEY",)
"""Variables that Remit reads but that are secrets, not settings: never in a file, never a flag."""

SECRET_SUFFIXES = ("_SECRET", "_TOKEN")
"""Ends of variables that hold secrets which a policy repository names (`env:REMIT_CRM_TOKEN`)."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class AuditStore(StrEnum):
    AUTO = "auto"
    """The database if it is PostgreSQL, else files; files where this process has its log in files already."""
    FILES = "files"
    DATABASE = "database"


class LogFormat(StrEnum):
    AUTO = "auto"
    """`console` on a terminal, else `json`."""
    CONSOLE = "console"
    JSON = "json"


class Policies(StrEnum):
    AUTO = "auto"
    """The folder, until the first bundle is put in force; from then on the bundle."""
    FOLDER = "folder"
    BUNDLE = "bundle"


Networks = Annotated[
    tuple[Annotated[IpNetwork, BeforeValidator(network)], ...], BeforeValidator(words)
]
Origins = Annotated[tuple[Annotated[str, AfterValidator(origin)], ...], BeforeValidator(words)]
PublicUrl = Annotated[str, AfterValidator(origin)]
DatabaseUrl = Annotated[str, AfterValidator(database_url)]


class Settings(BaseModel):
    """Everything that can be set. Defaults serve one machine, on loopback only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repo: Path = Field(
        Path("policy"),
        description="Folder of the policy repository: `remit.yaml`, `servers/`, `agents/`, `policies/`.",
    )
    stage: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Which of the `stages` in `remit.yaml` this installation is: what stands in `stages/<stage>/` is "
        "laid over the policy repository. Without it, nothing is.",
    )
    policies: Policies = Field(
        Policies.AUTO,
        description="What decides: `auto` is the folder `repo` until a bundle is put in force with `remit apply`, and "
        "from then on the bundle; `folder` is the folder whatever bundle there is; `bundle` is a bundle or no start.",
    )
    bundle_keys: Path | None = Field(
        None,
        description="File with a JWK set of Ed25519 keys. With it, only bundles that one of them signed are taken, and "
        "only what one of them says of where a bundle was in force before is believed.",
    )
    data: Path = Field(
        Path("data"),
        description="Folder that Remit keeps its state in: database, audit log, keys, management socket. "
        "Mode 0700; one process at a time.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.", min_length=1)
    port: int = Field(
        8600, ge=0, le=65535, description="Port to listen on; 0 lets the system choose a free one."
    )
    public_url: PublicUrl | None = Field(
        None,
        description="Where clients reach Remit: scheme, host and port, nothing else. It is the OAuth issuer, "
        "byte for byte. Without it: `http://<host>:<port>`, on loopback only.",
    )
    database_url: DatabaseUrl | None = Field(
        None,
        repr=False,
        description="`sqlite:///path` or `postgresql://user:password@host/name`; or `env:NAME` or `file:PATH`, "
        "where such a URL is kept. Without it: `remit.sqlite3` in the data folder.",
    )
    database_pool: int = Field(
        8,
        ge=1,
        le=200,
        description="Connections to PostgreSQL. SQLite has one writer and takes none.",
    )
    instance: str = Field(
        "main",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
        description="Name of this process among several on one database; also the name of its audit stream.",
    )
    audit_store: AuditStore = Field(
        AuditStore.AUTO,
        description="Where the audit log of this process is kept: `files` in the data folder, or `database`, which has to be "
        "PostgreSQL. `auto` is the database where it is PostgreSQL and this process has no log in files, else files.",
    )
    audit_signer: str = Field(
        "auto",
        pattern=r"^(auto|process|inside|/[^\x00-\x1f]{1,100})$",
        description="Who signs the audit log: `process` is a child of this process, with its state in the data folder; an "
        "absolute path is the socket of `remit signer serve`, under another user; `inside` is this process, with a key "
        "that is sealed in the database. `auto` is `process` for a log in files, and `inside` for one in the database, "
        "which may outlive the disk beside it.",
    )
    audit_unsigned: int = Field(
        60,
        ge=1,
        le=86_400,
        description="Seconds for which the audit log may grow without a signature. After that every call is refused, and only "
        "what takes rights away is recorded, until the signer is back.",
    )
    audit_reserve: int = Field(
        64,
        ge=0,
        le=4096,
        description="MiB that are kept allocated beside an audit log in files. When its disk is full, everything is refused but "
        "what takes rights away, and that is written there. 0 keeps none.",
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="Least severe level that is logged.")
    log_format: LogFormat = Field(
        LogFormat.AUTO,
        description="`console` for people, `json` for machines, `auto` to choose by terminal.",
    )
    trusted_proxies: Networks = Field(
        (),
        description="Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed. "
        "Nobody else's is.",
    )
    allowed_origins: Origins = Field(
        (),
        description="Browser origins besides `public_url` that may call the gateway, such as "
        "`https://inspector.example`.",
    )
    metrics_networks: Networks = Field(
        (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
        description="Networks that may read `/metrics`. Everybody else is told that it does not exist.",
    )
    standing_max_age: int = Field(
        5,
        ge=1,
        le=60,
        description="Seconds after which knowledge of who is suspended or revoked is too old to decide on; "
        "then every call is refused.",
    )
    guard_lease: int = Field(
        30,
        ge=5,
        le=300,
        description="Seconds for which a guard inside a server goes on deciding without having heard from Remit; "
        "then it refuses every call. So long may a revocation go unheard by a guard that is cut off.",
    )
    definitions_interval: int = Field(
        600,
        ge=10,
        le=86_400,
        description="Seconds between two times that each server is asked what it offers, to compare it with what "
        "was admitted.",
    )
    shutdown_grace: int = Field(
        10,
        ge=0,
        le=300,
        description="Seconds that calls in flight are given to finish when Remit stops.",
    )
    max_request_body: int = Field(
        1_048_576,
        ge=1_024,
        le=67_108_864,
        description="Bytes that the body of one request may have.",
    )
    max_connections: int = Field(
        2_000, ge=10, le=100_000, description="Connections at a time; one more is answered 503."
    )

    @property
    def issuer(self) -> str:
        """Where clients reach Remit, and the issuer of every token."""
        if self.public_url is not None:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def effective_database_url(self) -> str:
        """The database to open; may still name a secret (`env:` or `file:`)."""
        return self.database_url or f"sqlite:///{self.data.absolute() / 'remit.sqlite3'}"

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is known to be SQLite; a named secret is taken for a server's URL."""
        return self.effective_database_url.startswith("sqlite:")

    @property
    def listens_on_loopback(self) -> bool:
        return is_loopback_host(self.host)

    @property
    def grace(self) -> Seconds:
        return Seconds(self.shutdown_grace)

    def shown(self) -> JsonObject:
        """Every setting as an administrator may see it: no user, password or parameter of the database URL.

        `Settings` can be made of it again.
        """
        shown: JsonObject = self.model_dump(mode="json")
        url = self.database_url
        if url is not None and not url.startswith(("env:", "file:", "sqlite:")):
            parts = urlsplit(url)
            shown["database_url"] = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        return shown

    def digest(self) -> str:
        """SHA-256 over every setting but the password in the database URL: what `audit.started` records."""
        return hashlib.sha256(canonical_bytes(self.shown())).hexdigest()
