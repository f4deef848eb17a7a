"""Motif files: written and read again, and files of other programs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sknn.motifs import Motif, read_motifs, write_motifs
from tests.helpers import damaged_copies

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


LETTERS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
COUNTS = st.integers(0, 2**53) | st.floats(0, 2**53, allow_subnormal=False)


@pytest.mark.parametrize("format", ["meme", "jaspar"])
def test_what_is_written_is_read_back(format, tmp_path):
    write_motifs(MOTIFS, str(tmp_path / "m"), format=format)
    again = read_motifs(str(tmp_path / "m"))
    for before, after in zip(MOTIFS, again, strict=True):
        assert (after.name, after.alphabet) == (before.name, before.alphabet)
        assert after.n_sites == before.n_sites
        if format == "jaspar":
            np.testing.assert_array_equal(after.pfm, before.pfm)
        else:
            np.testing.assert_allclose(after.ppm, before.ppm, rtol=1e-14)


@pytest.mark.parametrize("format", ["meme", "jaspar"])
@given(
    name=LETTERS,
    alphabet=st.just("ACGT") | LETTERS,
    counts=st.lists(COUNTS, min_size=12, max_size=12),
)
def test_any_motif_is_read_back_or_refused(format, name, alphabet, counts, tmp_path_factory):
    path = tmp_path_factory.mktemp("motif") / "m"
    pfm = np.resize(np.array(counts, float), (2, len(alphabet)))
    motif = Motif(name, pfm, round(pfm.sum(axis=1).max()), 0.0, alphabet=alphabet)
    try:
        write_motifs([motif], path, format=format)
    except ValueError as error:
        assert "cannot be written in format" in str(error)  # noqa: PT017 - either may happen
        assert not path.exists()
        return
    (again,) = read_motifs(path)
    assert (again.name, again.alphabet) == (motif.name, motif.alphabet)
    np.testing.assert_allclose(replace(again, pseudocount=0.0).ppm, motif.ppm, rtol=1e-13)


@pytest.mark.parametrize(
    "motif",
    [
        replace(MOTIFS[0], name="two\nlines"),
        replace(MOTIFS[0], name=" blanks "),
        replace(MOTIFS[0], name="a\tb"),
        replace(MOTIFS[0], name="nul\0"),
        replace(MOTIFS[0], name="half \ud800"),
        replace(MOTIFS[0], alphabet="AACG"),
        replace(MOTIFS[0], alphabet=" CGT"),
        replace(MOTIFS[0], pfm=MOTIFS[0].pfm * 1e300, n_sites=10**301),
    ],
    ids=["newline", "blanks", "tab", "nul", "surrogate", "twice", "blank letter", "huge"],
)
@pytest.mark.parametrize("format", ["meme", "jaspar"])
def test_what_would_not_be_read_back_is_refused(motif, format, tmp_path):
    (tmp_path / "m").write_text("as it was")
    with pytest.raises(ValueError, match=f"cannot be written in format '{format}' so that it is"):
        write_motifs([motif], tmp_path / "m", format=format)
    assert (tmp_path / "m").read_text() == "as it was"


@pytest.mark.parametrize("text", [MEME, JASPAR])
def test_damaged_copies_give_motifs_or_an_error_that_names_the_file(text, tmp_path):
    for content in damaged_copies(text.encode()):
        path = tmp_path / "m"
        path.write_bytes(content)
        try:
            motifs = read_motifs(path)
        except ValueError as error:
            assert repr(str(path)) in str(error)  # noqa: PT017 - either may happen
        else:
            assert all(np.isfinite(motif.ppm).all() for motif in motifs)


@pytest.mark.parametrize(
    ("line", "alphabet"),
    [("ALPHABET= ACGU", "ACGU"), ('ALPHABET "RNA" RNA-LIKE', "ACGU"), ("", "ACGT")],
)
def test_alphabets_by_letters_or_by_name(line, alphabet, tmp_path):
    (tmp_path / "m").write_text(MEME.replace("ALPHABET= ACGT", line))
    assert [motif.alphabet for motif in read_motifs(tmp_path / "m")] == [alphabet] * 2


def test_a_rule_ends_a_matrix(tmp_path):
    (tmp_path / "m").write_text(MEME + "-" * 80 + "\n")
    assert len(read_motifs(tmp_path / "m")[1].pfm) == 1


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
        ("\nACGT\n", "Line 2 of .* begins with 'ACGT'. A MEME file begins"),
        ("", "begins with ''"),
        ("MEME version 4\n", "has no motif"),
        (MEME.replace("w= 2", "w= 3"), "'MA1 ELK' in line 11 of .* has w= 3 and 2 rows"),
        (MEME.replace("w= 2", "w= x"), "has w= x; expected a whole number"),
        (MEME.replace("nsites= 50", "nsites= inf"), "has nsites= inf; expected a whole number"),
        (MEME.replace("nsites= 50", "nsites= -1"), "has nsites= -1; expected a whole number"),
        (MEME.replace("1.0  0.0\n", "1.0\n"), "damaged in line 13: expected 4 numbers, got 3"),
        (
            MEME.replace("1.0 0.0 0.0", "1.0 x 0.0"),
            "'bare' .* line 18: expected numbers, got '1.0 x",
        ),
        (MEME.replace("1.0 0.0 0.0", "1.0 nan 0.0"), "damaged in line 18: .* from 0 .* got nan"),
        (MEME.replace("1.0 0.0 0.0", "2.0 0.0 0.0"), "those of line 18 sum to 2"),
        (MEME.replace("1.0 0.0 0.0 0.0", ""), "'bare' in .* damaged: no row of numbers follows"),
        (MEME.replace("= ACGT", " MINE"), "Line 3 of .* is 'ALPHABET MINE'; expected the letters"),
        (MEME.replace("= ACGT", "= ACGA"), "over the alphabet 'ACGA'; expected different"),
        (JASPAR.replace("7 8\n", ""), "'old style' in line 7 of .* has 3 rows; expected one for"),
        (JASPAR.replace("7 8\n", "7\n"), "'old style' in .* is damaged in line 11: expected 2"),
        (JASPAR.replace("27 ", "inf "), "is damaged in line 2: .* from 0 to .*, got inf"),
        (JASPAR.replace("27 ", "-27 "), "is damaged in line 2: .* got -27"),
        (JASPAR.replace("C  [", "   ["), "is damaged: it has 4 rows, 'AGT' of letters"),
        (">empty\n", "'empty' in .* is damaged: no row"),
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
