import pytest

FAX = "crm:fax.send: {title: Fax, description: Send a fax.}"


def test_a_remark_is_silenced_on_its_line_with_a_reason(tidy, said):
    tidy.append("scopes.yaml", f"{FAX} # remit: ignore[unused-scope] comes with the next release\n")
    assert said(tidy) == []


def test_a_comment_that_stands_alone_silences_the_next_line(tidy, said):
    tidy.append("scopes.yaml", f"# remit: ignore[unused-scope] comes with the next release\n{FAX}\n")  # fmt: skip
    assert said(tidy) == []


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("# remit: ignore[unused-scope]", "an exception without a reason"),
        ("# remit: ignore[unused-scope] x", "an exception without a reason"),
        ("# remit: ignore", "an exception of no kind"),
        ("# remit: ignore all of it", "an exception of no kind"),
        ("# remit: ignore[] because", "an exception of no kind"),
        ("# remit: ignore[unused-scop] because", "there is no code `unused-scop`; did you mean `unused-scope`?"),
        ("# remit: ignore[schema] because", "`schema` is a mistake, which nothing silences"),
    ],
)  # fmt: skip
def test_an_exception_that_is_none_is_remarked_and_silences_nothing(tidy, said, comment, says):
    tidy.append("scopes.yaml", f"{FAX} {comment}\n")
    found = said(tidy)
    assert f"bad-ignore scopes.yaml:5 {says}" in found
    assert any(one.startswith("unused-scope") for one in found)


def test_an_exception_that_silences_nothing_is_remarked(tidy, said):
    tidy.append("roles.yaml", "# remit: ignore[unused-scope] not here\n")
    assert said(tidy) == ["unused-ignore roles.yaml:3 nothing here is silenced by `unused-scope`"]


def test_an_exception_holds_for_its_own_code_alone(tidy, said):
    tidy.append("scopes.yaml", f"{FAX} # remit: ignore[wide-scope] because it is wide\n")
    assert [one.split(" ")[0] for one in said(tidy)] == ["unused-scope", "unused-ignore"]


def test_several_codes_may_stand_in_one(tidy, said):
    tidy.append("scopes.yaml", "crm:fax: {title: F, description: D} # remit: ignore[unused-scope, scope-name] old client\n")  # fmt: skip
    assert said(tidy) == []


def test_an_exception_in_an_overlay_holds_there(tidy, said):
    tidy.append("remit.yaml", "stages: [prod]\n").write(
        "stages/prod/roles.yaml", "roles: {twin: {scopes: [crm:notes.read]}, other: {scopes: [crm:notes.read]}} # remit: ignore[equal-roles] for a week\n"
    )  # fmt: skip
    assert [one for one in said(tidy, None, "prod") if one.startswith("equal-roles")] == []


def test_no_file_can_silence_a_mistake(repository, said):
    repository.append("roles.yaml", "rolls: {} # remit: ignore[schema] it works\n")
    assert repository.said() == ["roles.yaml:3 unknown key `rolls`; did you mean `roles`?"]
