from remit_audit_verify.expected import Expectations, Expected


def at(*sizes: int) -> list[Expected]:
    return [Expected(size=size, root=bytes(32), source="test") for size in sizes]


def test_sources_come_in_order_of_size_and_no_further_than_asked():
    expected = Expectations(at(3, 9), at(1, 5))
    assert [one.size for one in expected.take(5)] == [1, 3, 5]
    assert expected.due.size == 9
    expected.advance()
    assert expected.due is None
    expected.advance()
    assert expected.take(100) == []


def test_what_is_put_back_comes_again_in_its_order():
    expected = Expectations(at(1, 2, 3, 4))
    expected.put_back(expected.take(3))
    assert [one.size for one in expected.take(9)] == [1, 2, 3, 4]
