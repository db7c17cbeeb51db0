"""Whatever goes wrong on the way to an engine is a refusal that says so, and is over when it is."""

import asyncio
from dataclasses import replace

import pytest

from remit.policy import DecisionReason
from remit.policy.port import EngineUnavailableError
from tests.engines.doubles import QUESTION, certificate, declared, pdp, point, response

KINDS = ["cerbos", "authzen"]


async def silent(writer, right):
    await asyncio.sleep(3600)


async def ends(writer, right):
    writer.close()


async def ends_amid(writer, right):
    writer.write(response(right)[:-4])
    await writer.drain()
    writer.close()


async def garbage(writer, right):
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


async def no_json(writer, right):
    writer.write(response(b"<html>yes</html>"))


async def two_readings(writer, right):
    writer.write(response(b'{"decision":false,"decision":true}'))


async def a_list(writer, right):
    writer.write(response([right]))


async def undeclared(writer, right):
    writer.write(response(right, headers="content-type: text/html"))


async def redirects(writer, right):
    writer.write(response(right, status="307 Temporary Redirect", headers="location: /elsewhere"))


async def encoded(writer, right):
    writer.write(
        response(right, headers="content-type: application/json\r\ncontent-encoding: gzip")
    )


async def unavailable(writer, right):
    writer.write(response(right, status="503 Service Unavailable"))


async def created(writer, right):
    writer.write(response(right, status="201 Created"))


async def huge(writer, right):
    writer.write(response({**right, "padding": "x" * 2_000_000}))


async def endless(writer, right):
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    while True:
        writer.write(b"4\r\n    \r\n" * 10_000)
        await writer.drain()


async def two_answers(writer, right):
    writer.write(response({"decision": False}) + response(right))


