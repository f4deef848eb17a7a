"""Files that are replaced as a whole, and text that is read line by line."""

import gzip
import os
import tracemalloc

import pytest

from sknn import _files
from sknn._files import read_lines, read_pieces, replace_file, write_file


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("content", ["täxt\n", b"\x00\xff"])
def test_a_file_is_written_and_replaced(tmp_path, content):
    path = tmp_path / "file"
    for _ in range(2):
        write_file(path, content)
        assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
        assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "file"
    write_file(path, "good")

    def fail_midway():
        with replace_file(path) as unfinished:
            unfinished.write_text("ha")
            raise error

    with pytest.raises(type(error)) as caught:
        fail_midway()
    if isinstance(error, OSError):
        assert caught.value.filename == str(path)
    assert path.read_text() == "good"
    assert names_in(tmp_path) == ["file"]


def test_an_error_names_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere/file"):
        write_file(tmp_path / "nowhere" / "file", "text")
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path, "text")


@pytest.mark.skipif(os.name != "posix", reason="links and permissions of POSIX")
def test_links_are_followed_and_permissions_kept(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_file(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    write_file("/dev/null", "gone")


def test_lines_end_where_files_end_them_and_nowhere_else(tmp_path):
    path = tmp_path / "text"
    text = "\ufeffa\u2028b\x85c\x1cd\r\ne\rf\n\n"
    for content in (text.encode(), gzip.compress(text.encode(), mtime=0)):
        path.write_bytes(content)
        assert list(read_lines(path)) == [(1, "a\u2028b\x85c\x1cd"), (2, "e"), (3, "f"), (4, "")]


@pytest.mark.parametrize("n", [*range(_files.PIECE - 3, _files.PIECE + 2)])
def test_lines_and_letters_across_pieces_are_whole(tmp_path, n):
    path = tmp_path / "text"
    path.write_bytes(b"x" * n + "ä\r\n€\r\nlast".encode())
    assert list(read_lines(path)) == [(1, "x" * n + "ä"), (2, "€"), (3, "last")]


def test_a_file_that_unfolds_without_end_is_refused_early(tmp_path):
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(70):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"bomb.gz' .* unpacks to more than .* unpack it with"):
        for _ in read_pieces(path):
            pass
    with pytest.raises(ValueError, match=r"Line 1 of .* holds a NUL byte"):
        list(read_lines(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
