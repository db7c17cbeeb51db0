"""Requests are signed as Amazon's own example has it, and as nothing else."""

from remit.clock import EpochSeconds
from remit.sinks.receivers.aws_signature import AwsKey, signed_headers

# Amazon S3, "Authenticating Requests: Using the Authorization Header", example "PUT Object".
KEY = AwsKey(
    access="AKIAIOSFODNN7EXAMPLE",
    secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region="us-east-1",
)
HOST = "examplebucket.s3.amazonaws.com"
AT = EpochSeconds(1_369_353_600)  # 20130524T000000Z


def sign(**changes):
    given = {"content": b"", "now": AT, **changes}
    given["given"] = {"host": given.pop("host", HOST), **given.pop("also", {})}
    path = given.pop("path", "/test$file.text")
    return signed_headers(given.pop("key", KEY), given.pop("method", "PUT"), path, **given)


def test_the_example_of_amazon_has_the_signature_of_amazon():
    also = {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    headers = sign(content=b"Welcome to Amazon S3.", also=also)
    assert headers["authorization"].endswith(
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


def test_what_is_signed_is_said():
    headers = sign(content=b"Welcome to Amazon S3.")
    assert headers["x-amz-date"] == "20130524T000000Z"
    assert headers["x-amz-content-sha256"] == (
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    )
    assert headers["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
    )
    assert "host" not in headers


def test_every_part_of_a_request_is_under_the_signature():
    signatures = {
        sign()["authorization"],
        sign(method="GET")["authorization"],
        sign(path="/other")["authorization"],
        sign(host="other")["authorization"],
        sign(content=b"x")["authorization"],
        sign(now=EpochSeconds(AT + 1))["authorization"],
    }
    assert len(signatures) == 6


def test_a_session_is_signed_with_the_rest():
    key = AwsKey(access="A", secret="S", region="eu-west-1", session="token")
    headers = sign(key=key)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token, Signature" in headers["authorization"]


def test_no_secret_stands_in_the_repr_of_a_key():
    assert "wJalr" not in repr(KEY)
