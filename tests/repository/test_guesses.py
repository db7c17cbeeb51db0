import pytest

from remit.model import ArgumentType, Operation, Sensitivity
from remit.repository.guesses import guess_arguments, guess_operation, words_of


@pytest.mark.parametrize(
    ("name", "annotations", "operation", "sensitivity"),
    [
        ("list_accounts", None, Operation.READ, Sensitivity.LOW),
        ("getAccount", None, Operation.READ, Sensitivity.LOW),
        ("export-accounts", None, Operation.EXPORT, Sensitivity.HIGH),
        ("update_account", None, Operation.WRITE, Sensitivity.MEDIUM),
        ("delete_account", None, Operation.DELETE, Sensitivity.HIGH),
        ("run_query", None, Operation.EXECUTE, Sensitivity.HIGH),
        ("grant_role", None, Operation.ADMIN, Sensitivity.CRITICAL),
        ("frobnicate", None, Operation.WRITE, Sensitivity.MEDIUM),
        ("frobnicate", {"readOnlyHint": True}, Operation.READ, Sensitivity.LOW),
        ("frobnicate", {"destructiveHint": True}, Operation.DELETE, Sensitivity.HIGH),
        ("frobnicate", {"readOnlyHint": False}, Operation.WRITE, Sensitivity.MEDIUM),
        ("search_web", {"openWorldHint": True}, Operation.READ, Sensitivity.MEDIUM),
        ("delete_all", {"readOnlyHint": True}, Operation.DELETE, Sensitivity.HIGH),
        ("get_all", {"destructiveHint": True}, Operation.DELETE, Sensitivity.HIGH),
        ("get_all", "nonsense", Operation.READ, Sensitivity.LOW),
    ],
)
def test_of_what_the_name_and_the_server_say_the_worse_is_guessed(
    name, annotations, operation, sensitivity
):
    guess = guess_operation(name, annotations)
    assert (guess.operation, guess.sensitivity) == (operation, sensitivity)
    assert guess.because


@pytest.mark.parametrize(
    ("schema", "type_"),
    [
        ({"type": "string"}, ArgumentType.STRING),
        ({"type": "integer"}, ArgumentType.INTEGER),
        ({"type": "number"}, ArgumentType.DECIMAL),
        ({"type": "boolean"}, ArgumentType.BOOLEAN),
        ({"type": ["string", "null"]}, ArgumentType.STRING),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, ArgumentType.INTEGER),
        ({"type": "array", "items": {"type": "string"}}, ArgumentType.STRINGS),
        ({"type": "array", "items": {"type": "object"}}, None),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, None),
        ({"type": "object"}, None),
        ({"$ref": "#"}, None),
        (True, None),
    ],
    ids=str,
)
def test_an_argument_is_of_a_type_that_policies_read_or_of_none(schema, type_):
    (argument,) = guess_arguments({"properties": {"a": schema}, "required": ["a"]})
    assert argument.type is type_
    assert argument.required is (type_ is not None)


@pytest.mark.parametrize(
    "schema", [None, {}, {"properties": []}, {"properties": {"not a name": {}}}], ids=str
)
def test_what_names_no_argument_has_none(schema):
    assert guess_arguments(schema) == ()


def test_words_are_found_however_they_are_put_together():
    assert words_of("listAccounts") == words_of("list_accounts") == words_of("List-Accounts")
