import pytest

from remit.api.trail_query import CONDITIONS, read_trail_query
from remit.errors import Error
from remit.web import parse_query


async def refusal(app, query: str) -> str:
    with pytest.raises(Error) as caught:
        await read_trail_query(parse_query(query.encode()), app.database)
    return caught.value.detail


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("kind=decisions", "did you mean `decision`?"),
        ("kind=xyzzy", "docs/reference/events.md"),
        ("kind=xyzzy.*", "no kind of event begins with `xyzzy.`"),
        ("outcome=allowed", "did you mean `allow`?"),
        ("outcome=maybe", "`allow`, `cancelled`, `challenge`"),
        ("since=yesterday", "write `2026-01-31`"),
        ("until=2026-13-01", "`until` is not an instant"),
        ("since=2026-01-31T25", "`since` is not an instant"),
        ("user=nobody", "no such account"),
    ],
)
async def test_what_no_event_can_meet_is_refused_with_what_can_be_asked(app, query, said):
    assert said in await refusal(app, query)


@pytest.mark.parametrize(
    "query",
    ["kind=grant.*", "kind=decision", "outcome=deny", "since=2026", "until=2026-01-31T12:00:00.123Z",
     "agent=gone&tenant=gone&client=x&grant=gr_x&server=gone"],
)  # fmt: skip
async def test_what_was_once_true_may_be_asked_for(app, query):
    found = await read_trail_query(parse_query(query.encode()), app.database)
    assert set(found.as_json()) <= set(CONDITIONS)
    assert len(found.as_json()) == query.count("=")


async def test_a_person_is_asked_for_by_name(app, management, dana):
    created = (await management.post("/v1/users", json=dana)).json()
    found = await read_trail_query(parse_query(b"user=dana"), app.database)
    assert found.user == created["id"]
