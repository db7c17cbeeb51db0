"""Who can and what can, where an external engine permits: asked only if wanted, and what it says is never a permission."""

from pathlib import Path

import pytest

from tests.api.reachable.test_operation import of, people, what, who
from tests.engines import real
from tests.engines.doubles import pdp

__all__ = ["people", "what", "who"]

VETO = """
@id("issue-tokens")
permit (principal, action == Remit::Action::"issue", resource);

@id("no-close")
forbid (principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("5000.0")) };
"""
REFUND = {"amount": "500.01", "invoice_id": "inv-1", "reason": "broken"}


@pytest.fixture
def decided_by(app):
    """Lets the engine at a URL permit what the repository does not forbid."""

    async def put(kind, url, *, policies=VETO, patience="5s") -> None:
        repository: Path = app.settings.repo
        root = repository / "remit.yaml"
        text = root.read_text().split("\nengines:")[0]
        root.write_text(
            f"{text}\nengines:\n  pdp: {{ kind: {kind}, url: '{url}', timeout: {patience} }}\n"
        )
        for name in ("crm", "payments"):
            path = repository / "servers" / f"{name}.yaml"
            lines = [one for one in path.read_text().splitlines() if not one.startswith("engine:")]
            path.write_text("\n".join([*lines, "engine: pdp", ""]))
        for folder in ("policies", "tests", "rules"):
            for one in (repository / folder).glob("*"):
                one.unlink()
        (repository / "policies" / "veto.cedar").write_text(policies)
        await app.reload()

    return put


async def test_unless_it_is_wanted_no_engine_is_asked_and_it_says_who_decides(decided_by, who):
    async with pdp() as engine:
        await decided_by("cerbos", engine.url)
        answer = of(await who("payments/refund"), "support-assistant")["support"]
    assert engine.connections == 0
    assert (answer["verdict"], answer["engine"], answer["engine_says"]) == ("depends", "pdp", None)
    assert [one["policy"] for one in answer["conditions"]] == ["no-close"]


async def test_where_no_engine_permits_none_is_asked_and_that_is_said(who):
    found = await who("payments/refund", ask_engine="true")
    assert {one["engine_says"] for one in found["answers"]} == {None}
    assert any("no external engine permits" in one for one in found["notes"])


@pytest.mark.node
@pytest.mark.parametrize("kind", ["cerbos", "authzen"])
async def test_a_real_engine_says_what_it_will_say_of_the_call(
    decided_by, people, who, what, kind, tmp_path
):
    async with getattr(real, kind)(tmp_path) as engine:
        await decided_by(kind, engine.url)
        some = of(await who("payments/refund", ask_engine="true"), "support-assistant")
        assert some["support"]["engine_says"]["answer"] == "yes"
        assert some["support"]["engine_says"]["asked"] == "list"
        assert some["support"]["verdict"] == "depends"
        for amount, said in (("500.00", "yes"), ("500.01", "no")):
            given = {**REFUND, "amount": amount}
            found = await who("payments/refund", ask_engine="true", arguments=given)
            this = of(found, "support-assistant")["support"]
            assert this["engine_says"]["asked"] == "call"
            assert this["engine_says"]["answer"] == said
            assert this["verdict"] == "depends"
        lists = await what("support-assistant", user="dana", ask_engine="true")
        by_name = {one["name"]: one for one in lists["answers"]}
        assert by_name["list_accounts"]["engine_says"]["answer"] == "no"
        assert by_name["list_accounts"]["verdict"] == "depends"
        assert by_name["get_account"]["engine_says"]["answer"] == "yes"
        assert any("permits nothing" in one for one in lists["notes"])


async def test_who_the_engine_might_tell_apart_is_asked_about_one_by_one(decided_by, people, who):
    async with pdp() as engine:
        await decided_by("cerbos", engine.url)
        found = await who("payments/get_invoice", ask_engine="true", tenant="acme")
        principals = {one["principal"]["id"] for one in engine.questions}
    accounts = [
        one for one in found["answers"] if one["people"].get("names") and one["engine_says"]
    ]
    assert {one["people"]["count"] for one in accounts} == {1}
    assert len({one for one in principals if one.startswith("usr_") and one != "usr_somebody"}) == 3


@pytest.mark.parametrize("behaviour", ["gone", "late", "wrong"])
async def test_an_engine_that_does_not_answer_is_unknown_and_nobody_can(decided_by, who, behaviour):
    async with pdp() as engine:

        async def late(writer, right):
            del writer, right

        async def wrong(writer, right):
            writer.write(
                b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{"results": true}'
            )

        engine.behaves = {"late": late, "wrong": wrong}.get(behaviour)
        if behaviour == "gone":
            engine.close()
        await decided_by("cerbos", engine.url, patience="50ms")
        answers = (await who("payments/get_invoice", ask_engine="true"))["answers"]
        said = [one["engine_says"] for one in answers if one["engine_says"] is not None]
    assert said
    assert {one["answer"] for one in said} == {"unknown"}
    assert all(one["why"] for one in said)
    assert {one["verdict"] for one in answers} == {"depends", "never"}


async def test_what_the_repository_forbids_is_not_asked_elsewhere(decided_by, who):
    async with pdp() as engine:
        await decided_by(
            "authzen",
            engine.url,
            policies=VETO
            + '@id("none") forbid (principal, action == Remit::Action::"payments/refund", resource);',
        )
        answers = (await who("payments/refund", ask_engine="true"))["answers"]
    assert engine.questions == []
    assert {one["verdict"] for one in answers} == {"never"}
    assert {one["engine_says"] for one in answers} == {None}


async def test_a_word_that_is_none_is_refused(who):
    await who("payments/refund", ask_engine="perhaps", status=400)
