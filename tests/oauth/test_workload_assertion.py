"""Workloads whose platform vouches for them: a job of GitHub Actions, a pod of Kubernetes."""

import asyncio
import json
from dataclasses import replace

import pytest
from clients import ACME, PUBLIC_URL, READ, WRITE
from signers import Signer, changed, new_jti
from sqlalchemy import select

from remit.audit.events import TokenIssued, TokenRefused
from remit.ids import digest
from remit.model import AgentClass, Trust, TrustedIssuer, WorkloadRule
from remit.oauth import grant_store, revoke_grant
from remit.oauth.assertion_store import seen_assertions
from remit.testing.dpop import ProofKey

CRM = f"{PUBLIC_URL}/mcp/crm"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GITHUB = "https://token.actions.githubusercontent.com"
CLUSTER = "https://kubernetes.default.svc.cluster.local"
INVALID_GRANT = (400, "invalid_grant")


@pytest.fixture(scope="module")
def github():
    return Signer("RS256", kid="cc413527-173f-5a05-976e-9c52b1d7b431")


@pytest.fixture(scope="module")
def cluster():
    return Signer("RS256", kid="kube")


DEPLOY = WorkloadRule(
    name="deploy",
    claims={
        "repository_owner_id": ("65",),
        "repository": ("acme/shop",),
        "ref": ("refs/heads/main", "refs/tags/v*"),
        "environment": ("production",),
    },
    agent="billing-job",
    servers=("crm",),
)
POD = WorkloadRule(
    name="billing",
    claims={
        "kubernetes.io.namespace": ("billing",),
        "kubernetes.io.serviceaccount.name": ("job",),
        "sub": ("system:serviceaccount:billing:job",),
    },
    agent="billing-job",
    servers=("crm",),
    scopes=(READ,),
)


def trust(world, *issuers, **changes):
    """Put in force that `issuers` are believed, each but for `changes`."""
    declared = {one.issuer: replace(one, **changes) for one in issuers}
    world.declare(trust=Trust(issuers=declared))


@pytest.fixture
def trusting(world, github, cluster):
    """The server, which trusts GitHub's issuer and the cluster's."""
    world.pipeline = TrustedIssuer(
        name="github", issuer=GITHUB, jwks=github.jwks, workloads=(DEPLOY,)
    )
    world.cluster = TrustedIssuer(
        name="cluster", issuer=CLUSTER, jwks=cluster.jwks, workloads=(POD,)
    )
    trust(world, world.pipeline, world.cluster)
    return world


def job_claims(world, **changes):
    """What GitHub says of a job (docs.github.com, OpenID Connect reference)."""
    now = world.clock.now()
    good = {
        "jti": new_jti(),
        "sub": "repo:acme/shop:environment:production",
        "aud": PUBLIC_URL,
        "ref": "refs/heads/main",
        "sha": "9f2c6c1a5c1d2b9a1e6b0f2d3c4b5a69788796a5",
        "repository": "acme/shop",
        "repository_owner": "acme",
        "repository_owner_id": "65",
        "run_id": "1026510",
        "run_number": "10",
        "run_attempt": "2",
        "repository_visibility": "private",
        "repository_id": "74",
        "actor_id": "12",
        "actor": "octocat",
        "workflow": "deploy",
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
        "ref_protected": "true",
        "ref_type": "branch",
        "job_workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main",
        "runner_environment": "github-hosted",
        "environment": "production",
        "iss": GITHUB,
        "nbf": now - 600,
        "exp": now + 300,
        "iat": now,
    }
    return changed(good, changes)


def pod_claims(world, **changes):
    """What a cluster says of a pod in a projected token."""
    now = world.clock.now()
    good = {
        "aud": [PUBLIC_URL],
        "exp": now + 3_600,
        "iat": now,
        "iss": CLUSTER,
        "jti": new_jti(),
        "kubernetes.io": {
            "namespace": "billing",
            "node": {"name": "node-1", "uid": "0b4f9b4f-7a0c-4d2f-9f5d-0b6f4a1d2c3e"},
            "pod": {"name": "job-7c5ddbdf54-abcde", "uid": "a087d5a0-e1dd-43ec-93ac-f13d89cd13af"},
            "serviceaccount": {"name": "job", "uid": "e8a1d1c4-6a4e-4c51-9a1f-7f1d5c3b2a19"},
        },
        "nbf": now,
        "sub": "system:serviceaccount:billing:job",
    }
    return changed(good, changes)


