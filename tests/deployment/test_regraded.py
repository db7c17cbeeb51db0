"""Two steps, each of which needs nobody, that would come to what one step may not."""

import pytest

from remit.deployment import bundle_of

from .conftest import FILES, RULES, bundle

SERVER = FILES["servers/crm.yaml"]
SET = "  set: {operation: write, scopes: [crm:accounts.write], sensitivity: critical}\n"
LOW = "  set: {operation: write, scopes: [crm:accounts.read], sensitivity: low}\n"
WITHOUT = {"servers/crm.yaml": SERVER.replace(SET, "")}


def without_file(path: str, changes: dict[str, str]):
    files = {**FILES, **changes}
    del files[path]
    return bundle_of({name: text.encode() for name, text in files.items()})


async def test_what_was_taken_away_is_not_put_back_as_something_harmless(process):
    assert (await process.apply(bundle(WITHOUT))).state.value == "in_force"
    proposal = await process.apply(bundle({"servers/crm.yaml": SERVER.replace(SET, LOW)}))
    assert (proposal.state.value, proposal.waits_for) == ("waits", ("regraded",))


async def test_nor_a_whole_server(process):
    assert (await process.apply(without_file("servers/crm.yaml", {}))).state.value == "in_force"
    proposal = await process.apply(bundle({"servers/crm.yaml": SERVER.replace(SET, LOW)}))
    assert "regraded" in proposal.waits_for


async def test_nor_a_scope(process):
    scopes = FILES["scopes.yaml"]
    less = {**WITHOUT, "scopes.yaml": "\n".join(scopes.splitlines()[:1]) + "\n"}
    assert (await process.apply(bundle(less))).state.value == "in_force"
    low = {**WITHOUT, "scopes.yaml": scopes.replace("critical", "low")}
    assert "regraded" in (await process.apply(bundle(low))).waits_for


async def test_what_is_new_and_was_never_anything_else_needs_nobody(process):
    assert (await process.apply(bundle(WITHOUT))).state.value == "in_force"
    new = WITHOUT["servers/crm.yaml"] + LOW.replace("set", "other")
    assert (await process.apply(bundle({"servers/crm.yaml": new}))).state.value == "in_force"


async def test_where_one_person_may_decide_everything_they_may(start):
    never = FILES["remit.yaml"].replace(RULES, "deployment: {second_person: never}")
    process = start(bundle({"remit.yaml": never}))
    await process.apply(bundle({**WITHOUT, "remit.yaml": never}))
    low = {"servers/crm.yaml": SERVER.replace(SET, LOW), "remit.yaml": never}
    assert (await process.apply(bundle(low))).state.value == "in_force"


@pytest.mark.parametrize(
    "upstream",
    [
        "{http: {url: 'https://CRM.example:8443/other'}}",
        "{http: {url: 'https://elsewhere.example/mcp', bearer_secret: 'env:CRM_TOKEN'}}",
        "{stdio: {command: [sh, -c, id]}}",
    ],
    ids=["the same host", "a secret goes there", "a command runs here"],
)
@pytest.mark.parametrize("way", ["another server", "the same server"])
async def test_a_server_of_low_grade_is_looked_at_for_what_it_reaches(process, upstream, way):
    low = SERVER.replace(SET, "")
    other = {"servers/other.yaml": low.replace("https://crm.", "https://harmless.")}
    if way == "the same server":
        assert (await process.apply(bundle(other))).state.value == "in_force"
    other = {
        "servers/other.yaml": low.replace("{http: {url: 'https://crm.example/mcp'}}", upstream)
    }
    proposal = await process.apply(bundle(other))
    assert (proposal.state.value, proposal.waits_for) == ("waits", ("second_person",))
