from remit.policy.error_text import error_text


def test_a_policy_keeps_its_name_and_values_go():
    text = 'error while evaluating policy `policy3`: cannot add `5` and "secret"'
    assert error_text(text, {"policy3": "limits"}) == (
        "error while evaluating policy `limits`: cannot add `…` and `…`"
    )


def test_a_policy_unknown_to_the_names_keeps_its_own():
    assert error_text("policy `x` failed") == "policy `x` failed"


def test_an_error_is_one_short_line():
    assert "\n" not in error_text("a\nb")
    assert len(error_text("x" * 500)) == 200


def test_single_quotes_hide_too():
    assert "10.0.0.999" not in error_text("'10.0.0.999' is no address")