async def ask(world, assertion, **changes):
    form = {"grant_type": GRANT, "assertion": assertion, "resource": CRM}
    return await world.http.post("/token", data=changed(form, changes))


def outcome(response):
    return (response.status_code, response.json().get("error"))


async def asked(world, assertion, **changes):
    return outcome(await ask(world, assertion, **changes))


def token_of(world, response):
    assert response.status_code == 200, response.text
    return world.deps.verifier.verify(response.json()["access_token"], audience=CRM)


def grants(world):
    return world.database.read_now(
        lambda tx: tx.connection.execute(select(grant_store.grants)).all()
    )


def remembered(world):
    return world.database.read_now(lambda tx: tx.connection.execute(select(seen_assertions)).all())


async def test_a_job_of_a_pipeline_is_the_agent_that_its_rule_names(trusting, github):
    response = await ask(trusting, github.sign(job_claims(trusting)))
    token = token_of(trusting, response)
    assert (token.sub, token.agent_id) == ("billing-job", "billing-job")
    assert token.client_id == "workload:github:deploy"
    assert token.organization_id == ACME
    assert "refresh_token" not in response.json()
    event = trusting.only(TokenIssued)
    assert (event.grant_type, event.issuer, event.rule) == (GRANT, GITHUB, "deploy")
    assert event.subject_digest == digest("repo:acme/shop:environment:production")
    assert event.context.agent_id == "billing-job"
    (grant,) = grants(trusting)
    assert grant.kind == "workload"
    assert json.loads(grant.origin) == [GITHUB, "repo:acme/shop:environment:production"]


async def test_a_pod_of_a_cluster_is_the_agent_that_its_rule_names(trusting, cluster):
    response = await ask(trusting, cluster.sign(pod_claims(trusting), typ=None))
    token = token_of(trusting, response)
    assert (token.client_id, token.sub) == ("workload:cluster:billing", "billing-job")
    assert response.json()["scope"] == READ


async def test_no_claim_of_the_assertion_gets_into_the_token(trusting, github):
    """AS-71."""
    claims = job_claims(
        trusting, organization_id="globex", roles=["admin"], scope="crm:accounts.purge",
        attributes={"actor": "octocat"}, acr="urn:remit:acr:phr", client_id="desk",
        authorization_details=[{"type": "x"}], act={"sub": "x"}, cnf={"jkt": "x"},
    )  # fmt: skip
    token = token_of(trusting, await ask(trusting, github.sign(claims)))
    assert (token.organization_id, token.roles, dict(token.attributes)) == (ACME, (), {})
    assert (token.acr, token.jkt, token.actors, token.authorization_details) == (None, None, (), ())
    assert set(token.scopes) <= {READ, WRITE}


@pytest.mark.parametrize(
    "aud", [PUBLIC_URL, [PUBLIC_URL], f"{PUBLIC_URL}/token", "api://remit", ["api://remit"]]
)
async def test_the_audience_is_us_or_what_was_declared_for_us(trusting, github, aud):
    trust(trusting, trusting.pipeline, audiences=("api://remit",))
    assert await asked(trusting, github.sign(job_claims(trusting, aud=aud))) == (200, None)


@pytest.mark.parametrize(
    "aud",
    [
        "https://github.com/acme",
        [PUBLIC_URL, "https://github.com/acme"],
        [PUBLIC_URL, PUBLIC_URL],
        f"{PUBLIC_URL}/",
        f"{PUBLIC_URL}/mcp/crm",
        "api://remit",
        [],
        {},
        None,
    ],
)
async def test_an_assertion_for_somebody_else_is_refused(trusting, github, aud):
    assert await asked(trusting, github.sign(job_claims(trusting, aud=aud))) == INVALID_GRANT


