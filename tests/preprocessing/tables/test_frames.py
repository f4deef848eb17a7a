"""Columns of every type, from every kind of frame; few rows and many are read in two ways."""

import datetime
import json
import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknn.preprocessing import TabularEncoder, is_plain_numbers

pl = pytest.importorskip("polars")
try:
    import pyarrow as pa
except ImportError:  # pandas and polars do without
    pa = None

HAS_VIEWS = hasattr(pa, "string_view")  # from pyarrow 16 on
TIMES = pytest.mark.parametrize("times", [1, 50], ids=["few rows", "many rows"])
DAY = datetime.date(2020, 1, 1)
NUMBERS = {
    "pandas float with NaN": pd.Series([1.5, np.nan, 3.0]),
    "pandas float32": pd.Series([1.5, np.nan, 3.0], dtype="float32"),
    "pandas Float64": pd.Series([1.5, None, 3.0], dtype="Float64"),
    "pandas Float32": pd.Series([1.5, None, 3.0], dtype="Float32"),
    "pandas objects": pd.Series([1.5, None, 3.0], dtype=object),
    "pandas objects with NA": pd.Series([1.5, pd.NA, np.float32(3)], dtype=object),
    "pandas decimals": pd.Series([Decimal("1.5"), None, Decimal(3)], dtype=object),
    "pandas sparse": pd.Series(pd.arrays.SparseArray([1.5, np.nan, 3.0])),
    "pandas categories of numbers": pd.Series([1.5, None, 3.0], dtype="category"),
    "polars null": pl.Series([1.5, None, 3.0]),
    "polars NaN": pl.Series([1.5, np.nan, 3.0]),
    "polars Float32": pl.Series([1.5, None, 3.0], dtype=pl.Float32),
    "polars Decimal": pl.Series(["1.5", None, "3"]).cast(pl.Decimal(10, 2)),
}
INTEGERS = {
    "pandas Int64": pd.Series([7, None, 9], dtype="Int64"),
    "pandas UInt8": pd.Series([7, None, 9], dtype="UInt8"),
    "pandas float": pd.Series([7, None, 9]),
    "pandas categories": pd.Series([7, None, 9], dtype="category"),
    "pandas objects": pd.Series([7, None, 9], dtype=object),
    "polars Int64": pl.Series([7, None, 9]),
    "polars UInt8": pl.Series([7, None, 9], dtype=pl.UInt8),
    "polars float NaN": pl.Series([7.0, np.nan, 9.0]),
    "polars Decimal": pl.Series(["7", None, "9"]).cast(pl.Decimal(10, 2)),
}
BOOLS = {
    "pandas boolean": pd.Series([True, None, False], dtype="boolean"),
    "pandas objects": pd.Series([True, None, False], dtype=object),
    "polars": pl.Series([True, None, False]),
}
TEXTS = {
    "pandas default": pd.Series(["x", None, "y"]),
    "pandas objects": pd.Series(["x", None, "y"], dtype=object),
    "pandas objects with NaN": pd.Series(["x", np.nan, np.str_("y")], dtype=object),
    "pandas string": pd.Series(["x", None, "y"], dtype="string"),
    "pandas category": pd.Series(["x", None, "y"], dtype="category"),
    "pandas category, other order, unused ones": pd.Series(
        ["x", None, "y"], dtype=pd.CategoricalDtype(["z", "y", "x", "a"])
    ),
    "pandas ordered": pd.Series(["x", None, "y"], dtype=pd.CategoricalDtype(["y", "x"], True)),
    "polars String": pl.Series(["x", None, "y"]),
    "polars Categorical": pl.Series(["x", None, "y"], dtype=pl.Categorical),
    "polars Enum": pl.Series(["x", None, "y"], dtype=pl.Enum(["z", "y", "x"])),
}
ALL_MISSING = {
    "pandas objects": pd.Series([None, None, None], dtype=object),
    "pandas float": pd.Series([np.nan] * 3),
    "polars": pl.Series([None, None, None]),
    "polars float": pl.Series([None, None, None], dtype=pl.Float64),
}
if pa is not None:
    NUMBERS |= {
        "pandas arrow float": pd.Series([1.5, None, 3.0], dtype="float[pyarrow]"),
        "pandas arrow double": pd.Series([1.5, None, 3.0], dtype="double[pyarrow]"),
        "pandas arrow decimal": pd.Series(
            [Decimal("1.5"), None, Decimal(3)], dtype=pd.ArrowDtype(pa.decimal128(5, 2))
        ),
        "arrow": pa.array([1.5, None, 3.0]),
        "arrow float": pa.array([1.5, None, 3.0], pa.float32()),
        "arrow decimal": pa.array([Decimal("1.5"), None, Decimal(3)]),
        "arrow dictionary": pa.array([1.5, None, 3.0]).dictionary_encode(),
    }
    INTEGERS |= {
        "pandas arrow int": pd.Series([7, None, 9], dtype="int64[pyarrow]"),
        "pandas arrow dictionary": pd.Series(
            [7, None, 9], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.int64()))
        ),
        "arrow": pa.array([7, None, 9]),
        "arrow dictionary": pa.array([7, None, 9]).dictionary_encode(),
    }
    BOOLS |= {
        "pandas arrow": pd.Series([True, None, False], dtype="bool[pyarrow]"),
        "arrow": pa.array([True, None, False]),
    }
    TEXTS |= {
        "pandas string[pyarrow]": pd.Series(["x", None, "y"], dtype="string[pyarrow]"),
        "pandas arrow": pd.Series(["x", None, "y"], dtype=pd.ArrowDtype(pa.string())),
        "pandas arrow dictionary": pd.Series(
            ["x", None, "y"], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
        ),
        "arrow": pa.array(["x", None, "y"]),
        "arrow large": pa.array(["x", None, "y"], pa.large_string()),
        "arrow dictionary": pa.array(["x", None, "y"]).dictionary_encode(),
    }
    ALL_MISSING["arrow"] = pa.nulls(3)
    if HAS_VIEWS:
        views = pa.array(["x", None, "y"], pa.string_view())
        numbers = pa.array([0, None, 1], pa.int8())
        TEXTS |= {
            "arrow view": views,
            "arrow dictionary of views": pa.DictionaryArray.from_arrays(
                numbers, pa.array(["x", "y"], pa.string_view())
            ),
        }


