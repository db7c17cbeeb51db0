"""A web host on loopback, over TLS, that serves a stranger's documents.

Its name resolves to a public address of the test's choice, and only the last step,
the dialling, leads here: what the fetcher checks before stays in force. The
certificate is made for the name, by an authority made for the test.
"""

import asyncio
import ssl
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Self

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from remit.web.fetch import DocumentFetcher, FetchLimits

__all__ = ["DocumentHost"]


class DocumentHost:
    """Serves `answers`: a path to the raw bytes of an HTTP response; `None` never answers.

    `requests` are the heads of the requests that came, `bodies` what followed them, `dialled`
    the addresses that the fetcher meant to reach. `authority` is who made its certificate, in
    PEM; `port` is where it listens on loopback.
    """

    def __init__(self, name: str = "client.example", *, certified: str | None = None) -> None:
        self.name = name
        self.answers: dict[str, bytes | None] = {}
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.dialled: list[str] = []
        self.addresses: tuple[str, ...] = ("93.184.215.14",)
        self._certified = certified or name
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.authority, certificate = _certificate(self._certified)
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "host.pem"
            path.write_bytes(certificate)
            server_context.load_cert_chain(path)
        self._trust = ssl.create_default_context(cadata=self.authority)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=server_context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def serve(
        self, path: str, body: bytes, *, headers: Mapping[str, str] | None = None, status: int = 200
    ) -> str:
        """Answer `path` with `body` as JSON, and return its URL."""
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        fields |= headers or {}
        lines = [
            f"HTTP/1.1 {status} Answer",
            *(f"{name}: {value}" for name, value in fields.items()),
        ]
        self.answers[path] = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
        return f"https://{self.name}{path}"

    def fetcher(self, limits: FetchLimits | None = None) -> DocumentFetcher:
        """A fetcher for whom every name has `addresses`, each of which leads here."""
        return DocumentFetcher(
            limits or FetchLimits(),
            resolve=self._resolve,
            transport=lambda: _Detour(self, self.port, self._trust),
        )

    async def _resolve(self, host: str, port: int) -> tuple[IPv4Address | IPv6Address, ...]:
        return tuple(ip_address(address) for address in self.addresses)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            self.bodies.append(await reader.readexactly(_length_in(head)))
            answer = self.answers.get(head.split(" ")[1], b"HTTP/1.1 404 Answer\r\n\r\n")
            if answer is None:
                await reader.read()  # until the fetcher has had enough
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the fetcher went away, which is its right
        finally:
            writer.close()


def _length_in(head: str) -> int:
    """How many bytes follow `head`."""
    lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
    return int(lengths[0].partition(":")[2]) if lengths else 0


class _Detour(httpx2.AsyncBaseTransport):
    """Sends what was meant for a public address to the host on loopback."""

    def __init__(self, host: DocumentHost, port: int, trust: ssl.SSLContext) -> None:
        self._host = host
        self._port = port
        self._transport = httpx2.AsyncHTTPTransport(verify=trust, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._host.dialled.append(request.url.host)
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


def _certificate(name: str) -> tuple[str, bytes]:
    """An authority, and the key and certificate it made for `name`, all in PEM."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    authority = (
        _builder(authority_name, authority_name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _builder(subject, authority_name, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return authority.public_bytes(pem).decode(), private + certificate.public_bytes(pem)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
