import pytest


def scope(name, covers=()):
    return (
        f"'{name}': {{title: T, description: D, covers: [{', '.join(repr(c) for c in covers)}]}}\n"
    )


def take(tidy, *names, operation="read"):
    """A tool that takes each of the scopes, and an agent and a role that hold them."""
    for name in names:
        count = (tidy.path / "servers" / "crm.yaml").read_text().count("operation")
        tidy.append(
            "servers/crm.yaml",
            f"  tool{count}: {{operation: {operation}, scopes: ['{name}'], sensitivity: low}}\n",
        )
        for file in ("agents/helper.yaml", "roles.yaml"):
            text = (tidy.path / file).read_text()
            tidy.write(file, text.replace("scopes: [", f"scopes: ['{name}', "))


def test_there_is_nothing_to_remark_on_a_tidy_repository(tidy, said):
    assert said(tidy) == []


@pytest.mark.parametrize("name", ["crm:read", "crm:accounts:read", "billing:refund"])
def test_a_name_outside_the_convention_is_remarked(tidy, said, name):
    tidy.append("scopes.yaml", scope(name))
    take(tidy, name)
    assert f"scope-name scopes.yaml:5 `{name}` does not say which operation on what" in said(tidy)


@pytest.mark.parametrize(
    "name",
    [
        "crm:customer.read.basic", "tenant:read:{organization_id}", "prod:payments.refund", "env:prod:execute",
        "crm:reports.read.{organization_id}", "hr:payroll.export", "env:{environment}:execute",
    ],
)  # fmt: skip
def test_names_of_the_convention_are_not(tidy, said, name):
    tidy.append("scopes.yaml", scope(name))
    take(tidy, name)
    assert not [one for one in said(tidy) if one.startswith("scope-name")]


def test_a_placeholder_that_nothing_fills_is_remarked(tidy, said):
    tidy.append("scopes.yaml", scope("hr:read.{department}"))
    take(tidy, "hr:read.{department}")
    [found] = [one for one in said(tidy) if one.startswith("placeholder-claim")]
    assert found.endswith("nothing gives a person the attribute `department`")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("roles.yaml", "attributes: [{when: {department: hr}, roles: [support]}]\n"),
        (
            "people.yaml",
            "providers: {okta: {title: O, issuer: 'https://o.example', client_id: c, tenant: acme, attributes: {department: dept}}}\n",
        ),
    ],
)
def test_an_attribute_that_somebody_gives_is_filled(tidy, said, file, text):
    tidy.append("scopes.yaml", scope("hr:read.{department}"))
    take(tidy, "hr:read.{department}")
    tidy.write(file, ((tidy.path / file).read_text() if file == "roles.yaml" else "") + text)
    assert said(tidy) == []


def test_a_scope_for_one_environment_on_a_server_of_another_is_remarked(tidy, said):
    tidy.append("scopes.yaml", scope("dev:accounts.read")).append(
        "scopes.yaml", scope("prod:accounts.read")
    ).append("scopes.yaml", scope("env:dev:execute"))
    take(tidy, "dev:accounts.read", "prod:accounts.read", "env:dev:execute")
    found = [one for one in said(tidy) if one.startswith("prefix-mismatch")]
    assert [one.split("`")[1] for one in found] == ["dev:accounts.read", "env:dev:execute"]


def test_a_scope_that_covers_all_of_its_system_is_remarked(tidy, said):
    names = ["crm:accounts.read", "crm:accounts.write", "crm:accounts.delete", "crm:notes.read"]
    tidy.append("scopes.yaml", scope("crm:desk.use", names))
    take(tidy, "crm:desk.use")
    assert any(
        one.startswith("wide-scope scopes.yaml:5 `crm:desk.use` covers all other scopes of `crm`")
        for one in said(tidy)
    )


def test_a_scope_that_covers_a_part_of_its_system_is_not(tidy, said):
    tidy.append("scopes.yaml", scope("crm:desk.use", ["crm:accounts.read", "crm:notes.read"]))
    take(tidy, "crm:desk.use")
    assert not [one for one in said(tidy) if one.startswith("wide")]


def test_a_scope_that_covers_very_many_is_remarked(tidy, said):
    names = [f"crm:part{n}.read" for n in range(9)]
    for name in names:
        tidy.append("scopes.yaml", scope(name))
    tidy.append("scopes.yaml", scope("crm:parts.read", names))
    take(tidy, "crm:parts.read")
    assert any("wide-covers" in one and "covers 9 scopes" in one for one in said(tidy))


def test_a_scope_that_crosses_into_another_system_is_remarked_where_it_does(tidy, said):
    tidy.append("scopes.yaml", scope("hr:people.read", ["crm:notes.read"]))
    take(tidy, "hr:people.read")
    assert (
        "crossing-covers scopes.yaml:5 `hr:people.read` covers `crm:notes.read`, which is of `crm`"
    ) in said(tidy)


def test_an_environment_in_front_is_no_other_system(tidy, said):
    tidy.append("scopes.yaml", scope("prod:crm.accounts.list", ["crm:accounts.read"]))
    take(tidy, "prod:crm.accounts.list")
    assert not [one for one in said(tidy) if one.startswith("crossing")]


def test_reading_that_covers_changing_is_remarked(tidy, said):
    tidy.append("scopes.yaml", scope("crm:board.view", ["crm:accounts.write"]))
    take(tidy, "crm:board.view")
    assert (
        "read-covers-write scopes.yaml:5 `crm:board.view` reads, and covers `crm:accounts.write`, which changes"
    ) in said(tidy)


def test_changing_that_is_told_only_by_its_tool_counts_as_well(tidy, said):
    tidy.append("scopes.yaml", scope("crm:sync.run")).append(
        "scopes.yaml", scope("crm:board.view", ["crm:sync.run"])
    )
    take(tidy, "crm:sync.run", operation="execute")
    take(tidy, "crm:board.view")
    assert any(one.startswith("read-covers-write") for one in said(tidy))


def test_changing_may_cover_reading(tidy, said):
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:accounts.read']}")
    assert not [one for one in said(tidy) if one.startswith("read-covers-write")]


def test_what_is_covered_by_way_of_another_is_remarked(tidy, said):
    tidy.append("scopes.yaml", scope("crm:accounts.list", ["crm:notes.read"]))
    tidy.append("scopes.yaml", scope("crm:desk.view", ["crm:accounts.list", "crm:notes.read"]))
    take(tidy, "crm:accounts.list", "crm:desk.view")
    assert (
        "redundant-covers scopes.yaml:6 `crm:notes.read` is covered by way of `crm:accounts.list` already"
    ) in said(tidy)


def test_scopes_in_a_ring_are_a_mistake_and_no_remark(tidy, said):
    tidy.append("scopes.yaml", scope("a:b.read", ["a:c.read"])).append(
        "scopes.yaml", scope("a:c.read", ["a:b.read"])
    )
    assert not [one for one in said(tidy) if one.startswith("redundant")]