def frame(column, times=1, name="c"):
    """Return a frame of one column, its rows repeated."""
    if isinstance(column, pd.Series):
        return pd.concat([column.to_frame(name)] * times, ignore_index=True)
    if isinstance(column, pl.Series):
        return pl.concat([column.alias(name).to_frame()] * times)
    return pa.concat_tables([pa.table({name: column})] * times)


def cases(table):
    return pytest.mark.parametrize("column", table.values(), ids=table.keys())


@TIMES
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_whole_numbers_beyond_floats_are_rounded_beside_text(library, times):
    columns = {"n": [2**62 + 7, None, -(2**53) - 1] * times, "t": ["a", "b", "c"] * times}
    make = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": getattr(pa, "table", None)}
    if make[library] is None:
        pytest.skip("pyarrow is not installed")
    frame = make[library](columns)
    if library == "pandas":
        frame["n"] = pd.Series(columns["n"], dtype="Int64")
    encoder = TabularEncoder(scale=None, dtype="float64").fit(frame)
    numbers = encoder.transform(frame)[:, list(encoder.get_feature_names_out()).index("n")]
    assert_array_equal(numbers[[0, 2]], [2.0**62, -(2.0**53)])


@TIMES
@cases(NUMBERS)
def test_numbers_of_each_type_are_numbers(column, times):
    X = frame(column, times)
    encoder = TabularEncoder([], dtype="float64")
    encoded = encoder.fit_transform(X)
    assert_array_equal(encoded, np.tile([[1.5, 0], [2.25, 1], [3, 0]], (times, 1)))
    assert_array_equal(encoder.get_feature_names_out(), ["c", "c_missing"])
    assert_array_equal(encoder.transform(X), encoded)


