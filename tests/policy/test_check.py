"""Mistakes in policies are found before they are loaded, and are shown where they are."""

from dataclasses import replace

import pytest

from remit.model import Operation, Sensitivity, Tool
from remit.policy import PolicySource, check_policies
from remit.testing.catalog import CRM, with_server


def only(problems):
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_what_is_right_has_no_problems(desk):
    assert desk.check('@id("a") permit(principal, action, resource);') == []
    assert desk.check("") == []
    assert desk.check("// nothing but a comment; really\n") == []


def test_a_syntax_error_is_shown_where_it_is(desk):
    text = '@id("a")\npermit(principal, action, resource)\n  when { principal.id == };\n'
    problem = only(desk.check(text))
    assert (problem.line, problem.column) == (3, 26)
    assert problem.file == "policies/test.cedar"
    assert problem.message.startswith("syntax: ")
    assert problem.excerpt == "  when { principal.id == };"


def test_one_mistake_does_not_hide_another(desk):
    text = (
        '@id("a") permit(principal action, resource);\n'
        '@id("b") permit(principal, action, resource) when { resource.nope == 1 };\n'
    )
    assert [problem.line for problem in desk.check(text)] == [1, 2]


def test_a_string_that_does_not_end_is_shown_where_it_starts(desk):
    text = '@id("a") permit(principal, action, resource) when { resource.name == "x };\n@id("b") permit(principal, action, resource);\n'
    problem = desk.check(text)[0]
    assert (problem.line, problem.column) == (1, 70)


def test_a_missing_semicolon_is_shown_at_the_end(desk):
    problem = only(desk.check('@id("a")\npermit(principal, action, resource)\n'))
    assert problem.line == 2


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ('resource.tennant == "acme"', "tennant"),
        ("principal.roles == 5", "permit"),
        ("context.tme.hour == 5", "tme"),
        ('resource.tenant == "acme"', "tenant"),
        ('context.ip.isInRange(ip("10.0.0.0/8"))', "ip.isIn"),
        ('principal.getTag("x") == "y"', '"x"'),
        ('context.time.hour == "5"', "permit"),
        ('decimal("1.00001").lessThan(decimal("2.0"))', '"1.00001"'),
    ],
)
def test_what_does_not_validate_strictly_is_refused(desk, condition, word):
    text = f'@id("a") permit(principal, action, resource) when {{ {condition} }};'
    problem = desk.check(text)[0]
    assert problem.column == text.index(word) + 1


def test_an_argument_exists_only_for_its_own_tool(desk):
    head = '@id("a") permit(principal, action == Remit::Action::"{}", resource) when {{ {} }};'
    assert desk.check(head.format("crm/get_account", 'context.arguments.account == "a"')) == []
    assert desk.check(head.format("payments/refund", 'context.arguments.account == "a"'))
    assert desk.check(head.format("crm/update_account", "context.arguments.score > 1"))
    optional = "context.arguments has score && context.arguments.score > 1"
    assert desk.check(head.format("crm/update_account", optional)) == []
    assert desk.check(head.format("issue", "context.arguments.account == 1"))


def test_a_mistake_about_many_actions_is_one_problem(desk):
    text = '@id("a") permit(principal, action in Remit::Action::"call", resource) when { context.arguments.nope };'
    problem = only(desk.check(text))
    assert "others" in problem.message


def test_an_unknown_action_is_shown_with_the_one_that_was_meant(desk):
    text = '@id("a") permit(principal, action == Remit::Action::"crm/get_acount", resource);'
    problem = only(desk.check(text))
    assert "did you mean `crm/get_account`?" in problem.message
    assert problem.column == text.index('"crm/get_acount"') + 1


@pytest.mark.parametrize("name", ["User", "Remit::Usr", "Remit::Circumstances"])
def test_an_unknown_entity_type_is_refused(desk, name):
    assert desk.check(f'@id("a") permit(principal == {name}::"now", action, resource);')


def test_every_policy_has_an_id(desk):
    problem = only(desk.check("permit(principal, action, resource);"))
    assert "`@id`" in problem.message


