import pytest

from remit_audit_verify.record import MAX_RECORD_BYTES
from remit_audit_verify.stream_files import (
    find_streams,
    list_segments,
    read_lines,
    read_notes,
    segment_name,
)

NOTE = "a\n1\nroot\n\n— a sig\n"


def test_segments_are_in_the_order_of_their_records(tmp_path):
    for first in (100, 9, 0):
        (tmp_path / segment_name(first)).touch()
    (tmp_path / "extra.jsonl").touch()
    (tmp_path / "checkpoints").touch()
    segments, foreign = list_segments(tmp_path)
    assert [segment.first for segment in segments] == [0, 9, 100]
    assert [path.name for path in foreign] == ["extra.jsonl"]


@pytest.mark.parametrize("name", ["checkpoints", "log.pub", "00000000000000000000.jsonl"])
def test_a_folder_with_any_file_of_a_stream_is_one(tmp_path, name):
    assert find_streams(tmp_path) == []
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / name).touch()
    assert find_streams(tmp_path) == [tmp_path / "main"]
    assert find_streams(tmp_path / "main") == [tmp_path / "main"]


def test_lines_know_where_they_end_and_whether_they_are_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one\n\nthree\nrest")
    lines = list(read_lines(path))
    assert [(line.number, line.end, line.content, line.complete) for line in lines] == [
        (1, 4, b"one", True),
        (2, 5, b"", True),
        (3, 11, b"three", True),
        (4, 15, b"rest", False),
    ]
    assert [line.content for line in read_lines(path, 5)] == [b"three", b"rest"]


def test_an_endless_line_is_read_in_pieces(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    assert max(len(line.content) for line in read_lines(path)) <= MAX_RECORD_BYTES + 2
    assert not any(line.complete for line in read_lines(path))


def test_the_longest_record_is_one_line(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * MAX_RECORD_BYTES + b"\n")
    (line,) = read_lines(path)
    assert line.complete
    assert len(line.content) == MAX_RECORD_BYTES


def lines_of(text: str) -> list[bytes]:
    return text.encode().splitlines(keepends=True)


def test_notes_end_with_the_empty_line_after_their_signatures():
    witnessed = NOTE + "— w sig\n"
    notes = list(read_notes(lines_of(f"{NOTE}\n{witnessed}\n")))
    assert [note.content.decode() for note in notes] == [NOTE, witnessed]
    assert [note.line for note in notes] == [1, 7]
    assert notes[1].end == len(f"{NOTE}\n{witnessed}\n".encode())
    assert all(note.complete for note in notes)


@pytest.mark.parametrize("cut", range(1, len(f"{NOTE}\n".encode())))
def test_a_note_that_is_cut_short_anywhere_is_not_whole(cut):
    content = f"{NOTE}\n".encode()[:-cut]
    (note,) = read_notes(content.splitlines(keepends=True))
    assert not note.complete
    assert note.content == content
