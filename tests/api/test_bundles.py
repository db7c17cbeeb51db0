"""Bundles over the management API: listed, carried elsewhere, gone back to, forgotten."""

import pytest

from remit.cli.bundle_source import bundle_in
from remit.deployment import bundle_bytes, bundle_from, read_bundle

PROPOSALS, BUNDLES = "/api/v1/proposals", "/api/v1/bundles"


def rename(settings, name: str) -> None:
    """A change that nobody has to look at."""
    path = settings.repo / "remit.yaml"
    lines = path.read_text().splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if line.startswith("  name: Remit"))
    lines[place] = f"  name: Remit {name}\n"
    path.write_text("".join(lines))


@pytest.fixture
def apply(management, settings):
    async def applied(name: str, **members: object):
        rename(settings, name)
        answer = await management.post(
            PROPOSALS, json=bundle_in(settings.repo, None) | members, timeout=120
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return applied


async def test_before_the_first_the_folder_decides(management, app):
    listed = (await management.get(BUNDLES)).json()
    assert (listed["decided_by"], listed["activations"], listed["trial"]) == ("folder", [], None)
    assert listed["in_force"] == app.bundles.present.loaded.bundle


async def test_what_was_in_force_when_is_listed(management, apply):
    first, second = await apply("one"), await apply("two")
    listed = (await management.get(BUNDLES)).json()
    assert (listed["decided_by"], listed["in_force"]) == ("bundle", second["bundle"])
    assert [one["how"] for one in listed["activations"]] == ["apply", "apply", "folder"]
    assert listed["activations"][0]["previous"] == first["bundle"]
    in_force = [one["digest"] for one in listed["bundles"] if one["is_in_force"]]
    assert in_force == [second["bundle"]]


async def test_a_bundle_is_carried_as_it_is_with_who_says_where_it_was(management, apply, settings):
    digest = (await apply("one"))["bundle"]
    answer = await management.get(f"{BUNDLES}/{digest[:12]}/content")
    carried = read_bundle(answer.content)
    assert carried.digest == digest == bundle_from(bundle_in(settings.repo, None)["bundle"]).digest
    assert bundle_bytes(carried) == answer.content
    assert carried.provenance["is_in_force"] is True
    key = (await management.get("/api/v1/bundle-key")).json()["keys"][0]
    assert [one.key for one in carried.signatures] == [key["kid"]]
    assert set(key) == {"kty", "crv", "x", "kid"}
    shown = (await management.get(f"{BUNDLES}/{digest}")).json()
    assert "remit.yaml" in shown["files"]
    assert [one["sequence"] for one in shown["activations"]] == [2]


@pytest.mark.parametrize("path", ["nothing", "nothing/content", "0" * 64])
async def test_what_is_not_kept_is_not_found(management, path):
    assert (await management.get(f"{BUNDLES}/{path}")).status_code == 404


async def test_going_back_is_one_request(management, app, apply):
    first = (await apply("one"))["bundle"]
    await apply("two")
    answer = await management.post(
        BUNDLES.removesuffix("s") + "-rollback", json={"reason": "it broke"}
    )
    assert (answer.status_code, answer.json()["bundle"]) == (200, first)
    assert app.directory.catalog.version == first
    again = await management.post(BUNDLES.removesuffix("s") + "-rollback", json={"bundle": first})
    assert again.status_code == 409
    for body in ({"bundle": "0" * 64}, {"bundle": "zz"}):
        assert (
            await management.post(BUNDLES.removesuffix("s") + "-rollback", json=body)
        ).status_code == 404
    assert (
        await management.post(BUNDLES.removesuffix("s") + "-rollback", json={"to": first})
    ).status_code == 400


async def test_what_is_needed_is_never_forgotten(management, apply):
    digests = [(await apply(str(number)))["bundle"] for number in range(3)]
    removed = (
        await management.post(BUNDLES.removesuffix("s") + "-pruning", json={"keep": 5})
    ).json()["removed"]
    assert removed == []
    assert (
        await management.post(BUNDLES.removesuffix("s") + "-pruning", json={"keep": 1})
    ).status_code == 400
    kept = {one["digest"] for one in (await management.get(BUNDLES)).json()["bundles"]}
    assert set(digests) <= kept