BROKEN = [
    (silent, "no answer within"),
    (ends, "broke"),
    (ends_amid, "broke"),
    (garbage, "broke"),
    (no_json, "not one strict JSON object"),
    (two_readings, "not one strict JSON object"),
    (a_list, "not one strict JSON object"),
    (undeclared, "not declared as JSON"),
    (redirects, "redirects"),
    (encoded, "content coding"),
    (unavailable, "answered 503"),
    (created, "answered 201"),
    (huge, "too large"),
    (endless, "too large"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("behaves", "said"), BROKEN, ids=[one.__name__ for one, _ in BROKEN])
async def test_what_is_no_answer_is_a_refusal_and_the_next_answer_is_believed(kind, behaves, said):
    async with pdp() as engine, point() as decisions:
        # Only who is silent is waited for; for the others the time never comes.
        slow = declared(kind, engine.url, timeout_ms=100 if behaves is silent else 5000)
        asked = replace(QUESTION, engine=slow)
        engine.behaves = behaves
        refused = await decisions.adjudicate(asked)
        assert not refused.allowed
        assert refused.reason is DecisionReason.ENGINE_ERROR
        assert refused.engine == "pdp"
        assert said in refused.errors[0]
        assert refused.rules == ()
        engine.behaves = None
        again = replace(QUESTION, engine=declared(kind, engine.url))
        assert (await decisions.adjudicate(again)).allowed


@pytest.mark.parametrize("kind", KINDS)
async def test_an_engine_that_is_not_there_refuses_until_it_is(kind):
    async with pdp() as engine:
        url = engine.url
    async with point() as decisions:
        refused = await decisions.adjudicate(replace(QUESTION, engine=declared(kind, url)))
    assert refused.reason is DecisionReason.ENGINE_ERROR
    assert "cannot be reached" in refused.errors[0]


async def test_an_answer_after_its_time_decides_nothing_not_even_the_next_question():
    async with pdp() as engine, point() as decisions:
        late = asyncio.Event()

        async def waits(writer, right):
            await late.wait()
            writer.write(response(right))

        engine.behaves = waits
        asked = replace(QUESTION, engine=declared("authzen", engine.url, timeout_ms=100))
        assert "no answer within 100 ms" in (await decisions.adjudicate(asked)).errors[0]

        async def refuses(writer, right):
            writer.write(response({"decision": False}))

        engine.behaves = refuses
        late.set()
        patient = replace(QUESTION, engine=declared("authzen", engine.url))
        decision = await decisions.adjudicate(patient)
        assert decision.reason is DecisionReason.NO_PERMIT
        assert engine.connections == 2


async def test_two_answers_in_one_breath_are_not_taken_for_those_to_two_questions():
    async with pdp() as engine, point() as decisions:
        engine.behaves = two_answers
        asked = replace(QUESTION, engine=declared("authzen", engine.url))
        for _ in range(3):
            assert not (await decisions.adjudicate(asked)).allowed


async def test_a_connection_is_used_again_and_one_that_was_closed_meanwhile_costs_nothing():
    async with pdp() as engine, point() as decisions:
        asked = replace(QUESTION, engine=declared("authzen", engine.url))
        for _ in range(5):
            assert (await decisions.adjudicate(asked)).allowed
        assert engine.connections == 1

        async def once(writer, right):
            writer.write(response(right))
            await writer.drain()
            writer.close()
            engine.behaves = None

        engine.behaves = once
        for _ in range(3):
            assert (await decisions.adjudicate(asked)).allowed


async def test_the_secret_goes_along_as_a_bearer_token_as_it_is_at_that_moment():
    secrets = iter(["first", "second"])
    async with pdp() as engine, point(read_secret=lambda _: next(secrets)) as decisions:
        asked = replace(QUESTION, engine=declared("cerbos", engine.url, secret="stored:pdp"))
        for _ in range(2):
            assert (await decisions.adjudicate(asked)).allowed
        assert "authorization: Bearer first\r\n" in engine.heads[0]
        assert "authorization: Bearer second\r\n" in engine.heads[1]


@pytest.mark.parametrize("secret", ["two\r\nlines", " spaced ", "ünïcode"])
async def test_a_secret_that_is_no_value_of_a_header_is_not_sent_and_not_told(secret):
    async with pdp() as engine, point(read_secret=lambda _: secret) as decisions:
        asked = replace(QUESTION, engine=declared("authzen", engine.url, secret="stored:pdp"))
        refused = await decisions.adjudicate(asked)
        assert "no value of a header" in refused.errors[0]
        assert secret.strip() not in refused.errors[0]
        assert engine.heads == []


async def test_a_secret_that_is_not_there_asks_nobody():
    def missing(reference):
        raise LookupError(reference)

    async with pdp() as engine, point(read_secret=missing) as decisions:
        asked = replace(QUESTION, engine=declared("authzen", engine.url, secret="env:NOT_THERE"))
        refused = await decisions.adjudicate(asked)
        assert "cannot be read" in refused.errors[0]
        assert engine.heads == []


async def test_over_tls_the_authority_that_is_named_is_believed_and_no_other(tmp_path):
    tls, authority = certificate(tmp_path, "localhost")
    async with pdp(tls, "localhost") as engine, point() as decisions:
        known = declared("authzen", engine.url, options={"ca_file": authority})
        assert (await decisions.adjudicate(replace(QUESTION, engine=known))).allowed
        stranger = declared("authzen", engine.url)
        refused = await decisions.adjudicate(replace(QUESTION, engine=stranger))
        assert "does not prove who it is" in refused.errors[0]
        assert len(engine.questions) == 1


async def test_over_tls_another_host_than_the_one_that_was_named_is_asked_nothing(tmp_path):
    tls, authority = certificate(tmp_path, "pdp.example")
    async with pdp(tls, "localhost") as engine, point() as decisions:
        wrong = declared("authzen", engine.url, options={"ca_file": authority})
        refused = await decisions.adjudicate(replace(QUESTION, engine=wrong))
        assert refused.reason is DecisionReason.ENGINE_ERROR
        assert "does not prove who it is" in refused.errors[0]
        assert engine.questions == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254", "https://[fe80::1]", "https://100.100.100.200", "http://192.0.2.7",
        "https://224.0.0.1", "ftp://127.0.0.1", "http://127.1",
    ],
)  # fmt: skip
async def test_what_is_not_to_be_asked_is_not(url):
    async with point() as decisions:
        asked = replace(QUESTION, engine=declared("authzen", url, timeout_ms=2000))
        refused = await decisions.adjudicate(asked)
        assert refused.reason is DecisionReason.ENGINE_ERROR
        assert any(said in refused.errors[0] for said in ("cannot be reached", "URL"))


async def test_an_authority_that_cannot_be_read_refuses_every_question(tmp_path):
    async with point() as decisions:
        engine = declared(
            "authzen", "https://localhost", options={"ca_file": str(tmp_path / "none.pem")}
        )
        refused = await decisions.adjudicate(replace(QUESTION, engine=engine))
        assert "authority cannot be read" in refused.errors[0]


async def test_what_is_asked_of_an_engine_names_no_argument_in_the_error():
    async with pdp() as engine, point() as decisions:
        engine.behaves = no_json
        asked = replace(QUESTION, engine=declared("authzen", engine.url))
        refused = await decisions.adjudicate(asked)
        assert "acc-1001" not in " ".join(refused.errors)
        assert EngineUnavailableError.__name__ in refused.errors[0]
