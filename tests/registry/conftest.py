"""A catalog with four agents, and who changes their standing."""

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.ids import AgentId
from remit.model import (
    Agent,
    AgentClass,
    AgentClients,
    Catalog,
    Guardrails,
    Issuer,
    Registration,
    StaticClient,
)

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))


def agent(name: str, **clients: object) -> Agent:
    return Agent(
        id=AgentId(name),
        name=name.title(),
        owner="platform",
        agent_class=AgentClass.ASSISTANT,
        scopes=(),
        environments=(),
        tenants=(),
        clients=AgentClients(**clients),
    )


def catalog_of(*agents: Agent) -> Catalog:
    return Catalog(
        version="0" * 64,
        issuer=Issuer(name="Acme"),
        tenants={},
        environments=(),
        guardrails=Guardrails(),
        registration=Registration(),
        servers={},
        scopes={},
        hierarchy={},
        roles={},
        attribute_rules=(),
        agents={one.id: one for one in agents},
        unregistered=agent("unregistered"),
    )


@pytest.fixture
def catalog() -> Catalog:
    return catalog_of(
        agent("job", static=(StaticClient(client_id="billing", name="Billing"),)),
        agent("ide", metadata_documents=("https://ide.example/oauth/client.json",)),
        agent(
            "support",
            dynamic_redirect_uris=(
                "http://127.0.0.1:33418/cb",
                "http://[::1]/cb",
                "https://support.example/cb",
            ),
        ),
        agent("desktop", dynamic_redirect_uris=("http://localhost/desktop", "cursor://oauth/cb")),
    )
