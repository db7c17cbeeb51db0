"""The management API as a server of the catalog: one table of its operations, with their scopes.

It stands beside the servers that a repository declares, under a name that none of them may
have, so that issuance, consent, policies and the log treat a call of an administrator as they
treat a call of an agent. Nobody holds any of its scopes until a role and an agent's file name
them, and only an agent of environment `management` may speak with it at all.

`scopes` of an operation are all needed at once. What concerns every organisation needs
`remit:tenants.cross` besides its own; the other operations show and change what belongs to the
organisation of the token, and everything with that scope.

Source: RFC 6749 §3.3; O21 §1.4 (least privilege); docs/adr/0010-management-api.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.ids import ScopeName, ServerName
from remit.model.levels import Environment, Operation, Sensitivity
from remit.model.scope_definition import ScopeDefinition
from remit.model.servers import HttpUpstream, Server, Tool

__all__ = [
    "ALL_TENANTS",
    "MANAGEMENT",
    "MANAGEMENT_ENVIRONMENT",
    "MANAGEMENT_OPERATIONS",
    "MANAGEMENT_PATH",
    "MANAGEMENT_SCOPES",
    "MANAGEMENT_SYSTEM",
    "ManagementOperation",
]

MANAGEMENT_SYSTEM: Final = "remit"
"""The first part of its scopes, and its name; a repository may declare neither."""
MANAGEMENT_ENVIRONMENT: Final = Environment("management")
MANAGEMENT_PATH: Final = "/api/v1"
ALL_TENANTS: Final = ScopeName("remit:tenants.cross")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementOperation:
    """One operation: what it is called, where it stands, what it takes, how much harm it can do.

    `path` may hold `{placeholders}`, each one segment of the path; `{name:path}` is all that is left of it.
    """

    name: str
    method: str
    path: str
    scopes: tuple[ScopeName, ...]
    operation: Operation
    sensitivity: Sensitivity
    summary: str

    @property
    def tool(self) -> Tool:
        """The operation as policies see it."""
        return Tool(
            name=self.name,
            operation=self.operation,
            scopes=self.scopes,
            sensitivity=self.sensitivity,
            description=self.summary,
        )


def _scope(
    name: str, title: str, description: str, sensitivity: Sensitivity
) -> tuple[ScopeName, ScopeDefinition]:
    scope = ScopeName(f"{MANAGEMENT_SYSTEM}:{name}")
    return scope, ScopeDefinition(
        name=scope, title=title, description=description, sensitivity=sensitivity
    )


_LOW, _MEDIUM, _HIGH, _CRITICAL = Sensitivity

MANAGEMENT_SCOPES: Final[Mapping[ScopeName, ScopeDefinition]] = MappingProxyType(
    dict(
        [
            _scope("agents.read", "See the agents", "Which there are, and what each may hold.", _LOW),
            _scope("agents.write", "Stop agents", "Stop an agent, and let it act again.", _HIGH),
            _scope("clients.read", "See the clients", "Which applications are known here.", _LOW),
            _scope("clients.write", "Turn clients away", "Stop, admit or remove an application.", _HIGH),
            _scope("registrations.read", "See who asks to be admitted", "Applications that wait for an administrator's word.", _LOW),
            _scope("registrations.approve", "Admit applications", "Approve or reject an application that waits.", _HIGH),
            _scope("registration-tokens.read", "See who may register", "Tokens that let somebody register applications; never the tokens themselves.", _LOW),
            _scope("registration-tokens.write", "Let others register", "Make and revoke tokens that let somebody register applications.", _HIGH),
            _scope("grants.read", "See what was granted", "Who allowed which agent what.", _MEDIUM),
            _scope("grants.revoke", "Revoke what was granted", "End grants, with every token that came of them.", _HIGH),
            _scope("users.read", "See the people", "Names, roles and attributes of who may log in.", _MEDIUM),
            _scope("users.write", "Change the people", "Add and stop accounts, give roles, reset passwords.", _CRITICAL),
            _scope("sessions.read", "See who is logged in", "Sessions, from where, and since when.", _MEDIUM),
            _scope("sessions.end", "Sign people out", "End sessions of other people.", _HIGH),
            _scope("keys.read", "See the signing keys", "Public parts and ages; never a private part.", _LOW),
            _scope("keys.rotate", "Change the signing keys", "Make new keys and let go of old ones, which can end every token at once.", _CRITICAL),
            _scope("secrets.read", "See which secrets are kept", "Names and ages; never a secret.", _LOW),
            _scope("secrets.write", "Change the secrets that are kept", "Store, replace and remove what Remit proves itself with to servers.", _CRITICAL),
            _scope("servers.read", "See the servers", "Which there are, what each offers, and what waits for review.", _LOW),
            _scope("servers.write", "Review the servers", "Ask a server what it offers; admit and reject what it says of its tools.", _HIGH),
            _scope("history.read", "See what was done before", "What agents did for whom, as far as the repository has it counted.", _MEDIUM),
            _scope("history.forget", "Forget what was done before", "Let agents and people begin anew, with every limit that counts what they did.", _CRITICAL),
            _scope("audit.erase", "Erase what is sealed about somebody", "Destroy the keys of what records hold sealed about a person, for good.", _CRITICAL),
            _scope("audit.hold", "Forbid erasing", "Ask that what is about somebody be kept, agree to that, and end it, with a second person.", _CRITICAL),
            _scope("audit.preview", "See what the log would keep", "Try which values of a call the log would show; of no real call.", _LOW),
            _scope("audit.read", "Read the audit log", "What was done and decided, by whom.", _HIGH),
            _scope("audit.export", "Take copies of the audit log", "Files and reports of what was done and decided, by whom.", _HIGH),
            _scope("sinks.read", "See who gets copies of the audit log", "Which receivers are declared, and how far behind each is.", _MEDIUM),
            _scope("sinks.manage", "Manage copies of the audit log", "Try a receiver, and have it go on from another record.", _CRITICAL),
            _scope("policy.read", "See what is in force", "Versions, settings and state; who could use what, and on what it depends.", _MEDIUM),
            _scope("policy.write", "Propose policies", "Propose that a bundle of policies come into force, and go back to an earlier one.", _CRITICAL),
            _scope("policy.approve", "Approve policies", "Say yes or no to policies that somebody else proposed.", _CRITICAL),
            _scope("policy.plan", "Try policies on recorded calls", "See which of the calls that really came other policies would decide otherwise.", _HIGH),
            _scope("policy.reload", "Read the policies again", "Put the policy repository as it stands now in force.", _HIGH),
            _scope("approvals.read", "See what waits for people", "Which calls wait for whose word, who answered, and how fast; never what the calls say.", _MEDIUM),
            _scope("approvals.answer", "Answer in your own name", "Say yes or no to what other people's agents ask, as far as it is yours to say, and name who does in your place.", _CRITICAL),
            _scope("approvals.revoke", "Take back what people allowed", "End what somebody said yes to before it is used.", _HIGH),
            _scope("access.read", "See who has what for a while", "Who asked for which access, why, and until when.", _MEDIUM),
            _scope("access.request", "Ask for access for a while", "Ask in your own name for what the policies offer, and give it back.", _MEDIUM),
            _scope("access.end", "Take access away", "End what somebody has for a while, with the tokens that rest on it.", _HIGH),
            _scope("emergency.review", "Review emergency access", "Say whether what somebody else did in an emergency was justified.", _HIGH),
            _scope("tenants.cross", "Act for every organisation", "Without it, only what belongs to your own organisation is seen and changed.", _CRITICAL),
        ]
    )
)  # fmt: skip


def _operation(
    name: str, at: str, scope: str, summary: str, *, everywhere: bool = False
) -> ManagementOperation:
    """One row. Sensitivity is that of the scope; `everywhere`: it concerns every organisation."""
    method, path = at.split(" ")
    own = ScopeName(f"{MANAGEMENT_SYSTEM}:{scope}")
    return ManagementOperation(
        name=name,
        method=method,
        path=f"{MANAGEMENT_PATH}{path}",
        scopes=(own, ALL_TENANTS) if everywhere else (own,),
        operation=Operation.READ if own.endswith(".read") else Operation.ADMIN,
        sensitivity=MANAGEMENT_SCOPES[own].sensitivity,
        summary=summary,
    )


_TABLE: Final = (
    _operation("agents.list", "GET /agents", "agents.read", "List agents"),
    _operation("agents.show", "GET /agents/{agent}", "agents.read", "Show one agent"),
    _operation("agents.suspend", "POST /agents/{agent}/suspend", "agents.write", "Stop an agent"),
    _operation("agents.resume", "POST /agents/{agent}/resume", "agents.write", "Let a stopped agent act again"),
    _operation("clients.list", "GET /clients", "clients.read", "List clients"),
    _operation("clients.show", "GET /clients/show", "clients.read", "Show one client"),
    _operation("clients.disable", "POST /clients/disable", "clients.write", "Turn a client away"),
    _operation("clients.enable", "POST /clients/enable", "clients.write", "Admit a disabled client again"),
    _operation("clients.remove", "POST /clients/remove", "clients.write", "Remove a client that introduced itself"),
    _operation("registrations.list", "GET /registrations", "registrations.read", "List clients that wait for approval", everywhere=True),
    _operation("registrations.approve", "POST /registrations/approve", "registrations.approve", "Let a client that waits in", everywhere=True),
    _operation("registrations.reject", "POST /registrations/reject", "registrations.approve", "Turn a client that waits away", everywhere=True),
    _operation("registration-tokens.list", "GET /registration-tokens", "registration-tokens.read", "List tokens that let somebody register clients", everywhere=True),
    _operation("registration-tokens.create", "POST /registration-tokens", "registration-tokens.write", "Make a token that lets somebody register clients", everywhere=True),
    _operation("registration-tokens.revoke", "POST /registration-tokens/{token}/revoke", "registration-tokens.write", "Revoke a token that lets somebody register clients", everywhere=True),
    _operation("grants.list", "GET /grants", "grants.read", "List grants"),
    _operation("grants.revoke-all", "POST /grants/revoke", "grants.revoke", "End every grant of a client, an agent, a person or an organisation"),
    _operation("grants.show", "GET /grants/{grant}", "grants.read", "Show one grant and what descends from it"),
    _operation("grants.revoke", "POST /grants/{grant}/revoke", "grants.revoke", "End one grant"),
    _operation("users.list", "GET /users", "users.read", "List people"),
    _operation("users.show", "GET /users/{user}", "users.read", "Show one person"),
    _operation("users.add", "POST /users", "users.write", "Add a person"),
    _operation("users.change", "PATCH /users/{user}", "users.write", "Change a person's roles, attributes or name to show"),
    _operation("users.disable", "POST /users/{user}/disable", "users.write", "Lock a person out"),
    _operation("users.enable", "POST /users/{user}/enable", "users.write", "Let a person in again"),
    _operation("users.reset-password", "POST /users/{user}/password", "users.write", "Give a person a new password"),
    _operation("users.reset-factors", "POST /users/{user}/factors/reset", "users.write", "Take a person's second factors away"),
    _operation("identities.list", "GET /users/{user}/identities", "users.read", "List the identities elsewhere that a person logs in with"),
    _operation("identities.link", "POST /users/{user}/identities/link", "users.write", "Let an identity elsewhere log in as a person"),
    _operation("identities.unlink", "POST /users/{user}/identities/unlink", "users.write", "Let an identity elsewhere log in as a person no more"),
    _operation("consents.list", "GET /users/{user}/consents", "grants.read", "List what a person allowed clients and is not asked again"),
    _operation("consents.withdraw", "POST /users/{user}/consents/withdraw", "grants.revoke", "Take back what a person allowed a client"),
    _operation("connections.list", "GET /users/{user}/connections", "grants.read", "List the third parties that a person is connected with"),
    _operation("connections.withdraw", "POST /users/{user}/connections/{server}/withdraw", "grants.revoke", "Take away a person's connection with a third party"),
    _operation("sessions.list", "GET /users/{user}/sessions", "sessions.read", "List the sessions of a person"),
    _operation("sessions.end", "POST /users/{user}/sessions/{session}/end", "sessions.end", "End one session of a person"),
    _operation("sessions.end-all", "POST /users/{user}/sessions/end", "sessions.end", "Sign a person out everywhere"),
    _operation("keys.list", "GET /keys", "keys.read", "List signing keys", everywhere=True),
    _operation("keys.rotate", "POST /keys/rotate", "keys.rotate", "Make a new signing key", everywhere=True),
    _operation("keys.retire", "POST /keys/{key}/retire", "keys.rotate", "Let nothing that a key signed be believed any more", everywhere=True),
    _operation("secrets.list", "GET /secrets", "secrets.read", "List the secrets that are kept", everywhere=True),
    _operation("secrets.set", "POST /secrets/{secret}", "secrets.write", "Keep a secret, or replace it", everywhere=True),
    _operation("secrets.remove", "POST /secrets/{secret}/remove", "secrets.write", "Forget a secret", everywhere=True),
    _operation("guards.list", "GET /guards", "servers.read", "List the guards inside servers", everywhere=True),
    _operation("servers.list", "GET /servers", "servers.read", "List servers"),
    _operation("servers.show", "GET /servers/{server}", "servers.read", "Show one server and its things"),
    _operation("servers.review", "GET /servers/{server}/review", "servers.read", "Show what waits for review on a server, and what differs"),
    _operation("servers.admit", "POST /servers/{server}/admit", "servers.write", "Admit the definition of a thing"),
    _operation("servers.reject", "POST /servers/{server}/reject", "servers.write", "Keep a thing out"),
    _operation("servers.discover", "POST /servers/{server}/discover", "servers.write", "Ask a server what it offers"),
    _operation("history.show", "GET /history", "history.read", "Show what the facts of history come to"),
    _operation("history.forget", "POST /history/forget", "history.forget", "Forget what was counted of somebody's past"),
    _operation("audit.tail", "GET /audit/tail", "audit.read", "Read the latest events of the audit log"),
    _operation("audit.rotate-key", "POST /audit/rotate-key", "keys.rotate", "Have the audit log signed by a new key", everywhere=True),
    _operation("audit.checkpoint", "GET /audit/tlog/{log}/checkpoint", "audit.read", "Read the newest checkpoint of a log (tlog-tiles)", everywhere=True),
    _operation("audit.tile", "GET /audit/tlog/{log}/tile/{tile:path}", "audit.read", "Read hashes or records of a log in tiles (tlog-tiles)", everywhere=True),
    _operation("audit.preview", "POST /audit/preview", "audit.preview", "Show what the log would keep of a call, and why"),
    _operation("custody.erase", "POST /audit/erasures", "audit.erase", "Make unreadable what is sealed about somebody"),
    _operation("holds.list", "GET /audit/holds", "audit.hold", "List holds"),
    _operation("holds.request", "POST /audit/holds", "audit.hold", "Ask that nothing about somebody be destroyed"),
    _operation("holds.set", "POST /audit/holds/{hold}/set", "audit.hold", "Agree to a hold"),
    _operation("holds.request-lift", "POST /audit/holds/{hold}/request-lift", "audit.hold", "Ask that a hold end"),
    _operation("holds.lift", "POST /audit/holds/{hold}/lift", "audit.hold", "Agree that a hold ends"),
    _operation("audit.search", "POST /audit/search", "audit.read", "Find events by what they say"),
    _operation("audit.timeline", "POST /audit/timeline", "audit.read", "Tell the story of a grant, an agent, a person, a trace or a decision"),
    _operation("audit.record", "GET /audit/record", "audit.read", "Show one record by its number"),
    _operation("audit.export", "POST /audit/export", "audit.export", "Hand out events, as a file or a report"),
    _operation("audit.explain", "GET /audit/decisions/{decision}", "audit.read", "Explain one decision, and what would have to be otherwise"),
    _operation("sinks.list", "GET /sinks", "sinks.read", "List who gets copies of the audit log, and how far behind each is", everywhere=True),
    _operation("sinks.test", "POST /sinks/{sink}/test", "sinks.manage", "Send a receiver one record, to see that it takes it", everywhere=True),
    _operation("sinks.reset", "POST /sinks/{sink}/reset", "sinks.manage", "Have a receiver go on from another record", everywhere=True),
    _operation("access.who-can", "GET /access/who-can", "policy.read", "Say who can use a thing, and on what it depends"),
    _operation("access.what-can", "GET /access/what-can", "policy.read", "Say what an agent can use, and on what it depends"),
    _operation("approvals.list", "GET /approvals", "approvals.read", "List requests to people"),
    _operation("approvals.inbox", "GET /approvals/inbox", "approvals.answer", "List what waits for one's own word"),
    _operation("approvals.stats", "GET /approvals/stats", "approvals.read", "Say how people answer, and how fast"),
    _operation("approvals.show", "GET /approvals/{approval}", "approvals.read", "Show one request to people, without arguments"),
    _operation("approvals.look", "POST /approvals/{approval}/look", "approvals.answer", "Look at what one is asked, arguments included"),
    _operation("approvals.approve", "POST /approvals/{approval}/approve", "approvals.answer", "Say yes to what was looked at"),
    _operation("approvals.refuse", "POST /approvals/{approval}/refuse", "approvals.answer", "Say no to what was looked at"),
    _operation("approvals.withdraw", "POST /approvals/{approval}/withdraw", "approvals.answer", "Take back what one's own agent asked"),
    _operation("elevations.list", "GET /elevations", "approvals.read", "List what people allowed and nobody used yet"),
    _operation("elevations.revoke", "POST /elevations/{elevation}/revoke", "approvals.revoke", "End what people allowed before it is used"),
    _operation("deputies.list", "GET /deputies", "approvals.answer", "List who answers in one's place, and in whose place one answers"),
    _operation("deputies.name", "POST /deputies", "approvals.answer", "Have somebody answer in one's place"),
    _operation("deputies.remove", "POST /deputies/remove", "approvals.answer", "Have somebody answer in one's place no longer"),
    _operation("access-offers.list", "GET /access-offers", "access.request", "List what one may ask for, for a while"),
    _operation("access.list", "GET /access", "access.read", "List who asked for access for a while, and who has it"),
    _operation("access.mine", "GET /access/mine", "access.request", "List what one asked for, has and had for a while"),
    _operation("access.request", "POST /access", "access.request", "Ask for access for a while"),
    _operation("access.show", "GET /access/{access}", "access.read", "Show one access for a while"),
    _operation("access.return", "POST /access/{access}/return", "access.request", "Give back what one has for a while, or asked for"),
    _operation("access.end", "POST /access/{access}/end", "access.end", "Take away what somebody has for a while"),
    _operation("emergency.list", "GET /emergency", "access.read", "List emergency access, and what waits for review"),
    _operation("emergency.take", "POST /emergency", "access.request", "Take emergency access"),
    _operation("emergency.review", "POST /emergency/{access}/review", "emergency.review", "Say whether somebody else's emergency access was justified"),
    _operation("bundles.list", "GET /bundles", "policy.read", "List bundles of policies, and which was in force when", everywhere=True),
    _operation("bundles.key", "GET /bundle-key", "policy.read", "Show the key that this installation signs bundles with", everywhere=True),
    _operation("bundles.show", "GET /bundles/{bundle}", "policy.read", "Show one bundle and its files", everywhere=True),
    _operation("bundles.export", "GET /bundles/{bundle}/content", "policy.read", "Fetch one bundle, signed, for another installation", everywhere=True),
    _operation("bundles.rollback", "POST /bundle-rollback", "policy.write", "Put an earlier bundle in force again", everywhere=True),
    _operation("bundles.prune", "POST /bundle-pruning", "policy.write", "Forget bundles that nobody needs", everywhere=True),
    _operation("proposals.list", "GET /proposals", "policy.read", "List proposals of bundles", everywhere=True),
    _operation("proposals.create", "POST /proposals", "policy.write", "Propose that a bundle come into force", everywhere=True),
    _operation("proposals.show", "GET /proposals/{proposal}", "policy.read", "Show one proposal and what was found about it", everywhere=True),
    _operation("proposals.approve", "POST /proposals/{proposal}/approve", "policy.approve", "Say yes to somebody else's proposal", everywhere=True),
    _operation("proposals.reject", "POST /proposals/{proposal}/reject", "policy.approve", "Say no to a proposal, or end its trial", everywhere=True),
    _operation("proposals.withdraw", "POST /proposals/{proposal}/withdraw", "policy.write", "Take one's own proposal back", everywhere=True),
    _operation("plans.create", "POST /plans", "policy.plan", "Say what a bundle would change, on the calls that really came"),
    _operation("status", "GET /status", "policy.read", "Show what is running, and on what", everywhere=True),
    _operation("reload", "POST /reload", "policy.reload", "Read the policy repository again", everywhere=True),
)  # fmt: skip

MANAGEMENT_OPERATIONS: Final[Mapping[str, ManagementOperation]] = MappingProxyType(
    {one.name: one for one in _TABLE}
)
"""Every operation by its name, in the order of the documentation."""

MANAGEMENT: Final = Server(
    name=ServerName(MANAGEMENT_SYSTEM),
    title="Remit management",
    owner="remit",
    tenant=None,
    environment=MANAGEMENT_ENVIRONMENT,
    # Answered in this process: nothing is ever forwarded, and the gateway does not know it.
    upstream=HttpUpstream(url="about:blank"),
    tools=MappingProxyType({one.name: one.tool for one in _TABLE}),
    description="Administration of this Remit.",
)
