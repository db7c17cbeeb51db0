import os
from pathlib import Path

import pytest

from remit.documents.reading import MAX_BYTES
from remit.repository import files
from remit.repository.files import digest_of
from remit.repository.folder import RepositoryMissingError, read_files

from .conftest import FILES, Repository


def test_the_files_that_count_are_read_by_their_path(repository: Repository) -> None:
    found = read_files(repository.path)
    assert set(found.contents) == set(FILES)
    assert found.problems == ()


def test_other_files_and_hidden_files_do_not_count(repository: Repository) -> None:
    before = digest_of(read_files(repository.path).contents)
    for name in (
        "README.md",
        "tests/cases.csv",
        ".git/config",
        ".schemas/x.json",
        "servers/.swp",
        "policies/README.md",
    ):
        repository.write(name, "x")
    found = read_files(repository.path)
    assert found.problems == ()
    assert digest_of(found.contents) == before


@pytest.mark.parametrize(
    "name", ["servers/crm.yml", "agents/note.txt", "policies/x.yaml", "servers/old/crm.yaml"]
)
def test_what_would_be_ignored_where_only_counted_files_belong_is_refused(
    repository: Repository, name: str
) -> None:
    repository.write(name, "x: 1")
    [problem] = read_files(repository.path).problems
    assert "is not read" in problem.message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("remit.yml", "remit.yaml"),
        ("scope.yaml", "scopes.yaml"),
        ("server/x.yaml", "servers"),
        ("policy/x.cedar", "policies"),
    ],
)
def test_a_near_miss_at_the_top_is_refused_with_what_was_meant(
    repository: Repository, name: str, meant: str
) -> None:
    repository.write(name, "x: 1")
    [problem] = read_files(repository.path).problems
    assert f"did you mean `{meant}`?" in problem.message


@pytest.mark.parametrize("name", ["remit.yaml", "scopes.yaml"])
def test_a_file_that_must_be_there_is_missed(repository: Repository, name: str) -> None:
    (repository.path / name).unlink()
    assert [problem.message for problem in read_files(repository.path).problems] == [
        f"`{name}` is missing"
    ]


def test_a_folder_that_is_not_there_is_no_mistake_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(RepositoryMissingError, match="there is no folder"):
        read_files(tmp_path / "nowhere")


def test_a_link_that_leads_out_is_refused_and_what_it_leads_to_is_not_shown(
    repository: Repository, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("hunter2: 1")
    (repository.path / "servers" / "stolen.yaml").symlink_to(secret)
    found = read_files(repository.path)
    [problem] = found.problems
    assert problem.message == "a link that leads out of the repository"
    assert "servers/stolen.yaml" not in found.contents
    assert "hunter2" not in repr(found)


def test_a_folder_that_leads_out_is_refused(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text("x: 1")
    for entry in (repository.path / "agents").iterdir():
        entry.unlink()
    (repository.path / "agents").rmdir()
    (repository.path / "agents").symlink_to(outside)
    [problem] = read_files(repository.path).problems
    assert problem.message == "`agents` is no folder of the repository"


def test_links_within_the_repository_are_followed(repository: Repository) -> None:
    """As a mounted Kubernetes ConfigMap has them."""
    (repository.path / "..data").mkdir()
    (repository.path / "roles.yaml").rename(repository.path / "..data" / "roles.yaml")
    (repository.path / "roles.yaml").symlink_to("..data/roles.yaml")
    assert read_files(repository.path).problems == ()


def test_what_is_no_plain_file_is_refused(repository: Repository) -> None:
    os.mkfifo(repository.path / "servers" / "pipe.yaml")
    [problem] = read_files(repository.path).problems
    assert problem.message == "no plain file"


def test_a_file_that_is_too_large_is_refused(repository: Repository) -> None:
    repository.write("roles.yaml", "#" * (MAX_BYTES + 1))
    [problem] = read_files(repository.path).problems
    assert (problem.file, problem.message) == ("roles.yaml", "the file is too large")


def test_too_many_files_are_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILES", len(FILES) - 1)
    [problem] = read_files(repository.path).problems
    assert problem.expected == f"at most {len(FILES) - 1}"


def test_a_repository_that_is_too_large_is_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_TOTAL_BYTES", 100)
    assert any(
        problem.message == "the repository is too large"
        for problem in read_files(repository.path).problems
    )


def test_the_digest_depends_on_every_path_and_every_byte() -> None:
    whole = {"a": b"1", "b": b"2"}
    others = [
        {"a": b"12", "b": b""},
        {"a": b"1", "c": b"2"},
        {"a": b"1"},
        {"ab": b"12"},
        {"a": b"2", "b": b"1"},
    ]
    assert len({digest_of(one) for one in [whole, *others]}) == 6


def test_the_digest_does_not_depend_on_the_order_of_reading() -> None:
    assert digest_of({"a": b"1", "b": b"2"}) == digest_of({"b": b"2", "a": b"1"})
