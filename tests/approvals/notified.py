"""What tests about notifications have in common: notices, notifiers, and a mail server that speaks SMTP on a real socket."""

import asyncio
import ssl
from dataclasses import dataclass, field, replace

from remit.approvals.notification import Notice, Notification, Occasion
from remit.clock import EpochSeconds
from remit.model import Notifier, NotifierKind

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = EpochSeconds(1_767_625_200)
PAGE = "https://remit.example"
NOTICE = Notice(
    about="apr_1",
    occasion=Occasion.REQUESTED,
    tenant="acme",
    server="payments",
    kind="tool",
    name="refund_payment",
    environment="prod",
    agent="refunds",
    roles=("manager",),
    at=AT,
    ends_at=EpochSeconds(AT + 900),
)
WEBHOOK = Notifier(
    name="hook", kind=NotifierKind.WEBHOOK, url="https://client.example/hook", secret="env:HOOK"
)
CHANNEL = Notifier(name="channel", kind=NotifierKind.SLACK, secret="env:CHANNEL")
MAIL = Notifier(
    name="mail",
    kind=NotifierKind.EMAIL,
    url="smtp://localhost",
    sender="Remit <remit@acme.example>",
    recipients=("ann@acme.example", "bob@acme.example"),
    private_network=True,
)


def notified(notice=NOTICE, **changes):
    """`notice` on its way."""
    one = Notification(id="ntf_1", notifier="hook", notice=notice, attempts=0, next_at=notice.at)
    return replace(one, **changes)


@dataclass
class MailHost:
    """Speaks SMTP as `answers` say, to one word of the client's each; `None` never answers, bytes stand as they are.

    `said` is what the client said, `mails` what it handed over, `secured` whether in TLS.
    """

    tls: ssl.SSLContext | None = None
    at_once: bool = False
    extensions: tuple[str, ...] = ("AUTH PLAIN", "8BITMIME")
    answers: dict = field(default_factory=dict)
    greeting: bytes | None = b"220 mail.example\r\n"
    said: list = field(default_factory=list)
    mails: list = field(default_factory=list)
    secured: list = field(default_factory=list)

    async def __aenter__(self):
        context = self.tls if self.at_once else None
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=context)
        self._tasks = set()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _talk(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        try:
            if self.greeting is None:
                await reader.read()
                return
            writer.write(self.greeting)
            while line := await reader.readline():
                word = line.split()[0].decode().upper() if line.split() else ""
                self.said.append(line.decode().strip())
                answer = self.answers.get(word, self._usual(word))
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer)
                await writer.drain()
                if word == "STARTTLS" and answer.startswith(b"220"):
                    await writer.start_tls(self.tls)
                if word == "DATA" and answer.startswith(b"354"):
                    await self._take(reader, writer)
                if word == "QUIT":
                    return
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _usual(self, word):
        if word == "EHLO":
            names = (*self.extensions, *(("STARTTLS",) if self.tls and not self.at_once else ()))
            lines = ("mail.example", *names)
            return b"".join(
                f"250{'-' if place < len(lines) else ' '}{name}\r\n".encode()
                for place, name in enumerate(lines, start=1)
            )
        known = {
            "AUTH": b"235 welcome\r\n",
            "DATA": b"354 go on\r\n",
            "QUIT": b"221 bye\r\n",
            "STARTTLS": b"220 go on\r\n",
        }
        return known.get(word, b"250 fine\r\n")

    async def _take(self, reader, writer):
        whole = b""
        while not whole.endswith(b"\r\n.\r\n"):
            whole += await reader.readline()
        self.mails.append(whole.removesuffix(b".\r\n").decode())
        self.secured.append(writer.get_extra_info("ssl_object") is not None)
        writer.write(self.answers.get("END", b"250 taken\r\n"))
