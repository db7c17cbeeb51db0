from remit.documents import did_you_mean, one_of


def test_a_near_word_is_suggested() -> None:
    assert did_you_mean("toolz", ["tools", "owner"]) == "; did you mean `tools`?"


def test_a_far_word_is_not() -> None:
    assert did_you_mean("qqq", ["tools", "owner"]) == ""


def test_how_near_is_near_can_be_said() -> None:
    assert did_you_mean("organization", ["organization_id"], likeness=0.9) == ""
    assert did_you_mean("organisation_id", ["organization_id"], likeness=0.9) != ""


def test_known_words_are_listed_in_order() -> None:
    assert one_of([]) == ""
    assert one_of(["b"]) == "`b`"
    assert one_of(["c", "a", "b"]) == "`a`, `b` or `c`"


def test_a_long_list_is_cut() -> None:
    assert one_of(f"w{n:02}" for n in range(40)).endswith("`w15` or 24 others")
