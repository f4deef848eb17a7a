"""DNAOneHotEncoder: strings in all the forms they come in, and back."""

import pickle
import re
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from sknn.preprocessing import DNAOneHotEncoder, reverse_complement
from sknn.preprocessing.sequences._encoder import CHUNK_BYTES

SEQUENCES = ["ACGTA", "TTGCA", "GGGAC"]


def oracle(sequences, alphabet="ACGT"):
    """Return what scikit-learn's encoder makes of the letters in columns."""
    letters = np.array([list(s) for s in sequences])
    encoder = OneHotEncoder(
        categories=[list(alphabet)] * letters.shape[1], sparse_output=False, handle_unknown="ignore"
    )
    return encoder.fit_transform(letters).reshape(*letters.shape, len(alphabet))


def as_given(kind):
    if kind == "pandas series":
        return pytest.importorskip("pandas").Series(SEQUENCES, index=[5, 6, 7])
    if kind == "pandas frame":
        return pytest.importorskip("pandas").DataFrame({"promoter": SEQUENCES})
    if kind == "polars series":
        return pytest.importorskip("polars").Series(SEQUENCES)
    if kind == "polars frame":
        return pytest.importorskip("polars").DataFrame({"promoter": SEQUENCES})
    forms = {
        "list": SEQUENCES,
        "tuple": tuple(SEQUENCES),
        "lower case": [s.lower() for s in SEQUENCES],
        "bytes": [s.encode() for s in SEQUENCES],
        "bytearray": [bytearray(s.encode()) for s in SEQUENCES],
        "str array": np.array(SEQUENCES),
        "lower str array": np.array([s.lower() for s in SEQUENCES]),
        "big-endian str array": np.array(SEQUENCES).astype(">U5"),
        "wide str array": np.array(SEQUENCES, dtype="U9"),
        "bytes array": np.array(SEQUENCES, dtype="S"),
        "object array": np.array(SEQUENCES, dtype=object),
        "column": np.array(SEQUENCES, dtype=object)[:, None],
        "strided": np.array([s for s in SEQUENCES for _ in range(2)])[::2],
    }
    return forms[kind]


@pytest.mark.parametrize(
    "kind",
    [
        *["list", "tuple", "lower case", "bytes", "bytearray", "str array", "lower str array"],
        *["big-endian str array", "wide str array", "bytes array", "object array", "column"],
        *["strided", "pandas series", "pandas frame", "polars series", "polars frame"],
    ],
)
def test_every_form_of_the_same_sequences_gives_the_same_array(kind):
    X = as_given(kind)
    encoded = DNAOneHotEncoder(length=5).fit_transform(X)
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded, oracle(SEQUENCES))


def test_channels_follow_the_alphabet_even_where_letters_are_missing():
    encoded = DNAOneHotEncoder().fit_transform(["TT", "TG"])
    np.testing.assert_array_equal(encoded[0], [[0, 0, 0, 1]] * 2)


@pytest.mark.parametrize(
    ("alphabet", "sequence"),
    [
        ("rna", "ACGU"),
        ("PROTEIN", "MKVLW"),
        ("ACGU", "UGCA"),
        ("-ACGT", "A-GT"),
        ("Dna", "GATTACA"),
    ],
)
def test_other_alphabets(alphabet, sequence):
    encoder = DNAOneHotEncoder(alphabet)
    encoded = encoder.fit_transform([sequence])
    np.testing.assert_array_equal(encoded, oracle([sequence], encoder.alphabet_))
    assert encoder.inverse_transform(encoded) == [sequence]


@pytest.mark.parametrize("padding", ["right", "left"])
@pytest.mark.parametrize("truncate", ["right", "left"])
@pytest.mark.parametrize("as_array", [False, True])
def test_lengths_are_evened_out_at_the_sides_asked_for(padding, truncate, as_array):
    sequences = ["ACGTACG", "TG", "CCAT"]
    encoder = DNAOneHotEncoder(length=4, padding=padding, truncate=truncate)
    encoded = encoder.fit_transform(np.array(sequences) if as_array else sequences)
    longest = "ACGT" if truncate == "right" else "TACG"
    short = "TG--" if padding == "right" else "--TG"
    np.testing.assert_array_equal(encoded, oracle([longest, short, "CCAT"]))
    np.testing.assert_array_equal(encoder.inverse_transform(encoded), [longest, "TG", "CCAT"])