@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": None},
        {"sub": ""},
        {"sub": 1},
        {"exp": None},
        {"iat": None},
        {"iat": "now"},
        {"exp": 1.5},
        {"jti": None},
        {"jti": ""},
        {"iss": None},
        {"iss": GITHUB + "/"},
        {"iss": GITHUB.upper()},
        {"iss": [GITHUB]},
        {"iss": CLUSTER},
    ],
    ids=str,
)
async def test_claims_that_are_missing_or_wrong_are_refused(trusting, github, wrong):
    assert await asked(trusting, github.sign(job_claims(trusting, **wrong))) == INVALID_GRANT
    assert (grants(trusting), remembered(trusting)) == ([], [])


@pytest.mark.parametrize(
    ("times", "good"),
    [
        ({"iat": 0, "exp": 3_600}, True),
        ({"iat": 0, "exp": 3_661}, False),
        ({"iat": -3_000, "exp": 600}, True),
        ({"iat": -3_600, "exp": 600}, False),
        ({"iat": -600, "exp": 0}, False),
        ({"iat": 61, "exp": 300}, False),
        ({"iat": 0, "exp": 300, "nbf": 61}, False),
    ],
    ids=str,
)
async def test_an_assertion_lives_no_longer_than_was_declared(trusting, github, times, good):
    now = trusting.clock.now()
    claims = job_claims(trusting, **{name: now + offset for name, offset in times.items()})
    assert await asked(trusting, github.sign(claims)) == ((200, None) if good else INVALID_GRANT)


async def test_no_signature_but_the_issuers_own_is_taken(trusting, github, cluster):
    good = job_claims(trusting)
    forged = [
        Signer("RS256", kid=github.kid).sign(good),
        cluster.sign(good),
        cluster.sign(good, kid=github.kid),
        github.confused(good),
        github.unsigned(good),
        github.sign(good, algorithm="RS512"),
        github.sign(good, algorithm="PS256"),
        github.sign(good, crit=["x"]),
        Signer("RS256", kid="new").sign(good, jwk=Signer("RS256").jwk),
        Signer("RS256", kid=github.kid).sign(good, jku="https://client.example/keys"),
    ]
    for assertion in forged:
        assert await asked(trusting, assertion) == INVALID_GRANT, assertion
    assert trusting.documents.requests == []
    assert await asked(trusting, github.sign(good)) == (200, None)


# -- rules -------------------------------------------------------------


@pytest.mark.parametrize(
    "claims",
    [
        {"repository": "acme/shop-fork"},
        {"repository": "evil/shop", "repository_owner_id": "66"},
        {"repository": "ACME/shop"},
        {"repository": "acme/shop "},
        {"repository": ["acme/shop"]},
        {"repository": {"name": "acme/shop"}},
        {"repository": None},
        {"ref": "refs/heads/main2"},
        {"ref": "refs/heads/feature"},
        {"ref": "refs/tags/"},
        {"ref": "refs/pull/1/merge"},
        {"ref": "xrefs/tags/v1"},
        {"environment": None},
        {"environment": "staging"},
        {"repository_owner_id": "651"},
        {"repository_owner_id": "6"},
        {"repository_owner_id": 65.0},
        {"repository_owner_id": True},
    ],
    ids=str,
)
async def test_a_workload_that_no_rule_knows_is_refused(trusting, github, claims):
    assertion = github.sign(job_claims(trusting, **claims))
    assert await asked(trusting, assertion) == INVALID_GRANT
    assert (grants(trusting), remembered(trusting)) == ([], [])


async def test_a_value_that_ends_in_a_star_matches_what_begins_so(trusting, github):
    for ref in ("refs/tags/v", "refs/tags/v1.2.3"):
        assert await asked(trusting, github.sign(job_claims(trusting, ref=ref))) == (200, None)


