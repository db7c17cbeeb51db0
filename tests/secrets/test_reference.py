"""Secrets outside, named by reference."""

import pytest

from remit.secrets import SecretNotFoundError, resolve_secret


def test_an_environment_variable_is_read():
    assert resolve_secret("env:CRM_TOKEN", env={"CRM_TOKEN": "s e c\n"}) == "s e c\n"


def test_the_process_environment_is_the_default(monkeypatch):
    monkeypatch.setenv("REMIT_TEST_SECRET", "abc")
    assert resolve_secret("env:REMIT_TEST_SECRET") == "abc"


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b"abc", "abc"), (b"abc\n", "abc"), (b"abc\r\n", "abc"), (b"a\n\n", "a\n")],
)
def test_a_file_is_read_without_its_last_line_break(tmp_path, content, secret):
    (tmp_path / "secret").write_bytes(content)
    assert resolve_secret(f"file:{tmp_path / 'secret'}") == secret


@pytest.mark.parametrize(
    "reference", ["hunter2", "", "env:", "file:", "env:A B", "env:1A", "ENV:A", "vault:a", "env: A"]
)
def test_what_names_no_secret_is_refused_and_not_repeated(reference):
    with pytest.raises(SecretNotFoundError) as raised:
        resolve_secret(reference, env={"A": "x", "": "y"})
    assert raised.value.detail == "a secret is named `env:NAME` or `file:PATH`"


@pytest.mark.parametrize("env", [{}, {"CRM_TOKEN": ""}])
def test_a_variable_that_is_not_set_or_empty_is_refused(env):
    with pytest.raises(SecretNotFoundError, match="`CRM_TOKEN` is not set"):
        resolve_secret("env:CRM_TOKEN", env=env)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_without_a_usable_secret_is_refused(tmp_path, content):
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SecretNotFoundError):
        resolve_secret(f"file:{tmp_path / 'secret'}")


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(SecretNotFoundError, match="cannot be read"):
        resolve_secret(f"file:{tmp_path / name}")
