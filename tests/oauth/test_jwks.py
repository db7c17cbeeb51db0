"""The published keys: those in force, and of them the public half."""

from joserfc import jws
from joserfc.jwk import KeySet as PublishedKeys

from remit.tokens import SigningKey

PATH = "/jwks"


async def test_a_token_verifies_with_what_is_published(world):
    signing = world.deps.keys.signing_at(world.clock.now())
    token = jws.serialize_compact(
        {"alg": "ES256", "kid": signing.kid}, b"payload", signing.key, algorithms=["ES256"]
    )
    published = PublishedKeys.import_key_set((await world.http.get(PATH)).json())
    assert jws.deserialize_compact(token, published, algorithms=["ES256"]).payload == b"payload"


async def test_no_private_part_is_published(world):
    (key,) = (await world.http.get(PATH)).json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


async def test_a_new_key_is_published_beside_the_old_one_until_that_retires(world):
    old = world.deps.keys.signing_at(world.clock.now())
    new = SigningKey.generate(world.clock.now() + 1)
    tag = (await world.http.get(PATH)).headers["etag"]
    world.deps.keys.publish([old, new])
    response = await world.http.get(PATH, headers={"If-None-Match": tag})
    assert [key["kid"] for key in response.json()["keys"]] == [new.kid, old.kid]
    world.deps.keys.publish([new])
    assert [key["kid"] for key in (await world.http.get(PATH)).json()["keys"]] == [new.kid]


async def test_without_a_key_the_set_is_empty(world):
    world.deps.keys.publish([])
    assert (await world.http.get(PATH)).json() == {"keys": []}
