"""What differs between fit and transform is named, or does no harm."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

from sknn.preprocessing import TabularEncoder

pl = pytest.importorskip("polars")

TRAIN = pd.DataFrame(
    {
        "age": [30.0, 40.0, 50.0],
        "city": ["Rome", "Oslo", "Bern"],
        "zip": pd.Categorical([1, 2, 3]),
        "n": [1, 2, 3],
    }
)
FRAMES = pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
TIMES = pytest.mark.parametrize("times", [1, 50], ids=["few rows", "many rows"])


def changed(kind, times=1, **columns):
    data = {name: TRAIN[name].tolist() for name in TRAIN} | columns
    return kind({name: values * times for name, values in data.items()})


@pytest.fixture
def encoder():
    return TabularEncoder().fit(TRAIN)


def test_before_fit_there_is_nothing():
    for call in (lambda e: e.transform(TRAIN), lambda e: e.get_feature_names_out()):
        with pytest.raises(NotFittedError, match="TabularEncoder instance is not fitted yet"):
            call(TabularEncoder())


@FRAMES
def test_names_are_checked_as_scikit_learn_does(encoder, kind):
    X = changed(kind)
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were"):
        encoder.transform(X[["city", "age", "zip", "n"]])
    with pytest.raises(ValueError, match=r"(?s)seen at fit time, yet now missing:\n- city"):
        encoder.transform(X[["age", "zip", "n"]])
    with pytest.raises(ValueError, match=r"(?s)Feature names unseen at fit time:\n- extra"):
        encoder.transform(changed(kind, extra=[1, 2, 3]))


def test_encode_leaves_names_to_the_estimator(encoder):
    X = changed(pd.DataFrame)
    assert_array_equal(encoder.encode(X.set_axis(list("abcd"), axis=1)), encoder.transform(X))
    with pytest.raises(ValueError, match="X has 3 features, but TabularEncoder is expecting 4"):
        encoder.encode(X[["age", "city", "zip"]])
    numeric = TabularEncoder().fit(np.eye(3))
    with pytest.raises(ValueError, match="X has 2 features, but TabularEncoder is expecting 3"):
        numeric.encode(np.eye(2))


@TIMES
@FRAMES
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"age": ["n/a", "30", None]},
            r"'age' was numeric in fit and is text now \(first value: 'n/a'\). Convert it, or",
        ),
        (
            {"city": [1, 2, 3]},
            r"'city' was text in fit and is numeric now \(first value: 1\). Convert it, or refit",
        ),
        ({"city": [True, None, False]}, r"'city' was text in fit and is numeric now"),
        ({"zip": ["1", "2", "3"]}, r"'zip' was numeric in fit and is text now \(first value: '1'"),
        ({"zip": [1.0, 2.5, 3.0]}, "'zip' has categories as floats: 2.5 is not a whole number"),
        ({"n": ["1", "2", "3"]}, r"'n' was numeric in fit and is text now \(first value: '1'\)"),
        ({"n": [b"1", b"2", b"3"]}, r"'n' was numeric in fit and is of type 'bytes' now"),
        ({"city": [b"1", b"2", b"3"]}, r"'city' was text in fit and is bytes now"),
        ({"age": [1.0, np.inf, 2.0]}, "infinity or a value too large.*column 'age' holds inf in s"),
    ],
)
def test_a_column_of_another_kind_is_named(encoder, kind, columns, message, times):
    with pytest.raises(ValueError, match=message):
        encoder.transform(changed(kind, times, **columns))


def test_a_column_of_objects_with_one_text_among_numbers_is_named(encoder):
    X = changed(pd.DataFrame, age=[30.0, 40.0, "n/a"])
    with pytest.raises(ValueError, match=r"'age' was numeric.*is text now \(first value: 'n/a'\)"):
        encoder.transform(X)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("age", "'age' was numeric in fit and is dates, times or durations now"),
        ("city", "'city' was text in fit and holds dates, times or durations now"),
    ],
)
def test_dates_and_nested_columns_are_named_in_transform_too(encoder, column, message):
    dates = changed(pd.DataFrame, **{column: pd.to_datetime(["2020-01-01"] * 3).tolist()})
    with pytest.raises(ValueError, match=message):
        encoder.transform(dates)
    with pytest.raises(TypeError, match=rf"'{column}' holds \[1\], a list"):
        encoder.transform(changed(pd.DataFrame, **{column: [[1], [2], [3]]}))


@TIMES
@FRAMES
@pytest.mark.parametrize(
    "columns",
    [
        {"age": [30, 40, 50]},
        {"zip": [1.0, 2.0, 3.0]},
        {"n": [1.0, 2.0, 3.0]},
    ],
)
def test_other_types_of_the_same_values_do_no_harm(encoder, kind, columns, times):
    expected = np.tile(encoder.transform(TRAIN), (times, 1))
    assert_array_equal(encoder.transform(changed(kind, times, **columns)), expected)


def test_categories_and_text_and_objects_are_the_same_levels(encoder):
    expected = encoder.transform(TRAIN)
    for column in (TRAIN["city"].astype("category"), TRAIN["city"].astype(object)):
        assert_array_equal(encoder.transform(TRAIN.assign(city=column)), expected)
    for row in range(3):
        objects = pd.DataFrame([TRAIN.iloc[row].tolist()], columns=TRAIN.columns, dtype=object)
        assert_array_equal(encoder.transform(objects), expected[[row]])


def test_an_array_without_names_is_taken_with_scikit_learns_warning(encoder):
    with pytest.warns(UserWarning, match="X does not have valid feature names, but TabularEnc"):
        encoded = encoder.transform(TRAIN.to_numpy(dtype=object))
    assert_array_equal(encoded, encoder.transform(TRAIN))
    numeric = TabularEncoder().fit(TRAIN[["age", "n"]])
    clean = TRAIN[["age", "n"]].to_numpy(dtype="float32")
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        assert_array_equal(numeric.transform(clean), clean)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert numeric.encode(clean) is clean


@FRAMES
def test_a_frame_after_an_array_is_taken_with_scikit_learns_warning(kind):
    encoder = TabularEncoder([1]).fit(TRAIN[["age", "city"]].to_numpy(dtype=object))
    X = kind({"age": [30.0], "city": ["Oslo"]})
    with pytest.warns(UserWarning, match="X has feature names, but TabularEncoder was fitted with"):
        assert_array_equal(encoder.transform(X), [[30, 0, 1, 0]])


def test_large_whole_numbers_stay_different_levels():
    zips = [2**62 + 1, 2**62 + 2, 2**62 + 3]
    X = pd.DataFrame({"zip": pd.Categorical(zips), "n": [1.0, 2.0, 3.0]})
    plain = pd.DataFrame({"zip": zips, "n": [1, 2, 3]})
    for chosen in ("from_dtype", ["zip"]):
        encoder = TabularEncoder(chosen).fit(X)
        assert_array_equal(encoder.transform(plain)[:, 1:], np.eye(3))
        assert_array_equal(encoder.encode(plain.to_numpy())[:, 1:], np.eye(3))


def test_an_array_of_numbers_where_there_was_text_is_named(encoder):
    with pytest.raises(ValueError, match=r"'city' was text in fit and is numeric now"):
        encoder.encode(np.ones((2, 4)))


@pytest.mark.parametrize("scale", [None, "standard"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_infinity_is_named_in_arrays_frames_and_sparse_matrices(scale, dtype):
    X = np.arange(12.0).reshape(4, 3)
    bad = X.copy()
    bad[2, 1] = -np.inf
    encoder = TabularEncoder(scale=scale, dtype=dtype).fit(X)
    message = "Input X contains infinity or a value too large.*column {} holds -inf in sample 2"
    for call in (encoder.fit, encoder.transform, encoder.encode):
        with pytest.raises(ValueError, match=message.format(1)):
            call(bad)
    named = TabularEncoder(scale=scale, dtype=dtype)
    for holder in (pd.DataFrame(bad, columns=list("abc")), pl.DataFrame(bad, schema=list("abc"))):
        with pytest.raises(ValueError, match=message.format("'b'")):
            named.fit(holder)
    for holder in (sparse.csr_array(bad), sparse.coo_matrix(bad)):
        with pytest.raises(ValueError, match=message.format(1)):
            named.fit(holder)
        if scale is None:
            with pytest.raises(ValueError, match=message.format(1)):
                encoder.transform(holder)
    with pytest.raises(ValueError, match=r"a finite number in its place\.$"):
        encoder.transform(bad)


def test_a_number_too_large_for_float32_is_named():
    X = np.array([[1.0, 2.0], [1.0, 1e200]])
    message = r"infinity or a value too large for dtype\('float32'\): column 1 holds .* in sample 1"
    for holder in (X, sparse.csr_array(X), np.column_stack([X, [np.nan, 1.0]])):
        with pytest.raises(ValueError, match=message):
            TabularEncoder().fit_transform(holder)
    frame = pl.DataFrame({"a": [1.0, 1e200], "c": ["x", "y"]})
    with pytest.raises(ValueError, match=r"column 'a' holds 1e\+200 in sample 1.*scale='standard'"):
        TabularEncoder().fit_transform(frame)
    fitted = TabularEncoder(scale="standard").fit(np.arange(4.0)[:, None])
    with pytest.raises(ValueError, match=r"column 0 holds 1e\+200 in sample 0"):
        fitted.transform([[1e200]])
    assert np.isfinite(TabularEncoder(dtype="float64").fit_transform(X)).all()


def test_sums_that_overflow_are_no_infinity():
    X = np.full((3, 2), 3e38, "float32")
    assert TabularEncoder().fit(X).transform(X) is not None
    X = np.full((3, 2), 1.7e308)
    assert_array_equal(TabularEncoder(dtype="float64").fit_transform(X), X)


def test_sparse_matrices_have_no_gaps_and_no_categories():
    X = sparse.csr_array([[0.0, 1.0], [np.nan, 2.0]])
    with pytest.raises(ValueError, match="contains NaN in column 0, sample 1, but a sparse X must"):
        TabularEncoder().fit(X)
    with pytest.raises(ValueError, match="must be None or 'from_dtype' where X is sparse"):
        TabularEncoder([0]).fit(sparse.csr_array(np.eye(2)))


@pytest.mark.parametrize("scale", ["robust", "quantile"])
def test_sparse_matrices_cannot_be_moved(scale):
    with pytest.raises(ValueError, match=f"'standard' where X is sparse, as scale={scale!r} would"):
        TabularEncoder(scale=scale).fit(sparse.csr_array(np.eye(2)))


def test_sparse_after_dense_needs_zeros_that_stay():
    X = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 3.0]])
    encoder = TabularEncoder().fit(X)
    assert_array_equal(encoder.transform(sparse.csr_array(X)).toarray(), X)
    encoder = TabularEncoder(scale="standard").fit(X)
    with pytest.raises(
        ValueError, match="sparse now, but was dense in fit, where scale='standard'"
    ):
        encoder.transform(sparse.csr_array(X))
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="and 1 columns with missing values do not leave 0"):
        TabularEncoder().fit(X).transform(sparse.csr_array(np.eye(2)))


def test_weights_are_checked():
    with pytest.raises(ValueError, match=r"sample_weight.shape == "):
        TabularEncoder().fit(TRAIN, sample_weight=[1.0])
    with pytest.raises(ValueError, match=r"[Nn]egative values in data passed to"):
        TabularEncoder().fit(TRAIN, sample_weight=[1.0, -1.0, 1.0])
    with pytest.raises(ValueError, match="at least one non-zero"):
        TabularEncoder().fit(TRAIN, sample_weight=[0.0, 0.0, 0.0])


def test_text_in_an_array_is_named_by_position():
    X = np.array([[1.0, "a"], [2.0, "b"]], dtype=object)
    with pytest.raises(ValueError, match=r"Column 1 is text \(first value: 'a'\), but not categ"):
        TabularEncoder().fit(X)
    fitted = TabularEncoder([1]).fit(X)
    with pytest.raises(ValueError, match=r"Column 0 was numeric in fit and is text now"):
        fitted.transform(X[:, ::-1])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array instead"):
        fitted.transform(X[0])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array instead"):
        TabularEncoder().fit(pl.DataFrame({"a": [1.0]})["a"].to_list())
