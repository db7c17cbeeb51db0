import pytest

from remit.api.administrator import Administrator, ForbiddenError
from remit.api.trail_query import Conditions, read_trail_query
from remit.audit import Context
from remit.errors import Error, NotFoundError

EVERYWHERE = Administrator(context=Context())
OF_GLOBEX = Administrator(context=Context(), tenant="globex")


async def read(app, query: str, by=EVERYWHERE):
    given = dict(pair.split("=") for pair in query.split("&") if pair)
    return await read_trail_query(Conditions(**given), app.database, by)


async def refusal(app, query: str) -> str:
    with pytest.raises(Error) as caught:
        await read(app, query)
    return caught.value.detail


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("kind=decisions", "did you mean `decision`?"),
        ("kind=xyzzy", "docs/reference/events.md"),
        ("kind=xyzzy.*", "no kind of event begins with `xyzzy.`"),
        ("outcome=allowed", "did you mean `allow`?"),
        ("outcome=maybe", "`allow`, `approved`, `cancelled`"),
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
    found = await read(app, query)
    assert set(found.as_json()) <= set(Conditions.model_fields)
    assert len(found.as_json()) == query.count("=")


async def test_a_person_is_asked_for_by_name(app, management, dana):
    created = (await management.post("/api/v1/users", json=dana)).json()
    found = await read(app, "user=dana")
    assert found.user == created["id"]


async def test_who_acts_for_one_organisation_sees_its_events_alone(app, management, dana):
    await management.post("/api/v1/users", json=dana)
    assert (await read(app, "", OF_GLOBEX)).tenant == "globex"
    with pytest.raises(ForbiddenError):
        await read(app, "tenant=acme", OF_GLOBEX)
    with pytest.raises(NotFoundError):
        await read(app, "user=dana", OF_GLOBEX)
