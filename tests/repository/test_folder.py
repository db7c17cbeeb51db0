import os
from pathlib import Path

import pytest

from remit.documents import Problem
from remit.documents.reading import MAX_BYTES
from remit.repository import files, folder
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


@pytest.mark.parametrize(
    "name",
    [
        "servers/crm.yaml~",
        "agents/#helper.yaml#",
        "policies/all.cedar.swp",
        "servers/crm.yaml.orig",
    ],
)
def test_what_an_editor_left_behind_is_refused_in_words_that_say_so(
    repository: Repository, name: str
) -> None:
    repository.write(name, "x: 1")
    [problem] = read_files(repository.path).problems
    assert "an editor left behind" in problem.expected


@pytest.mark.parametrize("name", ["servers/.crm.yaml.swp", ".#remit.yaml", "stages/.tmp/x.yaml"])
def test_what_an_editor_hides_is_not_read(repository: Repository, name: str) -> None:
    repository.write(name, "x: 1")
    assert read_files(repository.path).problems == ()


def test_overlays_and_decision_tables_are_read_apart(repository: Repository) -> None:
    repository.write("stages/prod/servers/crm.yaml", "a: 1\n").write(
        "tests/deep/one.yaml", "b: 1\n"
    )
    repository.write("tests/data.csv", "c").write("tests/README.md", "d")
    found = read_files(repository.path)
    assert found.problems == ()
    assert found.overlays == {"prod": {"servers/crm.yaml": b"a: 1\n"}}
    assert found.cases == {"tests/deep/one.yaml": b"b: 1\n"}
    assert set(found.bundle) == {*FILES, "stages/prod/servers/crm.yaml", "tests/deep/one.yaml"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "stages/prod/server/crm.yaml",
            "`stages/prod/server` is not read; did you mean `servers`?",
        ),
        (
            "stages/prod/remit.yml",
            "`stages/prod/remit.yml` is not read; did you mean `remit.yaml`?",
        ),
        ("stages/prod/notes.txt", "`stages/prod/notes.txt` is not read"),
        ("stages/prod/servers/crm.yml", "`stages/prod/servers/crm.yml` is not read"),
        ("stages/prod/stages/dev/roles.yaml", "`stages/prod/stages` is not read"),
        ("stages/prod/tests/a.yaml", "`stages/prod/tests` is not read"),
        ("stages/prod.yaml", "`stages/prod.yaml` is not read"),
        ("stage/prod/roles.yaml", "`stage` is not read; did you mean `stages`?"),
        ("tests/a.yml", "`tests/a.yml` is not read"),
        ("test/a.yaml", "`test` is not read; did you mean `tests`?"),
    ],
)
def test_what_would_be_left_out_of_a_stage_in_silence_is_refused(
    repository: Repository, name: str, says: str
) -> None:
    repository.write(name, "x: 1")
    assert [one.message for one in read_files(repository.path).problems] == [says]


@pytest.mark.parametrize("place", ["stages", "stages/prod", "stages/prod/servers", "tests"])
def test_a_link_out_of_the_folder_is_refused_wherever_a_folder_may_stand(
    repository: Repository, tmp_path: Path, place: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "roles.yaml").write_text("hunter2: 1")
    link = repository.path / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(tmp_path / "outside")
    found = read_files(repository.path)
    assert [one.message for one in found.problems] == [f"`{place}` is no folder of the repository"]
    assert "hunter2" not in repr(found)


def test_a_link_in_an_overlay_that_leads_out_is_refused(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "secret.yaml").write_text("hunter2: 1")
    (repository.path / "stages" / "prod").mkdir(parents=True)
    (repository.path / "stages" / "prod" / "roles.yaml").symlink_to(tmp_path / "secret.yaml")
    [problem] = read_files(repository.path).problems
    assert problem.file == "stages/prod/roles.yaml"
    assert problem.message == "a link that leads out of the repository"


def test_a_folder_that_leads_into_itself_has_an_end(repository: Repository) -> None:
    repository.write("tests/a.yaml", "x: 1")
    (repository.path / "tests" / "again").symlink_to(repository.path / "tests")
    assert "tests/a.yaml" in read_files(repository.path).cases


class _Writer:
    """Writes into the folder whenever one of its files is read, `times` times."""

    def __init__(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch, *, times: int
    ) -> None:
        self.left = times
        self.repository = repository
        inner = folder._read

        def read(place: Path, name: str, problems: list[Problem]) -> bytes | None:
            content = inner(place, name, problems)
            if name == "scopes.yaml" and self.left:
                self.left -= 1
                # A change of two files, one of which has been read already.
                repository.write("agents/helper.yaml", f"# {self.left}\n")
                repository.write("servers/crm.yaml", f"# {self.left}\n")
            return content

        monkeypatch.setattr(folder, "_read", read)


def test_files_that_change_while_they_are_read_are_read_as_they_are_afterwards(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Writer(repository, monkeypatch, times=2)
    found = read_files(repository.path)
    assert found.problems == ()
    assert found.contents["agents/helper.yaml"] == found.contents["servers/crm.yaml"] == b"# 0\n"


def test_a_folder_that_never_rests_is_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Writer(repository, monkeypatch, times=10_000)
    assert [one.message for one in read_files(repository.path).problems] == [
        "the repository changes while it is read"
    ]


def test_a_file_that_goes_away_while_it_is_read_is_gone(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = folder._read

    def read(place: Path, name: str, problems: list[Problem]) -> bytes | None:
        (repository.path / "roles.yaml").unlink(missing_ok=True)
        return inner(place, name, problems)

    monkeypatch.setattr(folder, "_read", read)
    found = read_files(repository.path)
    assert found.problems == ()
    assert "roles.yaml" not in found.contents


def test_a_file_that_cannot_be_read_is_a_mistake(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Path.open

    def refuse(path: Path, *arguments: object) -> object:
        if path.name == "roles.yaml":
            raise PermissionError(13, "Permission denied")
        return inner(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    [problem] = read_files(repository.path).problems
    assert (problem.file, problem.message) == (
        "roles.yaml", "cannot read the file: permission denied",
    )  # fmt: skip