@pytest.mark.parametrize(
    "claims",
    [
        {"kubernetes.io": {"namespace": "billing-evil", "serviceaccount": {"name": "job"}}},
        {"kubernetes.io": {"namespace": "billing", "serviceaccount": {"name": "job2"}}},
        {"kubernetes.io": {"namespace": "billing", "serviceaccount": "job"}},
        {"kubernetes.io": {"namespace": ["billing"], "serviceaccount": {"name": "job"}}},
        {"kubernetes.io": "billing"},
        {"kubernetes.io": None},
        {"sub": "system:serviceaccount:billing:job:x"},
        {"kubernetes.io.namespace": "billing"},
        {"kubernetes": {"io": {"namespace": "billing"}}},
    ],
    ids=str,
)
async def test_what_a_pod_cannot_be_told_apart_by_is_refused(trusting, cluster, claims):
    assertion = cluster.sign(pod_claims(trusting, **claims), typ=None)
    assert await asked(trusting, assertion) == INVALID_GRANT


async def test_the_first_rule_that_matches_decides_alone(trusting, github):
    """Its servers bound the token even where a later rule would allow more."""
    first = replace(DEPLOY, name="first", servers=("other",))
    trust(trusting, replace(trusting.pipeline, workloads=(first, DEPLOY)))
    assertion = github.sign(job_claims(trusting))
    assert await asked(trusting, assertion) == (400, "invalid_target")
    trust(trusting, replace(trusting.pipeline, workloads=(DEPLOY, first)))
    assert await asked(trusting, assertion) == (200, None)


async def test_a_rule_without_claims_knows_nobody(trusting, github):
    trust(trusting, trusting.pipeline, workloads=(replace(DEPLOY, claims={}),))
    assert await asked(trusting, github.sign(job_claims(trusting))) == INVALID_GRANT


# -- what may be had ---------------------------------------------------


async def test_a_rule_bounds_the_scopes_and_the_answer_says_so(trusting, cluster):
    async def scope(asked_for):
        response = await ask(trusting, cluster.sign(pod_claims(trusting)), scope=asked_for)
        return response.json().get("scope") or response.json()["error"]

    assert await scope(None) == READ
    assert await scope(f"{READ} {WRITE}") == READ
    assert await scope(WRITE) == "invalid_scope"
    assert await scope("crm:accounts.purge") == "invalid_scope"
    assert await scope("no:such.scope") == "invalid_scope"


async def test_without_a_resource_the_only_server_of_the_rule_is_meant(trusting, github):
    response = await ask(trusting, github.sign(job_claims(trusting)), resource=None)
    assert token_of(trusting, response).aud == CRM


@pytest.mark.parametrize("resource", ["https://other.example/mcp/crm", f"{PUBLIC_URL}/mcp/x", "x"])
async def test_a_server_that_is_not_ours_is_refused(trusting, github, resource):
    assertion = github.sign(job_claims(trusting))
    assert await asked(trusting, assertion, resource=resource) == (400, "invalid_target")
    assert await asked(trusting, assertion) == (200, None)


async def test_a_rule_bounds_the_lifetime_and_never_lengthens_it(trusting, github):
    for lifetime, expires_in in ((60, 60), (86_400, 600), (None, 600)):
        trust(trusting, trusting.pipeline, workloads=(replace(DEPLOY, lifetime=lifetime),))
        response = await ask(trusting, github.sign(job_claims(trusting)))
        assert response.json()["expires_in"] == expires_in


async def test_a_suspended_agent_gets_nothing_and_its_assertion_is_not_used_up(trusting, github):
    assertion = github.sign(job_claims(trusting))
    trusting.stand(suspended_agents=frozenset({"billing-job"}))
    assert await asked(trusting, assertion) == (400, "unauthorized_client")
    assert remembered(trusting) == []
    trusting.stand(suspended_agents=frozenset())
    assert await asked(trusting, assertion) == (200, None)


@pytest.mark.parametrize(
    "agent",
    [{"agent_class": AgentClass.ASSISTANT}, {"tenants": (ACME, "globex")}, {"tenants": ()}],
    ids=str,
)
async def test_only_a_workload_of_one_organisation_acts_for_itself(trusting, github, agent):
    agents = trusting.directory.catalog.agents
    changed_agent = replace(agents["billing-job"], **agent)
    trusting.declare(agents={**agents, "billing-job": changed_agent})
    assertion = github.sign(job_claims(trusting))
    assert await asked(trusting, assertion) == (400, "unauthorized_client")


