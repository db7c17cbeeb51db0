"""Legacy sessions: state that a caller left behind, and never proof of who calls.

A session belongs to the principal that opened it: user, client and grant. One whose
client was told that its person has to authorize it again follows them to the grant
that they come back with, once: the client knows nothing of grants, and would be told
that its session is gone when it repeats the call as it was asked to. Every
request carries its own token; a session that is unknown, ended, of another server
or of somebody else looks the same. A principal has so many, of which a new one takes
the place of the one used longest ago; an idle one ends. Places that are scarce (the
processes of a server, all sessions of this process) are shared between people: with
none left, whoever holds most gives one up, in use or not, to whoever holds less.
Otherwise one person with several clients could shut everybody else out.

Source: MCP 2025-11-25 transports (session management); security best practices
(session hijacking).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from remit.canonical import JsonObject
from remit.clock import Clock
from remit.gateway.jsonrpc import JsonRpcId, Notification, Request, Response
from remit.gateway.principal import Principal
from remit.gateway.rejection import RejectedError
from remit.gateway.settings import GatewaySettings
from remit.gateway.upstream.port import UpstreamSession
from remit.ids import ServerName, digest, new_secret
from remit.tokens.access_token import AccessToken

__all__ = ["Session", "Sessions"]

_MAX_ASKED = 256
_MAX_SUBSCRIBED = 256
_MAX_NEWS = 64


@dataclass(slots=True)
class Session:
    """One session. `asked` are the requests of the server's that the client has yet to answer.

    `token` is the one that came last: what the session rests on while nobody sends another.
    """

    id: str
    server: ServerName
    principal: Principal
    token: AccessToken
    upstream: UpstreamSession
    version: str
    last_used: float
    may_follow: bool = False
    """Whether its client was sent to be authorized again since its grant was last another."""
    in_flight: int = 0
    listening: bool = False
    asked: dict[JsonRpcId, None] = field(default_factory=dict)
    capabilities: JsonObject = field(default_factory=dict)
    """What the client declared when it initialised."""
    subscribed: dict[str, None] = field(default_factory=dict)
    """The resources that it wants to hear of."""
    sent_to: dict[str, Callable[[], None]] = field(default_factory=dict)
    """The requests to people whose page it was sent to, with what makes it hear no more of their end."""
    news: "asyncio.Queue[Notification]" = field(default_factory=lambda: asyncio.Queue(_MAX_NEWS))
    """What the gateway itself tells it, on its own stream."""
    expected: "dict[JsonRpcId, asyncio.Future[Response]]" = field(default_factory=dict)
    """What the gateway itself asked, and the answers to come."""
    flow: str = field(init=False)
    """What the log knows it by: who reads it there cannot send anything in it."""

    def __post_init__(self) -> None:
        self.flow = f"ses_{digest(self.id)[:26]}"

    def is_of(self, principal: Principal) -> bool:
        """Whether it belongs to `principal`, or may follow its own to the grant of `principal`."""
        if self.may_follow:
            principal = replace(principal, grant_id=self.principal.grant_id)
        return principal == self.principal

    def follow(self, principal: Principal) -> None:
        """Belong to `principal`, whose it `is_of`."""
        if principal != self.principal:
            self.principal, self.may_follow = principal, False

    def hear(self, notification: Notification) -> None:
        """Have the client told, once it listens; the oldest news is forgotten first."""
        if self.news.full():
            self.news.get_nowait()
        self.news.put_nowait(notification)

    def expect(self, question: Request) -> "asyncio.Future[Response]":
        """The answer to `question`, which the gateway itself asks, when it comes."""
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.expected[question.id] = answer
        return answer

    def expect_no_more(self, question: Request) -> None:
        """Take no answer to `question` any more."""
        self.expected.pop(question.id, None)

    def take_own_answer(self, response: Response) -> bool:
        """Whether `response` answers what the gateway itself asked; then it has been taken."""
        answer = None if response.id is None else self.expected.pop(response.id, None)
        if answer is None or answer.done():
            return False
        answer.set_result(response)
        return True

    def leave(self) -> None:
        """Wait for nothing any more: the session has ended."""
        for forget in self.sent_to.values():
            forget()
        self.sent_to.clear()
        for answer in self.expected.values():
            answer.cancel()
        self.expected.clear()

    def subscribe(self, uri: str) -> None:
        """Note that the client wants to hear of `uri`; the oldest wish is forgotten first."""
        self.subscribed[uri] = None
        while len(self.subscribed) > _MAX_SUBSCRIBED:
            del self.subscribed[next(iter(self.subscribed))]

    def ask(self, request: Request) -> None:
        """Note that the server asked the client something; the oldest question is forgotten first."""
        self.asked[request.id] = None
        while len(self.asked) > _MAX_ASKED:
            del self.asked[next(iter(self.asked))]

    def take_answer(self, request_id: JsonRpcId | None) -> bool:
        """Whether the server waits for an answer of that id; it can be given once."""
        if request_id is None or request_id not in self.asked:
            return False
        del self.asked[request_id]
        return True


class Sessions:
    """The sessions of this process."""

    def __init__(self, settings: GatewaySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._open: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def make_room(self, principal: Principal) -> Session | None:
        """Forget the session of `principal`'s that has to go for a new one; its upstream is to be closed.

        Many clients never end their sessions, and start anew without trouble on a 404.

        Raises:
            RejectedError: 429 if all that the principal may have are in use, 503 if there
                are as many sessions as there may be.
        """
        own = [session for session in self._open.values() if session.principal == principal]
        if len(own) < self._settings.max_sessions_per_principal:
            return self._place_for(principal)
        unused = [session for session in own if not session.in_flight and not session.listening]
        if not unused:
            raise _full(429)
        oldest = min(unused, key=lambda session: session.last_used)
        self.end(oldest)
        return oldest

    def surrendered(self, principal: Principal, server: ServerName | None = None) -> Session | None:
        """Forget a session of whoever holds most (of those with `server`); its upstream is to be closed.

        `None` where that would not leave them more than `principal`'s person then has: two who
        hold alike would take from each other for ever.
        """
        held: dict[tuple[str, str], list[Session]] = {principal.person: []}
        for session in self._open.values():
            if server is None or session.server == server:
                held.setdefault(session.principal.person, []).append(session)
        most = max(held.values(), key=len)
        if len(most) < len(held[principal.person]) + 2:
            return None
        idlest = min(most, key=lambda one: (one.in_flight > 0, one.listening, one.last_used))
        self.end(idlest)
        return idlest

    def open(
        self, server: ServerName, token: AccessToken, *, upstream: UpstreamSession, version: str
    ) -> Session:
        """A new session under an id that nobody can guess. `make_room` comes first."""
        session = Session(
            id=new_secret("mcp_"),
            server=server,
            principal=Principal.of(token),
            token=token,
            upstream=upstream,
            version=version,
            last_used=self._clock.monotonic(),
        )
        self._open[session.id] = session
        return session

    def find(self, session_id: str | None, server: ServerName, token: AccessToken) -> Session:
        """The session that a request names.

        Raises:
            RejectedError: 400 without an id; 404 where there is no such session for this principal.
        """
        if session_id is None:
            raise RejectedError(400, "header `mcp-session-id` is missing")
        session, principal = self._open.get(session_id), Principal.of(token)
        if session is None or session.server != server or not session.is_of(principal):
            raise RejectedError(404, "there is no such session")
        session.follow(principal)
        session.token = token
        session.last_used = self._clock.monotonic()
        return session

    def end(self, session: Session) -> None:
        """Forget `session`; its upstream is the caller's to close."""
        self._open.pop(session.id, None)
        session.leave()

    def end_unbacked(self, backs: Callable[[AccessToken], bool]) -> tuple[Session, ...]:
        """Forget the sessions of whoever may act no more; their upstreams are to be closed."""
        gone = tuple(one for one in self._open.values() if not backs(one.token))
        for session in gone:
            self.end(session)
        return gone

    def idle(self) -> tuple[Session, ...]:
        """The sessions that nobody has used for too long."""
        before = self._clock.monotonic() - self._settings.session_idle
        return tuple(
            session
            for session in self._open.values()
            if session.last_used < before and not session.in_flight and not session.listening
        )

    def _place_for(self, principal: Principal) -> Session | None:
        if len(self._open) < self._settings.max_sessions:
            return None
        surrendered = self.surrendered(principal)
        if surrendered is None:
            raise _full(503)
        return surrendered

    def all(self) -> tuple[Session, ...]:
        """Every open session."""
        return tuple(self._open.values())


def _full(status: int) -> RejectedError:
    return RejectedError(status, "too many sessions are open").with_header(b"retry-after", b"60")