def test_length_is_learned_once():
    encoder = DNAOneHotEncoder().fit(["ACG", "ACGTT"])
    assert encoder.length_ == 5
    assert encoder.transform(["A"]).shape == (1, 5, 4)
    longer = ["ACGTACGT", "ACGTACGTACG", "ACG"]
    with pytest.warns(
        UserWarning, match=r"2 of 3 sequences .* the 5 positions .*up to 11.*right"
    ) as w:
        assert encoder.transform(longer).shape == (3, 5, 4)
    assert len(w) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # who gives a length wants it
        DNAOneHotEncoder(length=5).fit(["ACG"]).transform(longer)


@pytest.mark.parametrize(
    ("unknown", "letter", "expected"),
    [
        ("zero", "N", [0, 0, 0, 0]),
        ("zero", "é", [0, 0, 0, 0]),
        ("uniform", "N", [0.25] * 4),
        ("uniform", "R", [0.25] * 4),
        ("iupac", "N", [0.25] * 4),
        ("iupac", "r", [0.5, 0, 0.5, 0]),
        ("iupac", "B", [0, 1 / 3, 1 / 3, 1 / 3]),
        ("iupac", "U", [0, 0, 0, 1]),
        ("iupac", "-", [0, 0, 0, 0]),
    ],
)
def test_letters_outside_the_alphabet(unknown, letter, expected):
    encoded = DNAOneHotEncoder(unknown=unknown).fit_transform(["AC" + letter])
    np.testing.assert_allclose(encoded[0, 2], expected, rtol=1e-6)


@pytest.mark.parametrize("code", "RYSWKMBDHVN")
@pytest.mark.parametrize("alphabet", ["ACGT", "ACGU", "TGCA"])
def test_iupac_codes_survive_there_and_back(code, alphabet):
    encoder = DNAOneHotEncoder(alphabet, unknown="iupac")
    encoded = encoder.fit_transform(["A" + code + "C"])
    np.testing.assert_allclose(encoded.sum(axis=2), 1, rtol=1e-6)
    assert encoder.inverse_transform(encoded) == ["A" + code + "C"]


def test_unclear_protein_letters_come_back_as_x():
    encoder = DNAOneHotEncoder("protein")
    assert encoder.inverse_transform(encoder.fit_transform(["MB*K"])) == ["MXXK"]


def test_flat_array_is_the_other_one_position_by_position():
    deep = DNAOneHotEncoder().fit_transform(SEQUENCES)
    encoder = DNAOneHotEncoder(flatten=True)
    flat = encoder.fit_transform(SEQUENCES)
    np.testing.assert_array_equal(flat, deep.reshape(3, -1))
    np.testing.assert_array_equal(encoder.inverse_transform(flat), SEQUENCES)
    names = encoder.get_feature_names_out()
    assert list(names[:5]) == ["x0_0_A", "x0_0_C", "x0_0_G", "x0_0_T", "x0_1_A"]
    assert len(names) == flat.shape[1]


def test_many_samples_in_chunks_give_the_same_as_in_parts():
    letters = np.random.RandomState(0).choice(list("ACGTN"), (3000, 100))
    sequences = ["".join(s) for s in letters]
    encoder = DNAOneHotEncoder().fit(sequences)
    whole = encoder.transform(sequences)
    assert whole.nbytes > 2 * CHUNK_BYTES
    parts = [encoder.transform(sequences[i : i + 500]) for i in range(0, 3000, 500)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    back = encoder.inverse_transform(whole)
    assert [s.rstrip("N") for s in sequences] == back.tolist()


@pytest.mark.parametrize("dtype", [np.float64, np.uint8, bool, "int32"])
def test_dtype_is_that_asked_for(dtype):
    encoded = DNAOneHotEncoder(dtype=dtype).fit_transform(SEQUENCES)
    assert encoded.dtype == dtype
    np.testing.assert_array_equal(encoded, oracle(SEQUENCES))


def test_data_frames_come_out_with_names():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"promoter": SEQUENCES}, index=[3, 4, 5])
    encoder = DNAOneHotEncoder(flatten=True).set_output(transform="pandas")
    frame = encoder.fit_transform(X)
    assert frame.columns[1] == "promoter_0_C"
    assert list(frame.index) == [3, 4, 5]
    assert list(encoder.get_feature_names_out(["promoter"])) == list(frame.columns)
    np.testing.assert_array_equal(encoder.feature_names_in_, ["promoter"])
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.transform(X.rename(columns={"promoter": "enhancer"}))


