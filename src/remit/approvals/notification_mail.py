"""Mail: one plain message to those whom the notifier names, over a connection that proves whose it is.

`smtps://` is TLS from the beginning, `smtp://` becomes TLS before anything is said (STARTTLS); only to this very machine, where the
repository says so, it may stay plain, and then without a password. The connection goes to an address that was checked,
as with webhooks. A server that is silent, that says something for ever, or that dribbles is hung up on.

Source: RFC 5321 §4.2, §4.5.3.2; RFC 3207 §4; RFC 8314 §3; RFC 3834 §5; MCP SBP26 SSRF.
"""

import asyncio
import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from remit.approvals.notification import NotSentError
from remit.clock import EpochSeconds
from remit.errors import Error
from remit.model import Notifier
from remit.web.reach import Address, Destination, Reach, may_be_dialled
from remit.web.resolution import Resolve, SystemResolver

__all__ = ["MailServer", "Mailer", "mail_of", "mail_server_of"]

_PORTS: Final = {"smtp": 587, "smtps": 465}
_MAX_SAID: Final = 65_536
"""Bytes that a server may say in one conversation."""
_PERMANENT: Final = 500
_MAX_ADDRESSES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail goes out, and as whom. `tls`: from the beginning."""

    tls: bool
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def mail_server_of(notifier: Notifier, read_secret: Callable[[str], str]) -> MailServer:
    """The server that `notifier` names: its URL with the password in its secret, or its secret as the whole URL.

    Raises:
        NotSentError: it names none that can be used.
    """
    secret = None
    if notifier.secret is not None:
        try:
            secret = read_secret(notifier.secret).strip()
        except Error as error:
            raise NotSentError(error.code, cause=error) from error
    try:
        parts = urlsplit(notifier.url or secret or "")
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise NotSentError("url_unfit") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"}:
        raise NotSentError("url_unfit")
    inside = None if parts.password is None else unquote(parts.password)
    return MailServer(
        tls=parts.scheme == "smtps",
        host=parts.hostname,
        port=port,
        user=None if parts.username is None else unquote(parts.username),
        password=inside if notifier.url is None else secret,
    )


def mail_of(
    notifier: Notifier, subject: str, text: str, *, message_id: str, at: EpochSeconds
) -> EmailMessage:
    """The message. `message_id` is the same for the same things, so that who gets it twice sees it once.

    Raises:
        NotSentError: the notifier names no sender or nobody to write to.
    """
    if notifier.sender is None or not notifier.recipients:
        raise NotSentError("nobody_to_write_to")
    domain = notifier.sender.rpartition("@")[2].strip("> ") or "localhost"
    mail = EmailMessage()
    try:
        mail["From"] = notifier.sender
        mail["To"] = ", ".join(notifier.recipients)
        mail["Subject"] = subject
        mail["Date"] = formatdate(at)
        mail["Message-ID"] = f"<{message_id}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
    except ValueError:
        raise NotSentError("nobody_to_write_to") from None
    mail.set_content(f"{text}\n")
    return mail


class Mailer:
    """Hands messages to mail servers, in threads of its own; `timeout` are the seconds for everything together.

    `trust` says which certificates are believed.
    """

    def __init__(
        self,
        *,
        timeout: float = 12.0,
        resolve: Resolve | None = None,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._timeout = timeout
        self._resolve = resolve or SystemResolver(threads=2)
        self._trust = trust
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="mail")

    async def send(self, server: MailServer, mail: EmailMessage, *, private: bool) -> str:
        """Hand `mail` over; the code of why some of several recipients were refused, or nothing.

        Raises:
            NotSentError: the server did not take it, for anybody.
        """
        line = _Line()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                addresses = await self._addresses(server, private=private)
                talk = _Talk(server, addresses, mail, trust=self._trust, timeout=self._timeout)
                return await loop.run_in_executor(self._threads, talk.run, line)
        except TimeoutError as error:
            raise NotSentError("silent", cause=error) from error
        finally:
            line.hang_up()

    def close(self) -> None:
        """Take nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _addresses(self, server: MailServer, *, private: bool) -> tuple[Address, ...]:
        reach = Reach(private=private)
        destination = Destination(scheme="smtp", host=server.host, port=server.port, target="/")
        try:
            found = await self._resolve(server.host, server.port)
        except (OSError, UnicodeError) as error:
            raise NotSentError("no_such_host", cause=error) from error
        if not found or not all(may_be_dialled(one, destination, reach) for one in found):
            raise NotSentError("refused")
        return found[:_MAX_ADDRESSES]


