from pathlib import Path

from remit.settings.file import read_file


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "remit.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_has_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, "# ours\nport: 1\n  \nallowed_origins:\n  - https://a.example\n")
    entries, faults = read_file(path)
    assert faults == ()
    assert [(name, value, origin.place) for name, value, origin in entries] == [
        ("port", 1, f"{path}:2:1"),
        ("allowed_origins", ["https://a.example"], f"{path}:4:1"),
    ]


def test_an_absolute_folder_stays_where_it_is(tmp_path: Path) -> None:
    entries, _ = read_file(write(tmp_path, "data: /var/lib/remit\n"))
    assert entries[0][1] == "/var/lib/remit"


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert read_file(write(tmp_path, "")) == ((), ())


def test_what_is_no_yaml_is_a_fault_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, "port: 1\nhost: [\n")
    entries, faults = read_file(path)
    assert entries == ()
    assert faults[0].origin.place.startswith(f"{path}:")


def test_an_alias_is_refused(tmp_path: Path) -> None:
    _, faults = read_file(write(tmp_path, "host: &h x\npublic_url: *h\n"))
    assert any("anchor" in fault.message for fault in faults)
