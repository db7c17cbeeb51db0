"""The container: deterministic, and nothing in it that is no file of a policy repository."""

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.deployment import BundleMalformedError, bundle_bytes, bundle_of, read_bundle
from remit.deployment.bundle import MAX_BUNDLE, Signature, is_digest
from remit.repository.files import FOLDERS, SINGLE

from .conftest import FILES, bundle

CONTENTS = {path: text.encode() for path, text in FILES.items()}


def test_the_same_files_make_the_same_bytes_whatever_their_order():
    turned = dict(reversed(CONTENTS.items()))
    assert bundle_bytes(bundle_of(CONTENTS)) == bundle_bytes(bundle_of(turned))


def test_what_was_written_is_read_again():
    one = bundle_of(CONTENTS).with_signature(Signature("key", "value"))
    one = replace(one, provenance={"stage": "staging"})
    assert read_bundle(bundle_bytes(one)) == one


@pytest.mark.parametrize(
    "path",
    [
        "../remit.yaml", "policies/../../x.cedar", "/etc/passwd", "policies//x.cedar", "policies/./x.cedar",
        "policies\\x.cedar", "C:/remit.yaml", ".git/config", "policies/.hidden.cedar", "policies/x.cedar\n",
        "policies/x.cedar\x00", "servers/crm.yml", "ci/run.sh", "policies/sub/x.cedar", "README.md", "",
        "stages/../remit.yaml", "stages/prod/tests/x.yaml", "stages/x/../../remit.yaml", "tests/x.py",
        "policies/" + "x" * 300 + ".cedar",
    ],
    ids=repr,
)  # fmt: skip
def test_a_path_that_names_no_file_of_a_repository_is_refused(path):
    with pytest.raises(BundleMalformedError, match="no path of a policy repository"):
        bundle_of({**CONTENTS, path: b""})


@pytest.mark.parametrize(
    "path",
    ["stages/prod/servers/crm.yaml", "stages/prod/remit.yaml", "tests/a.yaml", "tests/a/b.yaml"],
)
def test_overlays_and_decision_tables_count(path):
    assert bundle_of({**CONTENTS, path: b""}).digest != bundle_of(CONTENTS).digest


@pytest.mark.parametrize(
    "path", [*SINGLE, *(f"{folder}/one{end}" for folder, end in FOLDERS.items())]
)
def test_every_file_that_a_repository_is_made_of_counts(path):
    laid = f"stages/prod/{path}"
    assert bundle_of({**CONTENTS, path: b"1", laid: b""}).contents.keys() >= {path, laid}


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ({}, "no file in it"),
        ({**CONTENTS, "policies/x.cedar": b"\xff\xfe"}, "no UTF-8"),
        ({**CONTENTS, "policies/x.cedar": b"x" * (1_048_577)}, "larger than"),
        ({f"policies/p{n}.cedar": b"x" for n in range(2_001)}, "more than"),
        ({f"policies/p{n}.cedar": b"x" * 1_000_000 for n in range(17)}, "larger than"),
    ],
    ids=["empty", "bytes", "large file", "many files", "large whole"],
)
def test_what_is_no_text_or_too_much_is_refused(contents, said):
    with pytest.raises(BundleMalformedError, match=said):
        bundle_of(contents)


def _changed(**members: object) -> bytes:
    value = json.loads(bundle_bytes(bundle()))
    return json.dumps(value | members).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"null", b"[]", b"{}", b'{"bundle":1}', b'{"bundle":1,"bundle":1}', b"PK\x03\x04",
        _changed(bundle=2), _changed(extra=1), _changed(files=[]), _changed(files={"remit.yaml": 1}),
        _changed(digest="0" * 64), _changed(digest=None), _changed(signatures={}), _changed(signatures=[1]),
        _changed(signatures=[{"key": "k"}]), _changed(signatures=[{"key": "k", "value": "v"}] * 17),
        _changed(signatures=[{"key": "k", "value": "v" * 600}]), _changed(provenance=[]),
        _changed(provenance={"said": "x" * 20_000}),
    ],
    ids=lambda data: data[:20].decode("latin-1").encode("unicode_escape").decode() + f"+{len(data)}",
)  # fmt: skip
def test_what_is_no_bundle_is_refused(data):
    with pytest.raises(BundleMalformedError):
        read_bundle(data)


def test_half_a_bundle_is_none():
    whole = bundle_bytes(bundle())
    for cut in (1, len(whole) // 2, len(whole) - 1):
        with pytest.raises(BundleMalformedError):
            read_bundle(whole[:cut])


def test_a_file_that_was_changed_after_it_was_named_is_noticed():
    value = json.loads(bundle_bytes(bundle()))
    value["files"]["policies/all.cedar"] += "\n"
    with pytest.raises(BundleMalformedError, match="not what its name says"):
        read_bundle(json.dumps(value).encode())


def test_more_than_is_ever_read_is_refused_before_it_is_parsed():
    with pytest.raises(BundleMalformedError, match="larger than"):
        read_bundle(b" " * (2 * MAX_BUNDLE + 1))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_comes_is_a_bundle_or_refused(data):
    with contextlib.suppress(BundleMalformedError):
        assert read_bundle(data).contents


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 64 + "\n"])
def test_only_a_digest_is_taken_for_one(text):
    assert not is_digest(text)
    assert is_digest(bundle().digest)
