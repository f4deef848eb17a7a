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

from sknn.preprocessing import DNAOneHotEncoder

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
        *["list", "tuple", "lower case", "bytes", "str array", "lower str array"],
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
    assert encoder.transform(["A"]).shape == encoder.transform(["ACGTACGT"]).shape == (1, 5, 4)


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


def test_many_rows_in_chunks_give_the_same_as_one_by_one(monkeypatch):
    sequences = ["".join(s) for s in np.random.RandomState(0).choice(list("ACGTN"), (50, 7))]
    encoder = DNAOneHotEncoder().fit(sequences)
    whole = encoder.transform(sequences)
    monkeypatch.setattr("sknn.preprocessing.sequences._encoder.CHUNK_BYTES", 300)
    np.testing.assert_array_equal(encoder.transform(sequences), whole)
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
    ("ACGT", "the single one 'ACGT'"),
    (np.array(["ACGT"])[0], "the single one 'ACGT'"),
    ([["ACGT", "AC"]], re.escape("shape (1, 2)")),
    (np.ones((3, 4)), re.escape("shape (3, 4) and dtype float64")),
    (np.ones(3), "numbers of dtype float64"),
    ([1.0, 2.0], "numbers of dtype float64"),
    (["ACGT", ""], "Sequence 1 is empty"),
    (np.array(["", ""]), "Sequence 0 is empty"),
    (np.array(["A", ""]), "Sequence 1 is empty"),
    (["ACGT", None], "Sequence 1 is None, of type 'NoneType'.*Drop the rows"),
    (["ACGT", np.nan], "Sequence 1 is nan, of type 'float'.*Drop the rows"),
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