@TIMES
@cases(INTEGERS)
def test_integers_of_each_type_can_be_levels(column, times):
    X = frame(column, times)
    encoder = TabularEncoder(["c"])
    assert_array_equal(encoder.fit_transform(X), np.tile(np.eye(3)[[0, 2, 1]], (times, 1)))
    assert_array_equal(encoder.get_feature_names_out(), ["c_7", "c_9", "c_missing"])
    for other in INTEGERS.values():
        expected = np.tile(np.eye(3)[[0, 2, 1]], (times, 1))
        assert_array_equal(encoder.transform(frame(other, times)), expected)


@TIMES
@cases(BOOLS)
def test_bools_of_each_type_are_0_and_1_or_levels_if_named(column, times):
    X = frame(column, times)
    encoder = TabularEncoder(scale="standard")
    assert_array_equal(encoder.fit_transform(X), np.tile([[1, 0], [0.5, 1], [0, 0]], (times, 1)))
    named = TabularEncoder(["c"])
    assert_array_equal(named.fit_transform(X), np.tile(np.eye(3)[[1, 2, 0]], (times, 1)))
    assert_array_equal(named.get_feature_names_out(), ["c_False", "c_True", "c_missing"])


@TIMES
@cases(TEXTS)
def test_text_of_each_type_is_categorical_and_the_same_levels(column, times):
    X = frame(column, times)
    expected = np.tile(np.eye(3)[[0, 2, 1]], (times, 1))
    for chosen in ("from_dtype", ["c"], [0]):
        encoder = TabularEncoder(chosen)
        assert_array_equal(encoder.fit_transform(X), expected)
        assert_array_equal(encoder.get_feature_names_out(), ["c_x", "c_y", "c_missing"])
    for other in TEXTS.values():
        assert_array_equal(encoder.transform(frame(other, times)), expected)
    unseen = TabularEncoder().fit(frame(pd.Series(["x", "q", "r"]), times))
    assert_array_equal(unseen.transform(X)[:3], [[0, 0, 1], [0, 0, 0], [0, 0, 0]])


@TIMES
@cases(ALL_MISSING)
def test_columns_of_nothing_are_handled(column, times):
    X = frame(column, times)
    assert_array_equal(TabularEncoder().fit_transform(X), np.zeros((3 * times, 1)))
    assert_array_equal(TabularEncoder([0]).fit_transform(X), np.ones((3 * times, 1)))
    fitted = TabularEncoder().fit(frame(pd.Series(["x", None, "y"]), times))
    assert_array_equal(fitted.transform(X), np.tile([0, 0, 1], (3 * times, 1)))
    fitted = TabularEncoder().fit(frame(pd.Series([1.0, 2.0, 6.0]), times))
    assert_array_equal(fitted.transform(X), np.full((3 * times, 1), 3))


def test_intervals_and_bytes_can_be_levels():
    X = pd.DataFrame({"c": pd.cut([1, 5, 9, 1], 3, labels=None)})
    assert_array_equal(TabularEncoder().fit_transform(X), np.eye(3)[[0, 1, 2, 0]])
    X = pd.DataFrame({"c": pd.arrays.IntervalArray.from_tuples([(0, 1), (1, 2)])})
    assert_array_equal(TabularEncoder([0]).fit_transform(X), [[-1], [1]])
    with pytest.raises(ValueError, match=r"'c' is of type 'Interval' \(first value: Interval\(0,"):
        TabularEncoder().fit(X)
    for X in (pl.DataFrame({"c": [b"x", b"y"]}), pd.DataFrame({"c": [b"x", b"y"]})):
        assert_array_equal(TabularEncoder([0]).fit_transform(X), [[-1], [1]])
        with pytest.raises(ValueError, match=r"'c' is of type 'bytes'.*not categorical according"):
            TabularEncoder().fit(X)


