"""read_fasta: plain and packed files, and what is no FASTA."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknn.preprocessing import read_fasta
from tests.helpers import damaged_copies

TEXT = ">one first\nACGT\nac gt\n\n;comment\n>two\nTTTT\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n; old comment\n"])
def test_names_and_sequences(tmp_path, newline, packed, start):
    content = (start + TEXT).replace("\n", newline).encode("utf-8")
    path = tmp_path / "file.fa"
    path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    assert read_fasta(str(path)) == (["one first", "two"], ["ACGTacgt", "TTTT"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ACGT\n>a\nAC\n", "Line 1 of .*file.fa' is 'ACGT', before any header"),
        ("", "has no sequence; a FASTA file has lines"),
        (">a\n>b\nACGT\n", "Header 'a' in line 1 of .* has no sequence after it"),
        (">a\nAC\n>b\n", "Header 'b' in line 3"),
        (b">a\nAC\n>\xff\n", "Line 3 of .* is not text in UTF-8 .*0xff"),
        (">a\n".encode("utf-16"), "Line 1 of .* is not text in UTF-8"),
        (b">a\nAC\n\0", "Line 3 of .* holds a NUL byte"),
        (gzip.compress(b">a\nACGT\n", mtime=0)[:-6], "is a damaged gzip file"),
    ],
)
def test_what_is_no_fasta_is_refused(tmp_path, content, message):
    path = tmp_path / "file.fa"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ValueError, match=message):
        read_fasta(path)


def test_missing_file_is_told_by_python(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_fasta(tmp_path / "none.fa")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0\t\v\f "), max_size=8)
SEQUENCES = st.text("ACGTNacgtn-*", min_size=1, max_size=30)


@given(st.lists(st.tuples(NAMES, SEQUENCES), min_size=1, max_size=4), st.integers(1, 7))
def test_any_name_and_any_width_of_lines(tmp_path_factory, samples, width):
    path = tmp_path_factory.mktemp("fasta") / "file.fa"
    lines = []
    for name, sequence in samples:
        lines += [f">{name}", *(sequence[i : i + width] for i in range(0, len(sequence), width))]
    path.write_bytes("\n".join(lines).encode())
    assert read_fasta(path) == tuple(map(list, zip(*samples, strict=True)))


@pytest.mark.parametrize("content", [TEXT.encode(), gzip.compress(TEXT.encode(), mtime=0)])
def test_damaged_copies_give_sequences_or_an_error_that_names_the_file(content, tmp_path):
    path = tmp_path / "file.fa"
    for copy in damaged_copies(content):
        path.write_bytes(copy)
        try:
            names, sequences = read_fasta(path)
        except ValueError as error:
            assert repr(str(path)) in str(error)  # noqa: PT017 - either may happen
        else:
            assert len(names) == len(sequences) > 0
