"""Agents that act for one another, and the exchanges they ask for; over the world of `flows.py`.

`portal` (a person's agent) lets `clerk` act with its tokens, and `clerk` lets `auditor`.
"""

from dataclasses import replace

from flows import CRM, ORIGIN

from remit.ids import AgentId, ServerName
from remit.model import Agent, AgentClass, AgentClients, Sensitivity, StaticClient

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
SECRET = "back-office-secret-of-tests"
GRANTS = (GRANT, "client_credentials", "authorization_code", "refresh_token")


def agent(
    name: str, *scopes: str, secret: str | None = "env:BACK_OFFICE_SECRET", **changes
) -> Agent:
    """An agent whose one client has its name, and may exchange."""
    client = StaticClient(
        client_id=name,
        name=name,
        redirect_uris=(f"https://{name}.example/cb",),
        grant_types=GRANTS if secret else tuple(one for one in GRANTS if one != GRANTS[1]),
        secret=secret,
    )
    fields = {
        "id": AgentId(name),
        "name": name,
        "owner": "desk@acme.example",
        "agent_class": AgentClass.AUTONOMOUS,
        "scopes": scopes,
        "environments": ("prod",),
        "tenants": ("acme",),
        "clients": AgentClients(static=(client,)),
        "max_sensitivity": Sensitivity.HIGH,
    }
    return Agent(**(fields | changes))


def employ(server) -> None:
    """Put the agents in force."""
    portal = server.catalog.agents["portal"]
    (static, *others) = portal.clients.static
    may_exchange = replace(static, grant_types=(*static.grant_types, GRANT))
    agents = {
        **server.catalog.agents,
        "portal": replace(
            portal,
            delegates=("clerk", "stranger"),
            clients=replace(portal.clients, static=(may_exchange, *others)),
        ),
        "clerk": agent(
            "clerk",
            "crm:accounts.read",
            "payments:invoices.read",
            delegates=("auditor",),
            exchange_servers=(ServerName("payments"),),
        ),
        "auditor": agent("auditor", "crm:accounts.read", delegates=("archivist",)),
        "archivist": agent("archivist", "crm:accounts.read", "crm:accounts.write"),
        "stranger": agent("stranger", "crm:accounts.read", secret=None),
    }
    guardrails = replace(server.catalog.guardrails, max_delegation_depth=3)
    server.change_catalog(agents=agents, guardrails=guardrails)


async def exchange(server, token: str, *, proof: str | None = None, **changes):
    """`POST /token`, by `clerk` unless told otherwise; `None` leaves a parameter out."""
    fields = {
        "grant_type": GRANT,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "client_id": "clerk",
        "client_secret": SECRET,
    } | changes
    return await server.browser().client.post(
        "/token",
        data={name: value for name, value in fields.items() if value is not None},
        headers={} if proof is None else {"DPoP": proof},
    )


def claims_of(server, response, audience: str = CRM):
    """What the token of an answer says."""
    assert response.status_code == 200, response.text
    return server.deps.verifier.verify(response.json()["access_token"], audience=audience)


def proof_of(server, key) -> str:
    return key.proof("POST", f"{ORIGIN}/token", at=server.clock.now())
