"""Motif files: written and read again, and files of other programs."""

import numpy as np
import pytest

from sknn.motifs import Motif, read_motifs, write_motifs

MOTIFS = [
    Motif("first box", np.array([[30, 0, 0, 10], [0, 40, 0, 0], [5, 5, 25, 5]]), 40),
    Motif("MA0001.1 X", np.array([[0, 0, 12, 8], [20, 0, 0, 0]]), 20, pseudocount=0.0),
]

JASPAR = """\
>MA0151.1\tArid3a
A  [    27      0      1 ]
C  [     0      0      9 ]
G  [     0      0      0 ]
T  [     0     27     17 ]

>old style
1 2
3 4
5 6
7 8
"""

MEME = """\
MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies (from uniform):
A 0.25 C 0.25 G 0.25 T 0.25

MOTIF MA1 ELK
letter-probability matrix: alength= 4 w= 2 nsites= 50 E= 1e-9
 0.5  0.5  0.0  0.0
 0.0  0.0  1.0  0.0
URL http://example.invalid

MOTIF bare
letter-probability matrix:
1.0 0.0 0.0 0.0
"""


def test_meme_file_there_and_back(tmp_path):
    write_motifs(MOTIFS, tmp_path / "m.meme")
    again = read_motifs(tmp_path / "m.meme")
    assert [(m.name, m.n_sites) for m in again] == [(m.name, m.n_sites) for m in MOTIFS]
    for before, after in zip(MOTIFS, again, strict=True):
        np.testing.assert_allclose(after.ppm, before.ppm, atol=1e-6)


def test_jaspar_file_there_and_back(tmp_path):
    write_motifs(MOTIFS, str(tmp_path / "m.jaspar"), format="jaspar")
    for before, after in zip(MOTIFS, read_motifs(str(tmp_path / "m.jaspar")), strict=True):
        np.testing.assert_array_equal(after.pfm, before.pfm)
        assert after.n_sites == before.n_sites


def test_a_single_motif_is_a_file_of_its_own(tmp_path):
    for text in (MOTIFS[0].to_meme(), MOTIFS[0].to_jaspar()):
        (tmp_path / "one").write_text(text)
        np.testing.assert_allclose(
            read_motifs(tmp_path / "one")[0].pfm.argmax(axis=1), MOTIFS[0].pfm.argmax(axis=1)
        )


def test_other_alphabets_keep_their_letters(tmp_path):
    write_motifs([Motif("p", np.eye(4)[:2], 1, alphabet="ACGU")], tmp_path / "m")
    assert read_motifs(tmp_path / "m")[0].alphabet == "ACGU"


def test_jaspars_own_format(tmp_path):
    (tmp_path / "m").write_text(JASPAR)
    first, second = read_motifs(tmp_path / "m")
    assert (first.name, first.n_sites, first.pseudocount) == ("MA0151.1 Arid3a", 27, 1.0)
    np.testing.assert_array_equal(first.pfm, [[27, 0, 0, 0], [0, 0, 0, 27], [1, 9, 0, 17]])
    np.testing.assert_array_equal(second.pfm, [[1, 3, 5, 7], [2, 4, 6, 8]])


def test_memes_own_format(tmp_path):
    (tmp_path / "m").write_text(MEME)
    first, second = read_motifs(tmp_path / "m")
    assert (first.name, first.n_sites, second.name, second.n_sites) == ("MA1 ELK", 50, "bare", 20)
    np.testing.assert_allclose(first.ppm, [[0.5, 0.5, 0, 0], [0, 0, 1, 0]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ACGT\n", "begins with 'ACGT'. A MEME file begins"),
        ("", "begins with ''"),
        ("MEME version 4\n", "has no motif"),
        (MEME.replace("w= 2", "w= 3"), "Motif 'MA1 ELK' in .* has w= 3 and 2 rows"),
        (MEME.replace(" 0.0  0.0  1.0  0.0", " 0.0  0.0  1.0"), "'MA1 ELK' in .* is damaged"),
        (MEME.replace("1.0 0.0 0.0 0.0", "1.0 x 0.0 0.0"), "'bare' in .* is damaged"),
        (JASPAR.replace("7 8\n", ""), "'old style' in .* has 3 rows; expected one for each"),
        (JASPAR.replace("7 8\n", "7\n"), "'old style' in .* is damaged"),
        (">empty\n", "'empty' in .* is damaged"),
    ],
)
def test_damaged_files_are_named(tmp_path, text, message):
    (tmp_path / "m").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_motifs(tmp_path / "m")


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ValueError, match="format must be 'meme' or 'jaspar'; got 'xml'"):
        write_motifs(MOTIFS, tmp_path / "m", format="xml")
    with pytest.raises(ValueError, match=r"one or more over one alphabet; got \[\] in 0"):
        write_motifs([], tmp_path / "m")
    with pytest.raises(ValueError, match="over one alphabet; got"):
        write_motifs([MOTIFS[0], Motif("r", np.eye(4), 1, alphabet="ACGU")], tmp_path / "m")
