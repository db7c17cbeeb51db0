from remit.audit.extent import MOST_FOLLOWED, MOST_SHOWN, beginning, is_followed_whole, values_in


def count(value):
    members = value.values() if isinstance(value, dict) else value
    return 1 + sum(map(count, members)) if isinstance(value, dict | list) else 1


def test_what_is_small_is_looked_at_as_it_is():
    document = {"a": [1, {"b": None, "c": [True, "x", 1.5]}], "d": {}}
    assert beginning(document) == document
    assert is_followed_whole(document)


def test_of_what_is_large_the_first_values_are_in_their_order():
    document = {"a": list(range(300)), "b": list(range(300)), "c": 1}
    found = beginning(document)
    assert found["a"] == document["a"]
    assert found["b"] == list(range(len(found["b"])))
    assert "c" not in found
    assert count(found) == 512
    assert document["c"] == 1


def test_what_is_too_deep_is_left_out():
    document = []
    for _ in range(100):
        document = [document, 7]
    assert count(beginning(document)) < 40
    assert not is_followed_whole(document)


def test_what_is_too_much_is_not_followed_as_a_whole():
    assert is_followed_whole([0] * (MOST_FOLLOWED - 1))
    assert not is_followed_whole([0] * MOST_FOLLOWED)
    assert not is_followed_whole([[0] * 50 for _ in range(50)])


def test_values_are_counted_until_there_are_many():
    assert values_in(7) == values_in([]) == 1
    assert values_in({"a": [1, {"b": None}]}) == 5
    assert values_in([[0] * 400] * 2) == values_in([0] * 100_000) == MOST_SHOWN