class _Line:
    """The connection of a conversation, that another thread can hang up."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._over = False

    def holds(self, opened: socket.socket) -> None:
        self._socket = opened
        if self._over:
            self.hang_up()

    def close(self) -> None:
        """Give it back; by the thread that talks on it."""
        if self._socket is not None:
            self._socket.close()

    def hang_up(self) -> None:
        """Wake whoever waits on it, who then finds it closed."""
        self._over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class _Talk:
    """One conversation, in a thread."""

    server: MailServer
    addresses: tuple[Address, ...]
    mail: EmailMessage
    trust: Callable[[], ssl.SSLContext] = field(kw_only=True)
    timeout: float = field(kw_only=True)

    def run(self, line: _Line) -> str:
        try:
            return self._said(line)
        except smtplib.SMTPRecipientsRefused as error:
            codes = sorted(code for code, _ in error.recipients.values())
            raise _answered(codes[0] if codes else 0) from None
        except smtplib.SMTPResponseException as error:
            raise _answered(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise NotSentError("smtp_not_supported") from None
        except smtplib.SMTPException:
            # Its words are the server's, and may be the password's.
            raise NotSentError("smtp_failed") from None
        except ssl.SSLError as error:
            raise NotSentError("certificate", cause=error) from error
        except (OSError, ValueError) as error:
            raise NotSentError("unreachable", cause=error) from error
        finally:
            line.close()

    def _said(self, line: _Line) -> str:
        client = _Client(local_hostname="remit", timeout=self.timeout)
        try:
            self._connect(client, line)
            secure = self.server.tls
            client.ehlo_or_helo_if_needed()
            if not secure and (client.has_extn("starttls") or not self._may_be_plain()):
                self._start_tls(client, line)
                secure = True
            if self.server.user is not None:
                if not secure:
                    raise NotSentError("password_in_the_clear", for_good=True)
                client.login(self.server.user, self.server.password or "")
            refused = client.send_message(self.mail)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
        finally:
            client.close()
        return "some_recipients_refused" if refused else ""

    def _connect(self, client: "_Client", line: _Line) -> None:
        opened = self._dial()
        line.holds(opened)
        if self.server.tls:
            opened = self._secured(opened, line)
        client.sock = opened
        code, _ = client.getreply()
        if code != 220:
            raise _answered(code)

    def _dial(self) -> socket.socket:
        """The first address that takes the connection; never another than those that were checked."""
        failure: OSError | None = None
        for address in self.addresses:
            try:
                return socket.create_connection((str(address), self.server.port), self.timeout)
            except OSError as error:
                failure = error
        raise NotSentError("unreachable", cause=failure)

    def _start_tls(self, client: "_Client", line: _Line) -> None:
        # RFC 3207 §4.1, §4.2: whoever cannot is not spoken to, and what was said before counts for nothing.
        code, _ = client.docmd("STARTTLS")
        if code != 220 or client.sock is None:
            raise NotSentError("no_starttls")
        client.begin_anew(self._secured(client.sock, line))
        client.ehlo_or_helo_if_needed()

    def _secured(self, opened: socket.socket, line: _Line) -> ssl.SSLSocket:
        secured = self.trust().wrap_socket(
            opened, server_hostname=self.server.host, do_handshake_on_connect=False
        )
        line.holds(secured)
        secured.do_handshake()
        return secured

    def _may_be_plain(self) -> bool:
        """Whether what is said never leaves this machine."""
        return all(one.is_loopback for one in self.addresses)


class _Client(smtplib.SMTP):
    """The standard library's, on a connection that was made elsewhere, to a server that may say only so much."""

    said = 0

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Bounded(self.sock.makefile("rb"), self)
        return super().getreply()

    def begin_anew(self, secured: ssl.SSLSocket) -> None:
        """Forget all that was said in the clear, what waits to be read included."""
        self.sock = secured
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False


class _Bounded:
    """What the server says, up to a limit over the whole conversation."""

    def __init__(self, file: Any, client: _Client) -> None:
        self._file = file
        self._client = client

    def readline(self, size: int = -1) -> bytes:
        found: bytes = self._file.readline(size)
        self._client.said += len(found)
        if self._client.said > _MAX_SAID:
            raise OSError("the server says too much")
        return found

    def close(self) -> None:
        self._file.close()


def _answered(code: int) -> NotSentError:
    return NotSentError(f"smtp_{code}", for_good=code >= _PERMANENT)