def test_polars_frames_come_out_too():
    pl = pytest.importorskip("polars")
    encoder = DNAOneHotEncoder(flatten=True).set_output(transform="polars")
    frame = encoder.fit_transform(pl.DataFrame({"s": SEQUENCES}))
    assert frame.columns[0] == "s_0_A"
    np.testing.assert_array_equal(frame.to_numpy(), oracle(SEQUENCES).reshape(3, -1))


def test_works_in_column_transformer_and_pipeline():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"s": SEQUENCES * 4, "n": np.arange(12.0)})
    columns = ColumnTransformer(
        [("dna", DNAOneHotEncoder(flatten=True), "s"), ("same", "passthrough", ["n"])]
    )
    model = make_pipeline(columns, LogisticRegression()).fit(X, [0, 1, 1] * 4)
    assert model.score(X, [0, 1, 1] * 4) == 1.0
    assert columns.fit(X).get_feature_names_out()[0] == "dna__s_0_A"


def test_keeps_scikit_learns_conventions():
    encoder = DNAOneHotEncoder(length=4, unknown="uniform")
    params = encoder.get_params()
    fitted = encoder.fit(SEQUENCES)
    assert fitted is encoder
    assert encoder.get_params() == params == clone(encoder).get_params()
    expected = encoder.transform(SEQUENCES)
    np.testing.assert_array_equal(clone(encoder).fit_transform(SEQUENCES), expected)
    np.testing.assert_array_equal(encoder.fit(SEQUENCES).transform(SEQUENCES), expected)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(encoder)).transform(SEQUENCES), expected
    )
    np.testing.assert_array_equal(encoder.transform(SEQUENCES[::-1]), expected[::-1])
    np.testing.assert_array_equal(encoder.transform(SEQUENCES[1:2]), expected[1:2])
    assert encoder.n_features_in_ == 1