@TIMES
@pytest.mark.parametrize(
    "column",
    [
        pd.Series([[1], [2]]),
        pd.Series([None, {"a": 1}]),
        pd.Series(["text", (1, 2)]),
        pd.Series([np.zeros(2), np.ones(2)]),
        pl.Series([[1], [2]]),
        pl.Series([{"a": 1}]),
        pl.Series([[1]], dtype=pl.Array(pl.Int64, 1)),
        *([pd.Series([[1]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))] if pa else []),
        *([pa.array([[1], [2]])] if pa else []),
        *([pa.array([["x"], ["y"]], pa.list_(pa.string_view()))] if HAS_VIEWS else []),
        *([pa.array([{"page_view": 1}] * 2)] if HAS_VIEWS else []),
    ],
    ids=str,
)
@pytest.mark.parametrize("chosen", ["from_dtype", ["c"]])
def test_nested_columns_are_refused_by_name(column, times, chosen):
    with pytest.raises(TypeError, match=r"'c' holds .* X argument must be a string or a number"):
        TabularEncoder(chosen).fit(frame(column, times))


@TIMES
@pytest.mark.parametrize("values", [["a", 1], [1.5, "a"], [True, "a"], [b"a", "a"]])
def test_columns_that_mix_types_are_refused_by_name(values, times):
    X = frame(pd.Series(values, dtype=object), times)
    for chosen in ("from_dtype", ["c"]):
        with pytest.raises(ValueError, match=r"'c' mixes .*Convert all to one type"):
            TabularEncoder(chosen).fit(X)
    if "a" in values and b"a" not in values:
        with pytest.raises(ValueError, match=r"'c' is text \(first value: 'a'\), but not cat"):
            TabularEncoder(None).fit(X)


@TIMES
@pytest.mark.parametrize("values", [[0.5, 1.0], [np.inf, 1.0]])
def test_fractions_are_no_levels_unless_the_user_made_categories_of_them(values, times):
    columns = [pd.Series(values), pl.Series(values)]
    if np.inf in values:
        columns.append(pd.Series(values, dtype="category"))
    for column in columns:
        with pytest.raises(ValueError, match=f"'c' has categories as floats: {values[0]!r} is not"):
            TabularEncoder(["c"]).fit(frame(column, times))


def test_complex_columns_are_refused_by_name():
    with pytest.raises(ValueError, match="Complex data not supported: column 'c' holds 1j"):
        TabularEncoder().fit(pd.DataFrame({"c": [1j], "d": ["x"]}))


@pytest.mark.parametrize("chosen", [None, []])
def test_text_that_is_said_to_be_no_category_is_refused_by_name(chosen):
    with pytest.raises(ValueError, match=r"'c' is text \(first value: 'x'\), but not categorical"):
        TabularEncoder(chosen).fit(pl.DataFrame({"c": [None, "x"]}))


def test_lazy_frames_have_to_be_collected():
    X = pl.DataFrame({"c": [1.0]})
    with pytest.raises(TypeError, match=r"a lazy one \(LazyFrame\). collect\(\) it first"):
        TabularEncoder().fit(X.lazy())
    assert not is_plain_numbers(X.lazy())
    with pytest.raises(TypeError, match="collect"):
        TabularEncoder().fit(X).encode(X.lazy())


@pytest.mark.parametrize("X", [pd.DataFrame({"c": ["x"]})[:0], pl.DataFrame({"c": ["x"]})[:0]])
def test_a_row_at_least_is_needed(X):
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\) \(shape=\(0, 1\)\)"):
        TabularEncoder().fit(X)
    with pytest.raises(ValueError, match=r"Found array with 0 feature\(s\) \(shape=\(3, 0\)\)"):
        TabularEncoder([0]).fit(pd.DataFrame(index=range(3)))


def test_two_columns_of_one_name_are_refused():
    X = pd.DataFrame([[1.0, 2.0, 3.0]], columns=["a", "b", "a"])
    with pytest.raises(ValueError, match="names must be unique, but 'a' is there 2 times"):
        TabularEncoder().fit(X)