@pytest.mark.parametrize("name", ["", " ", "a b", "é", "x" * 101, "a\\nb"])
def test_an_id_is_a_name(desk, name):
    assert (
        "`@id`" in only(desk.check(f'@id("{name}") permit(principal, action, resource);')).message
    )


def test_an_id_belongs_to_one_policy_in_all_files(desk):
    policy = '@id("a") permit(principal, action, resource);'
    sources = [
        PolicySource(policy, "policies/a.cedar"),
        PolicySource("\n" + policy, "policies/b.cedar"),
    ]
    problem = only(check_policies(sources, desk.catalog))
    assert (problem.file, problem.line) == ("policies/b.cedar", 2)
    assert "policies/a.cedar:1" in problem.message


def test_an_annotation_that_nobody_reads_is_refused(desk):
    problem = only(desk.check('@id("a") @refusl("no") forbid(principal, action, resource);'))
    assert "did you mean `refusal`?" in problem.message


@pytest.mark.parametrize("words", ["", "  ", "x" * 301, "a\\nb", "a\\u{202e}b"])
def test_a_refusal_is_one_line_that_can_be_shown(desk, words):
    assert desk.check(f'@id("a") @refusal("{words}") forbid(principal, action, resource);')


def test_a_permit_has_no_refusal(desk):
    assert (
        "`permit`"
        in only(desk.check('@id("a") @refusal("no") permit(principal, action, resource);')).message
    )


def test_a_template_is_refused(desk):
    assert (
        "template"
        in only(desk.check('@id("a") permit(principal == ?principal, action, resource);')).message
    )


def test_context_is_read_by_attribute(desk):
    """What a policy depends on must be seen, or an open question could not be put exactly."""
    text = '@id("a") permit(principal, action, resource) when { context == context };'
    assert any("as a whole" in problem.message for problem in desk.check(text))


def test_two_things_with_one_action_are_refused(desk):
    crm = desk.catalog.servers[CRM]
    tool = Tool(
        name="prompt/summary", operation=Operation.READ, scopes=(), sensitivity=Sensitivity.LOW
    )
    catalog = with_server(desk.catalog, replace(crm, tools={**crm.tools, tool.name: tool}))
    problems = check_policies([], catalog)
    assert [problem.file for problem in problems] == ["servers/crm.yaml"] * 2
    assert "`crm/prompt/summary`" in problems[0].message


@pytest.mark.parametrize(
    "text", ["\x00", "permit", ";;", "/* x */", "@", '"', "permit(" * 500, "é" * 50]
)
def test_whatever_is_written_is_a_problem_and_never_an_exception(desk, text):
    assert desk.check(text)


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 20_000 + "true" + ")" * 20_000,
        " && ".join(["true"] * 20_000),
        "principal" + ".a" * 20_000,
        "if true then true else " * 20_000 + "true",
        "[" * 20_000 + "]" * 20_000,
    ],
    ids=["brackets", "chain", "path", "if", "sets"],
)
def test_a_policy_that_would_exhaust_the_parsers_stack_is_a_problem(desk, condition):
    """Cedar's parser recurses: text nested deeply enough ends the process, not the parse."""
    problem = only(
        desk.check(f'@id("a") permit(principal, action, resource) when {{ {condition} }};')
    )
    assert "too intricate" in problem.message


def test_a_long_list_is_not_intricate(desk):
    roles = ", ".join(f'"role-{n}"' for n in range(2_000))
    text = f'@id("a") permit(principal, action, resource) when {{ [{roles}].containsAny(principal.roles) }};'
    assert desk.check(text) == []


def test_without_a_catalog_a_policy_is_checked_for_what_needs_no_types():
    text = (
        'permit(principal, action == Remit::Action::"nowhere/x", resource);\n'
        '@id("a") @refuse("no") forbid(principal, action, resource);\n'
        '@id("a") permit(principal, action, resource);\n'
        '@id("b") permit(principal, action resource);\n'
    )
    said = [one.message for one in check_policies([PolicySource(text, "p.cedar")], None)]
    assert said == [
        "the policy has no `@id`",
        "unknown annotation `refuse`; did you mean `refusal`?",
        "the `@id` `a` is taken, at p.cedar:2",
        "syntax: unexpected token `resource`",
    ]