def test_tags_tell_that_it_takes_strings_and_the_estimator_checks_pass():
    tags = get_tags(DNAOneHotEncoder()).input_tags
    assert (tags.string, tags.one_d_array, tags.two_d_array) == (True, True, False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(DNAOneHotEncoder(), on_skip=None, on_fail=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"}


def test_sequences_are_left_as_they_are():
    array = np.array(["acgt", "ACGT"])
    raw = np.array([b"acgt"])
    DNAOneHotEncoder().fit_transform(array)
    DNAOneHotEncoder().fit_transform(raw)
    assert array.tolist() == ["acgt", "ACGT"]
    assert raw.tolist() == [b"acgt"]


BAD_X = [
    ([], "0 sample"),
    (["ACGT", "AC"][:1] * 2 + [float("nan")], "Sequence 2 is nan.*Drop the samples"),
    ([float("nan"), "ACGT"], "Sequence 0 is nan.*Drop the samples"),
    ([3, "ACGT"], "Sequence 0 is 3, of type 'int'.*Convert it"),
    ([["A", "C"], "ACGT"], "Sequence 0 is .*Join its letters"),
    ([list("ACGT")] * 2, re.escape("shape (2, 4)") + ".*Join the letters of each sequence"),
    ([list("ACGT"), list("AC")], "lists of several lengths. Join the letters"),
    ([["ACGT", "AC"]], "Pass the column of sequences alone"),
    ({"ACGT": 1}, "object of type 'dict'. Pass list"),
    (iter(["ACGT"]), "object of type 'list_iterator'. Pass list"),
    ("ACGT", "the single text 'ACGT'"),
    (np.array(["ACGT"])[0], "the single text 'ACGT'"),
    ([["ACGT", "AC"]], re.escape("shape (1, 2)")),
    (np.ones((3, 4)), re.escape("shape (3, 4) and dtype float64")),
    (np.ones(3), "numbers of dtype float64"),
    ([1.0, 2.0], "numbers of dtype float64"),
    (["ACGT", ""], "Sequence 1 is empty"),
    (np.array(["", ""]), "Sequence 0 is empty"),
    (np.array(["A", ""]), "Sequence 1 is empty"),
    (["ACGT", None], "Sequence 1 is None, of type 'NoneType'.*Drop the samples"),
    (["ACGT", np.nan], "Sequence 1 is nan, of type 'float'.*Drop the samples"),
    (["ACGT", 5], "Sequence 1 is 5, of type 'int'.*Convert"),
    (["QQQ", "OO"], "No letter of X is in the alphabet 'ACGT'; the first sequence.*'QQQ'"),
]


@pytest.mark.parametrize(("X", "message"), BAD_X)
def test_bad_sequences_are_named(X, message):
    with pytest.raises(ValueError, match=message):
        DNAOneHotEncoder().fit(X)


@pytest.mark.parametrize(
    ("params", "sequence", "place"),
    [
        ({}, "ACXGT", "'X' at position 2"),
        ({}, "ACnGT", "'n' at position 2"),
        ({"truncate": "left", "length": 3}, "NNACGXT", "'X' at position 5"),
        ({"padding": "left"}, "AéGT", "'é' at position 1"),
        ({"unknown": "iupac"}, "ANRJT", "'J' at position 3"),
    ],
)
def test_letter_outside_the_alphabet_is_named_with_its_place(params, sequence, place):
    encoder = DNAOneHotEncoder(handle_unknown="error", **params).fit(["ACGTACG"])
    with pytest.raises(ValueError, match=f"Sequence 1 has {place}, counted from 0"):
        encoder.transform(["ACGT", sequence])
    assert encoder.transform(["ACGT"]).any()


def test_bytes_with_an_unknown_letter_are_named_too():
    encoder = DNAOneHotEncoder(handle_unknown="error").fit(["ACG"])
    with pytest.raises(ValueError, match="Sequence 0 has 'N' at position 1"):
        encoder.transform([b"ANG"])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alphabet": "A"}, r"alphabet must be one of .*got 'A'"),
        ({"alphabet": "ACGTA"}, "alphabet must be one of"),
        ({"alphabet": "ACé"}, "alphabet must be one of"),
        ({"alphabet": "ACg?"}, "alphabet must be one of"),
        (
            {"alphabet": "protein", "unknown": "iupac"},
            "unknown='iupac' is for the alphabets of DNA",
        ),
        ({"unknown": "uniform", "dtype": np.uint8}, "dtype must be a type of floats with unknown="),
        ({"dtype": "U5"}, "dtype must be a type of floats, integers or bool"),
        ({"length": 0}, "'length' parameter"),
        ({"padding": "both"}, "'padding' parameter"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        DNAOneHotEncoder(**params).fit(["ACGT"])


def test_three_axes_fit_in_no_data_frame():
    encoder = DNAOneHotEncoder().fit(SEQUENCES).set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"two axes.*'pandas'.*flatten=True"):
        encoder.transform(SEQUENCES)
    with config_context(transform_output="polars"), pytest.raises(ValueError, match="'polars'"):
        DNAOneHotEncoder().fit_transform(SEQUENCES)


def test_wrong_shapes_and_names_are_refused():
    encoder = DNAOneHotEncoder().fit(SEQUENCES)
    with pytest.raises(ValueError, match=re.escape("(n_samples, 5, 4)")):
        encoder.inverse_transform(np.ones((2, 5, 5)))
    with pytest.raises(ValueError, match="number of features"):
        encoder.get_feature_names_out(["a", "b"])
    with pytest.raises(NotFittedError):
        DNAOneHotEncoder().transform(SEQUENCES)
    pd = pytest.importorskip("pandas")
    named = DNAOneHotEncoder().fit(pd.DataFrame({"a": SEQUENCES}))
    with pytest.raises(ValueError, match="'b', the column in fit was 'a'"):
        named.get_feature_names_out(["b"])


def as_seq(letters):
    return pytest.importorskip("Bio.Seq").Seq(letters)


def as_record(letters):
    return pytest.importorskip("Bio.SeqRecord").SeqRecord(as_seq(letters), id="one")


@pytest.mark.parametrize("make", [as_seq, as_record])
def test_sequences_of_biopython_are_read(make):
    given = [make(s) for s in SEQUENCES]
    np.testing.assert_array_equal(DNAOneHotEncoder().fit_transform(given), oracle(SEQUENCES))
    assert reverse_complement(given).tolist() == reverse_complement(SEQUENCES).tolist()


@pytest.mark.parametrize(
    "form", [list, lambda s: pytest.importorskip("pandas").Series(s, dtype="string")]
)
def test_missing_sequences_of_pandas_are_named(form):
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=r"Sequence 1 is <NA>.*Drop the samples"):
        DNAOneHotEncoder().fit(form(["ACGT", pd.NA]))


@pytest.mark.parametrize(
    ("alphabet", "given", "same"),
    [
        ("dna", "ACGUUn", "ACGTTN"),
        ("rna", "ACGTTn", "ACGUUN"),
        ("ACGT-", "UU-AG", "TT-AG"),
        ("TGCA", "UG", "TG"),
    ],
)
@pytest.mark.parametrize("unknown", ["zero", "uniform", "error"])
def test_t_and_u_are_one_letter_of_bases(alphabet, given, same, unknown):
    if unknown == "error":
        given, same = given.upper().replace("N", ""), same.replace("N", "")
    encoder = DNAOneHotEncoder(alphabet, unknown=unknown)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(encoder.fit_transform([given]), encoder.fit_transform([same]))


def test_u_is_no_t_in_a_protein():
    with pytest.warns(UserWarning, match=r"not in the alphabet.*'U' \(1 times\)"):
        assert not DNAOneHotEncoder("protein").fit_transform(["MKU"])[0, 2].any()


PROTEIN = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV"


@pytest.mark.parametrize(
    ("alphabet", "X", "message"),
    [
        ("dna", ["ACGT" * 30, "ACGTEACG"], r"not in the alphabet 'ACGT'.*'E' \(1 times\).*iupac"),
        ("dna", ["ACGRYACGT"], r"'R' \(1 times\), 'Y' \(1 times\)"),
        ("dna", ["ACGTé"], r"'\?' \(1 times\)"),
        ("dna", ["ACGT", "ACG\n"], r"'\\n' \(1 times\)"),
        ("protein", ["MKB", "MKO"], r"'B' \(1 times\), 'O' \(1 times\)"),
        ("protein", ["ACGT" * 30], "letters 'ACGT' alone, which are bases.*alphabet='dna'"),
        ("dna", [*["ACGT" * 20] * 10, "QZJXLPFIE"], "and 4 more"),
    ],
)
def test_letters_lost_are_warned_of_in_fit_and_in_transform(alphabet, X, message):
    with pytest.warns(UserWarning, match=message):
        encoder = DNAOneHotEncoder(alphabet).fit(X)
    with pytest.warns(UserWarning, match=message):
        encoder.transform(X)


@pytest.mark.parametrize(
    ("alphabet", "X"),
    [
        ("dna", ["ACGTN" * 9, "nnnnnnnn", "AC--GT.*"]),
        ("dna", [*["ACGT" * 30] * 4, "ACGR"]),
        ("protein", ["MKX*-", PROTEIN]),
        ("protein", [*[PROTEIN] * 4, "MKB"]),
        ("protein", ["ACGT"]),
        ("acgtn", ["ACGTN"]),
    ],
)
def test_letters_that_say_unknown_themselves_are_silent(alphabet, X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoded = DNAOneHotEncoder(alphabet).fit_transform(X)
    assert len(encoded) == len(X)


def test_a_protein_is_refused_by_an_encoder_of_dna():
    with pytest.raises(
        ValueError, match=r"Most letters of X \(81%\) are not in the alphabet 'ACGT'"
    ):
        DNAOneHotEncoder().fit([PROTEIN])
    with pytest.raises(ValueError, match=r"Most letters of X.*Set alphabet"):
        DNAOneHotEncoder(length=70).fit(["ACGT"]).transform([PROTEIN])
    assert not DNAOneHotEncoder().fit(["ACGT"]).transform(["N" * 40]).any()


def test_unknown_error_is_handle_unknown_error():
    for encoder in (DNAOneHotEncoder(unknown="error"), DNAOneHotEncoder(handle_unknown="error")):
        with pytest.raises(ValueError, match="Sequence 0 has 'N' at position 2"):
            encoder.fit_transform(["ACN"])
