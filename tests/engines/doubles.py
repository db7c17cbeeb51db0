"""A decision point that answers as a test says, in raw HTTP: right, wrong, late, or not at all."""

import asyncio
import datetime as dt
import json
import ssl
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from remit.canonical import canonical_bytes
from remit.clock import SystemClock
from remit.engines import EngineConnections
from remit.model import EngineKind, ExternalEngine
from remit.policy import Decision, DecisionOutcome, DecisionPoint, DecisionReason
from remit.testing.policy_engine import ask

ACCOUNT = {"organization_id": "acme", "account_id": "acc-1001"}
QUESTION = ask("crm", "get_account", ACCOUNT)


class Own:
    """The repository's own policies, which permit nothing and forbid what `reason` says."""

    version = "v1"

    def __init__(self, reason=DecisionReason.NO_PERMIT) -> None:
        self.reason = reason
        self.asked = 0

    def evaluate(self, evaluation):
        self.asked += 1
        return Decision(
            outcome=DecisionOutcome.DENY,
            reason=self.reason,
            rules=(),
            policy_version="v1",
            engine="cedar",
        )

    def history_read(self, resource):
        return frozenset()


class Pdp:
    """Answers every question with yes, in the words of Cerbos and of AuthZEN, unless `behaves` does otherwise.

    `behaves` is called with what is to be written and the answer that would be right.
    """

    def __init__(self) -> None:
        self.url = ""
        self.behaves = None
        self.heads = []
        self.questions = []
        self.connections = 0
        self.serving = set()

    async def serve(self, reader, writer):
        self.connections += 1
        self.serving.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (int(line.split(":")[1]) for line in head.lower().splitlines() if line.startswith("content-length:")),
                    0,
                )  # fmt: skip
                question = json.loads(await reader.readexactly(length)) if length else {}
                self.heads.append(head)
                self.questions.append(question)
                right = self.answer(head, question)
                if self.behaves is None:
                    writer.write(response(right))
                else:
                    await self.behaves(writer, right)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def end(self):
        """Let go of everybody who is being answered."""
        for one in self.serving:
            one.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    def answer(self, head, question):
        if head.startswith("GET"):
            return {
                "policy_decision_point": self.url,
                "access_evaluation_endpoint": f"{self.url}/access/v1/evaluation",
                "access_evaluations_endpoint": f"{self.url}/access/v1/evaluations",
            }
        if "resources" in question:
            return {
                "requestId": question["requestId"],
                "results": [_result(one) for one in question["resources"]],
            }
        if "evaluations" in question:
            return {"evaluations": [{"decision": True} for _ in question["evaluations"]]}
        return {"decision": True}


def _result(one):
    resource = {"kind": one["resource"]["kind"], "id": one["resource"]["id"]}
    (action,) = one["actions"]
    return {
        "resource": resource,
        "actions": {action: "EFFECT_ALLOW"},
        "meta": {"actions": {action: {"matchedPolicy": "resource.crm.vdefault"}}},
    }


def response(value, *, status="200 OK", headers="content-type: application/json"):
    body = value if isinstance(value, bytes) else canonical_bytes(value)
    return f"HTTP/1.1 {status}\r\n{headers}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def pdp(tls=None, host="127.0.0.1"):
    double = Pdp()
    server = await asyncio.start_server(double.serve, "127.0.0.1", 0, ssl=tls)
    scheme = "http" if tls is None else "https"
    double.url = f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}"
    double.close = server.close
    try:
        yield double
    finally:
        server.close()
        await double.end()


def declared(kind, url, *, timeout_ms=5000, **changes):
    return ExternalEngine(
        name="pdp", kind=EngineKind(kind), url=url, timeout_ms=timeout_ms, **changes
    )


@asynccontextmanager
async def point(own=None, read_secret=lambda reference: f"secret of {reference}"):
    """A decision point that can ask engines, over policies of its own that permit nothing."""
    engines = EngineConnections(read_secret)
    yield DecisionPoint(own or Own(), SystemClock(), engines)
    await engines.close()


def certificate(folder, *names):
    """A TLS context for a server called `names`, and the file of the only authority that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "decision point of tests")])
    now = dt.datetime.now(dt.UTC)
    alternatives = [
        x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        for name in names
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "pdp.pem", folder / "pdp.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, str(public)
