import pytest

from remit.model import ClaimMapping, IdentityProvider, SecondFactor, SignIn

from .conftest import Repository

PROVIDER = """\
providers:
  acme-login:
    title: Acme
    issuer: https://login.acme.example
    client_id: remit
    tenant: acme
"""


def test_without_the_file_people_have_passwords(repository: Repository) -> None:
    assert repository.catalog().sign_in == SignIn()


def test_what_is_left_out_has_its_default(repository: Repository) -> None:
    assert repository.write("people.yaml", PROVIDER).catalog().sign_in.providers == {
        "acme-login": IdentityProvider(
            name="acme-login",
            title="Acme",
            issuer="https://login.acme.example",
            client_id="remit",
            tenant="acme",
        )
    }


def test_what_is_written_is_what_holds(repository: Repository) -> None:
    repository.write(
        "people.yaml",
        "passwords: false\nsecond_factor: required\n"
        + PROVIDER
        + """\
    secret: env:LOGIN_SECRET
    scopes: [openid, groups]
    username_claim: upn
    attributes: {department: dept}
    rules:
      - {claims: {groups: [a, b], hd: acme.example}, roles: [support], attributes: {x: y}, tenant: globex}
      - {claims: {groups: contractors}, deny: true}
    provision: false
    believe_amr: true
    private_network: true
""",
    )
    assert repository.catalog().sign_in == SignIn(
        passwords=False,
        second_factor=SecondFactor.REQUIRED,
        providers={
            "acme-login": IdentityProvider(
                name="acme-login",
                title="Acme",
                issuer="https://login.acme.example",
                client_id="remit",
                secret="env:LOGIN_SECRET",
                scopes=("openid", "groups"),
                tenant="acme",
                username_claim="upn",
                attributes={"department": "dept"},
                rules=(
                    ClaimMapping(
                        claims={"groups": ("a", "b"), "hd": ("acme.example",)},
                        roles=("support",),
                        attributes={"x": "y"},
                        tenant="globex",
                    ),
                    ClaimMapping(claims={"groups": ("contractors",)}, deny=True),
                ),
                provision=False,
                believe_amr=True,
                private_network=True,
            )
        },
    )


def test_the_file_counts_for_the_version(repository: Repository) -> None:
    before = repository.catalog().version
    assert repository.write("people.yaml", "passwords: true\n").catalog().version != before


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("issuer: login.acme.example", "4 `login.acme.example` is no issuer"),
        ("issuer: http://login.acme.example", "4 `http://login.acme.example` would be asked in the clear"),
        ("issuer: http://127.0.0.1:1", "4 `http://127.0.0.1:1` would be asked in the clear"),
        ("tenant: initech", "4 unknown tenant `initech`"),
        ("secret: hunter2", "4 a secret stands in the repository, or what is no reference to one"),
        ("secret:", "4 the secret is left blank"),
        ("scopes: [profile]", "4 without the scope `openid` there is no ID token"),
        ("scopes: [openid, 'a b']", "4 `a b` is no scope"),
        ("believe_amr: 1", "4 `1` where `true` or `false` belongs"),
        ("claims: {}", "4 unknown key `claims`"),
        ("rules: [{claims: {}, roles: [support]}]", "4 a mapping is out of bounds"),
        ("rules: [{claims: {groups: []}, roles: [support]}]", "4 a list is out of bounds"),
        ("rules: [{claims: {groups: 1}, roles: [support]}]", "4 `1` where a list belongs"),
        ("rules: [{claims: {groups: a}}]", "4 a rule that makes nothing of anybody"),
        ("rules: [{claims: {groups: a}, deny: true, roles: [support]}]", "4 a rule that keeps people out gives them nothing"),
        ("rules: [{claims: {groups: a}, roles: [suport]}]", "4 unknown role `suport`; did you mean `support`?"),
        ("rules: [{claims: {groups: a}, tenant: initech}]", "4 unknown tenant `initech`"),
    ],
)  # fmt: skip
def test_what_a_provider_cannot_be_is_refused_at_its_line(
    repository: Repository, line: str, says: str
) -> None:
    key = line.partition(":")[0]
    kept = [one for one in PROVIDER.splitlines() if not one.strip().startswith(f"{key}:")]
    kept.insert(3, f"    {line}")
    repository.write("people.yaml", "\n".join(kept) + "\n")
    said = repository.said()
    assert f"people.yaml:{says}" in said
    assert [one for one in said if "of a tenant" not in one] == [f"people.yaml:{says}"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("passwords: false\n", "nobody could log in"),
        ("second_factor: always\n", "`always` is not known here"),
        ("providers: {Acme: {}}\n", "`Acme` is no name"),
        ("provider: {}\n", "unknown key `provider`; did you mean `providers`?"),
    ],
)
def test_what_the_file_cannot_say_is_refused(repository: Repository, text: str, says: str) -> None:
    repository.write("people.yaml", text)
    assert f"people.yaml:1 {says}" in repository.said()


def test_roles_that_no_file_declares_are_unknown(repository: Repository) -> None:
    (repository.path / "roles.yaml").unlink()
    repository.write(
        "people.yaml", PROVIDER + "    rules: [{claims: {groups: a}, roles: [support]}]\n"
    )
    assert repository.said() == ["people.yaml:7 unknown role `support`"]