def test_pandas_own_sparse_columns_are_numbers_or_a_sparse_matrix():
    column = pd.arrays.SparseArray([0.0, 2.0, 0.0], fill_value=0)
    X = pd.DataFrame({"a": column, "b": column})
    assert sparse.issparse(TabularEncoder().fit_transform(X))
    X["c"] = ["x", "y", "z"]
    encoded = TabularEncoder().fit_transform(X)
    assert_array_equal(encoded, np.column_stack([[0, 2, 0], [0, 2, 0], np.eye(3)]))


def test_columns_whose_names_are_no_text_are_numbered():
    X = pd.DataFrame({0: [1.0, 2.0], 1: ["x", "y"]})
    encoder = TabularEncoder().fit(X)
    assert_array_equal(encoder.get_feature_names_out(), ["x0", "x1_y"])
    assert_array_equal(encoder.transform(X), [[1, -1], [2, 1]])


def both(n_rows=300):
    rng = np.random.default_rng(0)
    data = {
        "age": rng.normal(40, 10, n_rows).tolist(),
        "city": rng.choice(["Rome", "Oslo", "Bern", None], n_rows).tolist(),
        "n": rng.integers(0, 5, n_rows).tolist(),
        "street": [f"street {i}" for i in rng.integers(0, 30, n_rows)],
        "yes": rng.choice([True, False, None], n_rows).tolist(),
    }
    data["age"][3] = None
    return [pd.DataFrame(data), pl.DataFrame(data), *([pa.table(data)] if pa else [])]


@pytest.mark.parametrize("scale", [None, "standard", "robust", "quantile"])
def test_frames_of_each_kind_give_the_same_numbers_whichever_was_fitted(scale):
    frames = both()
    encoded = []
    for fitted in frames:
        encoder = TabularEncoder(scale=scale).fit(fitted)
        encoded.extend(encoder.transform(X) for X in frames)
        encoded.extend([encoder.encode(X) for X in frames])
        one_by_one = [encoder.transform(frames[1][i]) for i in range(40)]
        assert_array_equal(np.vstack(one_by_one), encoded[0][:40])
        names = "age n yes age_missing yes_missing city_Bern city_Oslo city_Rome city_missing"
        assert_array_equal(encoder.get_feature_names_out(), [*names.split(), "street"])
    for other in encoded[1:]:
        assert_array_equal(other, encoded[0])


def test_frames_of_numbers_give_the_same_numbers_whichever_was_fitted():
    X = np.random.default_rng(0).normal(3, 2, (500, 3))
    frames = pd.DataFrame(X, columns=list("abc")), pl.DataFrame(X, schema=list("abc"))
    results = [
        TabularEncoder(scale="standard").fit(fitted).transform(X)
        for fitted in frames
        for X in frames
    ]
    for other in results[1:]:
        assert_array_equal(other, results[0])


FOLDER = Path(os.environ.get("SKNN_TABLES", "no-such-folder"))
META = FOLDER / "meta.json"


@pytest.mark.skipif(not META.exists(), reason="SKNN_TABLES names no folder with real tables")
def test_real_tables_are_encoded_alike_from_pandas_and_polars():
    for meta in json.loads(META.read_text()):
        path = FOLDER / f"{meta['name']}.parquet"
        X = pd.read_parquet(path).drop(columns="__target__")
        other = pl.read_parquet(path).drop("__target__")
        encoder = TabularEncoder(meta["cats"], scale="robust").fit(X[::2])
        encoded = encoder.transform(X)
        assert_array_equal(encoder.transform(other), encoded)
        assert np.isfinite(encoded).all()
        spec = encoder.spec_
        assert encoded.shape == (len(X), spec.n_numeric + len(spec.cardinalities))
        codes = encoded[:, spec.n_numeric :]
        assert (codes.max(axis=0, initial=0) < spec.cardinalities).all()
        again = TabularEncoder(meta["cats"], scale="robust").fit(other[::2]).transform(X)
        assert_allclose(again, encoded, rtol=1e-6)
