"""read_fasta: plain and packed files, and what is no FASTA."""

import gzip

import pytest

from sknn.preprocessing import read_fasta

TEXT = ">one first\nACGT\nac gt\n\n;comment\n>two\nTTTT\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n; old comment\n"])
def test_names_and_sequences(tmp_path, newline, packed, start):
    content = (start + TEXT).replace("\n", newline).encode("utf-8")
    path = tmp_path / "file.fa"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert read_fasta(str(path)) == (["one first", "two"], ["ACGTacgt", "TTTT"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ACGT\n>a\nAC\n", "Line 1 of .*file.fa' is 'ACGT', before any header"),
        ("", "has no sequence; a FASTA file has lines"),
        (">a\n>b\nACGT\n", "Header 'a' in .* has no sequence after it"),
        (">a\nAC\n>b\n", "Header 'b' in"),
    ],
)
def test_what_is_no_fasta_is_refused(tmp_path, content, message):
    path = tmp_path / "file.fa"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_fasta(path)


def test_missing_file_is_told_by_python(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_fasta(tmp_path / "none.fa")