async def test_an_agent_that_is_gone_gets_nothing(trusting, github):
    trust(trusting, trusting.pipeline, workloads=(replace(DEPLOY, agent="gone"),))
    assertion = github.sign(job_claims(trusting))
    assert await asked(trusting, assertion) == (400, "unauthorized_client")


async def test_a_token_is_bound_to_the_key_that_the_workload_proves(trusting, github):
    key = ProofKey()
    proof = key.proof("POST", f"{PUBLIC_URL}/token", at=trusting.clock.now())
    form = {"grant_type": GRANT, "resource": CRM}
    form["assertion"] = github.sign(job_claims(trusting))
    response = await trusting.http.post("/token", data=form, headers={"DPoP": proof})
    assert response.json()["token_type"] == "DPoP"
    assert token_of(trusting, response).jkt == key.jkt


async def test_where_bound_tokens_are_required_an_unbound_one_is_refused(trusting, github):
    agents = trusting.directory.catalog.agents
    bound = replace(agents["billing-job"], dpop_required=True)
    trusting.declare(agents={**agents, "billing-job": bound})
    assertion = github.sign(job_claims(trusting))
    assert await asked(trusting, assertion) == (400, "invalid_dpop_proof")


# -- once --------------------------------------------------------------


async def test_an_assertion_is_good_once(trusting, github):
    assertion = github.sign(job_claims(trusting))
    assert await asked(trusting, assertion) == (200, None)
    assert await asked(trusting, assertion) == INVALID_GRANT
    assert len(trusting.audit.of(TokenIssued)) == 1


async def test_of_many_at_once_one_is_taken(trusting, github):
    assertion = github.sign(job_claims(trusting))
    outcomes = await asyncio.gather(*(asked(trusting, assertion) for _ in range(8)))
    assert sorted(outcomes) == [(200, None)] + [INVALID_GRANT] * 7
    assert len(trusting.audit.of(TokenIssued)) == 1


async def test_two_issuers_may_use_the_same_jti(trusting, github, cluster):
    assert await asked(trusting, github.sign(job_claims(trusting, jti="x"))) == (200, None)
    assert await asked(trusting, cluster.sign(pod_claims(trusting, jti="x"))) == (200, None)


async def test_where_no_jti_is_required_an_assertion_lives_ten_minutes_and_is_used_again(
    trusting, cluster
):
    trust(trusting, trusting.cluster, require_jti=False)
    now = trusting.clock.now()
    for jti in (None, "reused"):
        short = cluster.sign(pod_claims(trusting, jti=jti, exp=now + 600))
        assert await asked(trusting, short) == (200, None)
        assert await asked(trusting, short) == (200, None)
    assert await asked(trusting, cluster.sign(pod_claims(trusting))) == INVALID_GRANT
    old = pod_claims(trusting, iat=now - 3_000, exp=now + 600)
    assert await asked(trusting, cluster.sign(old)) == INVALID_GRANT


async def test_equal_requests_of_one_workload_share_a_grant(trusting, github):
    for _ in range(3):
        await ask(trusting, github.sign(job_claims(trusting)))
    assert len(grants(trusting)) == 1
    await ask(trusting, github.sign(job_claims(trusting, sub="repo:acme/shop:ref:refs/tags/v1")))
    await ask(trusting, github.sign(job_claims(trusting)), scope=READ)
    assert len(grants(trusting)) == 3


async def test_a_revoked_grant_is_not_used_again(trusting, github):
    await ask(trusting, github.sign(job_claims(trusting)))
    (grant,) = grants(trusting)
    now = trusting.clock.now()
    await trusting.database.run(
        lambda tx: revoke_grant(
            tx, grant.id, reason="x", at=now, context=trusting.only(TokenIssued).context
        )
    )
    token = token_of(trusting, await ask(trusting, github.sign(job_claims(trusting))))
    assert token.grant_id != grant.id


async def test_every_refusal_is_recorded_without_the_assertion(trusting, github):
    assertion = github.sign(job_claims(trusting, repository="evil/shop"))
    await ask(trusting, assertion)
    event = trusting.only(TokenRefused)
    assert (event.grant_type, event.error) == (GRANT, "invalid_grant")
    assert assertion.split(".")[1] not in str(trusting.audit.events)
    assert "evil" not in str(trusting.audit.events)
