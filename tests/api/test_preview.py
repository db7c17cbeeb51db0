"""What the log would keep of a call, told before there is one."""

import pytest

CALL = {"server": "crm", "tool": "get_account", "tenant": "acme"}


async def preview(management, **more):
    return await management.post("/api/v1/audit/preview", json={**CALL, **more})


async def test_each_value_is_told_with_its_reason_and_nothing_is_recorded(management, app):
    before = app.audit.status().size if hasattr(app.audit, "status") else None
    answer = await preview(management, arguments={"account_id": "acc_1", "other": ["x", 1]})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert {one["pointer"] for one in found["values"]} == {"/account_id", "/other/0", "/other/1"}
    assert all(one["why"] for one in found["values"])
    assert "acc_1" not in str(found["input"]) or found["input"]["account_id"] == "acc_1"
    assert found["input"]["other"][0].startswith("tok1.text.")
    after = app.audit.status().size if hasattr(app.audit, "status") else None
    assert before == after


async def test_a_token_that_is_shown_is_none_of_the_logs_and_another_each_time(management, app):
    first, second = [
        (await preview(management, arguments={"x": "guess"})).json()["input"]["x"] for _ in range(2)
    ]
    assert first != second
    assert app.custody.redactor.token("guess", tenant="acme") not in {first, second}


async def test_a_rule_of_the_repository_and_a_detector_are_named(management, app, settings):
    (settings.repo / "audit.yaml").write_text(
        "redaction:\n- {path: $.note, treatment: keep}\n- {path: $.code, treatment: seal, class: phi}\n"
    )
    await app.reload()
    found = (
        await preview(management, arguments={"note": "write to ann@example.com", "code": "E11"})
    ).json()
    told = {one["pointer"]: one for one in found["values"]}
    assert told["/note"]["treatment"] == "keep"
    assert told["/note"]["found"] == ["email"]
    assert "$.note" in told["/note"]["why"]
    assert "ann@example.com" not in str(found["input"])
    assert (told["/code"]["treatment"], told["/code"]["sort"]) == ("seal", "phi")
    assert "/code" in found["sealed"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"server": "nowhere"}, 404),
        ({"tool": "nothing"}, 404),
        ({"tenant": "nobody"}, 404),
        ({"arguments": []}, 400),
        ({"more": 1}, 400),
    ],
)
async def test_what_there_is_not_is_not_previewed(management, change, status):
    assert (await preview(management, **change)).status_code == status
