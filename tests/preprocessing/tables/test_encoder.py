"""What `TabularEncoder` makes of numbers, gaps and categories."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import check_array

from sknn._specs import InputSpec
from sknn.preprocessing import TabularEncoder, is_plain_numbers

SCALES = (None, "standard", "robust", "quantile")
NAN = np.nan


def numbers(n_rows=50, missing=0.0, dtype="float64"):
    rng = np.random.default_rng(0)
    X = rng.normal(3, 2, (n_rows, 4))
    X[rng.random(X.shape) < missing] = NAN
    return X.astype(dtype)


def mixed(n_rows=200, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, n_rows)
    age[rng.random(n_rows) < 0.1] = NAN
    return pd.DataFrame(
        {
            "age": age,
            "sex": rng.choice(["f", "m"], n_rows),
            "income": rng.exponential(size=n_rows),
            "city": rng.choice(["Rome", "Oslo", "Bern"], n_rows),
            "street": rng.choice([f"street {i:02d}" for i in range(20)], n_rows),
        }
    )


# --- scikit-learn's checks -----------------------------------------------------------------


@parametrize_with_checks(
    [
        TabularEncoder(),
        *(
            TabularEncoder(None, scale=scale, dtype=dtype)
            for scale, dtype in zip(SCALES, ("auto", "float32", "float64", "auto"), strict=True)
        ),
    ]
)
def test_estimator_check(estimator, check):
    check(estimator)


def test_enough_checks_run():
    results = check_estimator(TabularEncoder(None), on_skip=None, on_fail="raise")
    passed = [result["check_name"] for result in results if result["status"] == "passed"]
    assert len(passed) >= 50
    wanted = {"check_transformer_general", "check_sample_weight_equivalence_on_sparse_data"}
    assert wanted <= set(passed)


@pytest.mark.parametrize(
    ("params", "sparse_tag", "string", "categorical"),
    [
        ({}, True, False, True),
        ({"categorical_features": None}, True, False, False),
        ({"categorical_features": [0]}, False, True, True),
        ({"scale": "standard"}, True, False, True),
        ({"scale": "robust"}, False, False, True),
    ],
)
def test_tags_say_what_it_takes(params, sparse_tag, string, categorical):
    tags = TabularEncoder(**params).__sklearn_tags__().input_tags
    found = (tags.sparse, tags.string, tags.categorical, tags.allow_nan)
    assert found == (sparse_tag, string, categorical, True)


# --- clean numbers pass --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_clean_array_of_the_dtype_comes_back_as_it_is(dtype):
    X = numbers(dtype=dtype)
    encoder = TabularEncoder(dtype=dtype)
    assert encoder.fit_transform(X) is X
    assert encoder.is_identity_
    assert encoder.transform(X) is X
    assert encoder.encode(X) is X
    assert encoder.spec_ == InputSpec("table", 4, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "X",
    [
        numbers(),
        numbers(dtype="float32"),
        numbers(dtype="float16"),
        numbers().astype(int),
        np.array([[2**53 + 1, 2**60 + 12345]]),
        numbers() > 3,
        numbers().tolist(),
        np.asfortranarray(numbers()),
        pd.DataFrame(numbers(), columns=list("abcd")),
        pd.DataFrame({"a": [1, 2], "b": np.array([1.5, 2], "float32"), "c": [True, False]}),
        pd.DataFrame({"a": pd.array([1, 2], dtype="Int64"), "b": pd.array([1, 2], "Float32")}),
    ],
    ids=lambda X: f"{type(X).__name__}-{getattr(X, 'dtype', '')}",
)
def test_numbers_alone_are_what_scikit_learn_makes_of_them(X, dtype):
    encoder = TabularEncoder(dtype=dtype)
    encoded = encoder.fit_transform(X)
    assert encoded.dtype == dtype
    assert_array_equal(encoded, check_array(X, dtype=dtype))
    assert encoder.is_identity_
    assert_array_equal(encoder.transform(X), encoded)


def test_frames_lie_row_by_row_afterwards():
    X = pd.DataFrame(numbers(), columns=list("abcd"))
    assert TabularEncoder(dtype="float64").fit_transform(X).flags.c_contiguous


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sparse_numbers_stay_sparse(dtype):
    dense = np.where(numbers() > 4, numbers(), 0).astype("float32")
    for X in (sparse.csr_array(dense), sparse.csr_matrix(dense), sparse.coo_array(dense)):
        encoder = TabularEncoder(dtype=dtype)
        encoded = encoder.fit_transform(X)
        assert encoded.format == "csr"
        assert encoded.dtype == dtype
        assert_array_equal(encoded.toarray(), dense)
        assert encoder.is_identity_
    X = sparse.csr_array(dense, dtype=dtype)
    assert TabularEncoder(dtype=dtype).fit_transform(X) is X


@pytest.mark.parametrize(
    ("X", "dtype"),
    [
        (numbers(), "float64"),
        (numbers(dtype="float32"), "float32"),
        (numbers().astype(int), "float64"),
        (pd.DataFrame(numbers(dtype="float32"), columns=list("abcd")), "float32"),
        (pd.DataFrame({"a": ["x", "y"], "b": np.zeros(2, "float32")}), "float32"),
        (pd.DataFrame({"a": ["x", "y"], "b": np.zeros(2)}), "float64"),
        (pd.DataFrame({"a": ["x", "y"]}), "float32"),
    ],
)
def test_auto_keeps_float32(X, dtype):
    encoder = TabularEncoder(dtype="auto")
    assert encoder.fit_transform(X).dtype == dtype
    assert encoder.spec_.dtype == dtype
    assert encoder.transform(X).dtype == dtype


# --- missing numbers -----------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, np.arange(50.0)])
@pytest.mark.parametrize("scale", SCALES)
def test_a_missing_number_becomes_the_centre_and_is_marked(scale, weights):
    X = numbers(missing=0.2)
    X[:, 1] = np.arange(50)
    encoder = TabularEncoder(scale=scale, dtype="float64").fit(X, sample_weight=weights)
    encoded = encoder.transform(X)
    gaps = np.isnan(X)
    assert encoded.shape == (50, 7)
    assert encoder.spec_.n_numeric == 7
    assert_array_equal(encoded[:, 4:], gaps[:, [0, 2, 3]])
    names = ["x0", "x1", "x2", "x3", "x0_missing", "x2_missing", "x3_missing"]
    assert_array_equal(encoder.get_feature_names_out(), names)
    filled = encoded[:, :4][gaps]
    if scale is None and weights is None:
        assert_allclose(filled, np.nanmean(X, axis=0)[np.nonzero(gaps)[1]])
    elif scale == "quantile":  # next to 0, as the median may be the middle of two values
        assert_allclose(filled, 0, atol=0.1)
    elif scale is not None:
        assert_allclose(filled, 0, atol=1e-12)


def test_numbers_missing_for_the_first_time_are_filled_in_silently():
    X = numbers()
    encoder = TabularEncoder(dtype="float64").fit(X)
    holes = X.copy()
    holes[3] = NAN
    expected = X.copy()
    expected[3] = X.mean(axis=0)
    assert_allclose(encoder.transform(holes), expected)
    assert np.isnan(holes[3]).all()  # the caller's array is not written to


@pytest.mark.parametrize("later", [[[NAN, 1.0]], [[5.0, 1.0]], [[NAN, NAN]], [["text", 1.0]]])
@pytest.mark.parametrize("scale", SCALES)
def test_a_column_without_a_number_in_fit_is_0_whatever_comes(scale, later):
    X = pd.DataFrame({"a": [NAN, NAN, NAN], "b": [1.0, 2.0, 3.0]})
    encoder = TabularEncoder(scale=scale).fit(X)
    assert_array_equal(encoder.transform(X)[:, 0], 0)
    encoded = encoder.transform(pd.DataFrame(later, columns=["a", "b"]))
    assert encoded.shape == (1, 2)
    assert encoded[0, 0] == 0
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize("scale", SCALES)
def test_constant_columns_stay_small(scale):
    X = np.column_stack([np.full(20, 1e6 / 3), numbers(20)])
    encoded = TabularEncoder(scale=scale).fit_transform(X)
    if scale is not None:
        assert_allclose(encoded[:, 0], 0, atol=1e-6)
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("n_rows", [1, 2])
def test_few_samples_are_enough(scale, n_rows):
    X = np.array([[1.0, NAN], [2.0, 5.0]])[:n_rows]
    assert np.isfinite(TabularEncoder(scale=scale).fit_transform(X)).all()


# --- scales --------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", SCALES[1:])
def test_columns_of_bool_are_0_and_1_and_not_scaled(scale):
    X = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [True, False, True]})
    encoded = TabularEncoder(scale=scale).fit_transform(X)
    assert_array_equal(encoded[:, 1], [1, 0, 1])
    assert not np.array_equal(encoded[:, 0], X["a"])
    truth = np.array([[True, False], [False, False]])
    assert_array_equal(TabularEncoder(scale=scale).fit_transform(truth), truth)
    assert_array_equal(TabularEncoder([1], scale=scale).fit_transform(truth)[:, 0], truth[:, 0])


def test_huge_numbers_are_scaled_before_they_become_float32():
    X = numbers() * 1e200
    encoded = TabularEncoder(scale="standard").fit_transform(X)
    assert encoded.dtype == np.float32
    assert_allclose(encoded, StandardScaler().fit_transform(numbers()), rtol=1e-4, atol=1e-6)


def test_sparse_standard_divides_alone():
    dense = np.where(numbers() > 3, numbers(), 0)
    weights = np.arange(50.0)
    for X in (sparse.csr_array(dense), sparse.csc_matrix(dense)):
        encoder = TabularEncoder(scale="standard", dtype="float64").fit(X, sample_weight=weights)
        expected = StandardScaler(with_mean=False).fit(dense, sample_weight=weights)
        assert_allclose(encoder.transform(X).toarray(), expected.transform(dense))
        assert_allclose(encoder.transform(dense), expected.transform(dense))
        assert not encoder.is_identity_


def test_sparse_columns_of_bool_are_not_scaled():
    X = sparse.csr_array(numbers() > 3)
    assert_array_equal(TabularEncoder(scale="standard").fit_transform(X).toarray(), X.toarray())


@pytest.mark.parametrize("scale", SCALES)
def test_samples_of_weight_0_are_left_out(scale):
    X = mixed()
    weights = np.ones(200)
    weights[100:] = 0
    X.loc[150:, "age"] = 1e9
    X.loc[150, "city"] = "Paris"
    X.loc[160, "income"] = NAN
    X.loc[170, "city"] = None
    weighted = TabularEncoder(scale=scale).fit(X, sample_weight=weights)
    without = TabularEncoder(scale=scale).fit(X[:100])
    assert weighted.spec_ == without.spec_
    assert_allclose(weighted.transform(X), without.transform(X))
    both = TabularEncoder(scale=scale).fit_transform(X, sample_weight=weights)
    assert_array_equal(both, weighted.transform(X))


# --- categories ----------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [None, "standard"])
def test_a_table_is_what_scikit_learns_transformers_make_of_it(scale):
    X, later = mixed(), mixed(seed=1)
    later.loc[0, "city"] = "Paris"
    encoder = TabularEncoder(scale=scale, dtype="float64").fit(X)
    steps = [SimpleImputer()] if scale is None else [SimpleImputer(), StandardScaler()]
    marks = SimpleImputer(add_indicator=True, strategy="constant", fill_value=0)
    peer = ColumnTransformer(
        [
            ("num", make_pipeline(*steps), ["age", "income"]),
            ("gap", marks, ["age"]),
            ("sex", OrdinalEncoder(), ["sex"]),
            ("city", OneHotEncoder(handle_unknown="ignore"), ["city"]),
            ("street", OrdinalEncoder(), ["street"]),
        ]
    ).fit(X)
    expected = peer.transform(later)
    expected = np.delete(expected, 2, axis=1)  # the constant-filled column itself
    expected[:, 3] = 2 * expected[:, 3] - 1
    expected[:, -1] += 1
    if scale is not None:  # scikit-learn scales filled columns, whose deviation is smaller
        there = StandardScaler().fit(X[["age"]])
        expected[:, :1] = np.nan_to_num(there.transform(later[["age"]]))
    assert_allclose(encoder.transform(later), expected)
    assert_array_equal(
        encoder.get_feature_names_out(),
        ["age", "income", "age_missing", "sex_m", "city_Bern", "city_Oslo", "city_Rome", "street"],
    )
    assert encoder.spec_ == InputSpec("table", 7, "float64", (21,))
    assert_array_equal(encoder.is_categorical_, [False, True, False, True, True])
    assert encoder.categories_[:2] == [("f", "m"), ("Bern", "Oslo", "Rome")]


def column_of(values):
    return pd.DataFrame({"c": pd.Series(values, dtype=object)})


@pytest.mark.parametrize(
    ("values", "max_one_hot", "names", "encoded"),
    [
        (["a", "b", "c"], 9, ["c_a", "c_b", "c_c"], np.eye(3)),
        (["a", "b", "c"], 3, ["c_a", "c_b", "c_c"], np.eye(3)),
        (["a", "b", "c"], 2, ["c"], [[1], [2], [3]]),
        (["a", None, "b"], 3, ["c_a", "c_b", "c_missing"], np.eye(3)[[0, 2, 1]]),
        (["a", None, "b"], 2, ["c"], [[1], [3], [2]]),
        (["b", "a", "b"], 2, ["c_b"], [[1], [-1], [1]]),
        (["b", "a", "b"], 1, ["c"], [[2], [1], [2]]),
        (["a", None, "a"], 2, ["c_a", "c_missing"], [[1, 0], [0, 1], [1, 0]]),
        (["a", "a", "a"], 1, ["c_a"], [[1], [1], [1]]),
        (["a", "a", "a"], 0, ["c"], [[1], [1], [1]]),
    ],
)
def test_levels_become_columns_or_codes(values, max_one_hot, names, encoded):
    encoder = TabularEncoder(max_one_hot=max_one_hot)
    assert_array_equal(encoder.fit_transform(column_of(values)), encoded)
    assert_array_equal(encoder.get_feature_names_out(), names)
    # Nothing there in any column is what an unknown level gets, and a missing one if fit saw none.
    unknown = encoder.transform(column_of(["never seen"]))
    assert_array_equal(unknown, np.zeros((1, len(names))))
    if None not in values:
        assert_array_equal(encoder.transform(column_of([None])), np.zeros((1, len(names))))


def test_max_one_hot_none_embeds_nothing():
    encoder = TabularEncoder(max_one_hot=None).fit(mixed())
    assert encoder.spec_.cardinalities == ()
    assert encoder.spec_.n_numeric == 3 + 1 + 3 + 20


def test_codes_come_last_and_count_unknown_and_missing_levels():
    X = pd.DataFrame(
        {
            "many": list("abcd") * 2,
            "few": list("ab") * 4,
            "gaps": ["x", "y", "z", None] * 2,
            "n": np.arange(8.0),
        }
    )
    encoder = TabularEncoder(max_one_hot=2).fit(X)
    assert_array_equal(encoder.get_feature_names_out(), ["n", "few_b", "many", "gaps"])
    assert encoder.spec_ == InputSpec("table", 2, "float32", (5, 5))
    assert_array_equal(encoder.transform(X)[:4, 2:], [[1, 1], [2, 2], [3, 3], [4, 4]])


def test_a_column_of_nothing_but_missing_levels_is_constant():
    X = pd.DataFrame({"c": pd.Categorical([None, None], categories=["a"])})
    encoder = TabularEncoder()
    assert_array_equal(encoder.fit_transform(X), [[1], [1]])
    assert encoder.categories_ == [(None,)]
    assert_array_equal(encoder.transform(pd.DataFrame({"c": ["a", None]})), [[0], [1]])


def test_levels_do_not_depend_on_the_order_of_samples():
    X = mixed()
    first, second = TabularEncoder().fit(X), TabularEncoder().fit(X[::-1])
    assert first.categories_ == second.categories_
    assert_allclose(first.transform(X), second.transform(X), rtol=1e-6)


def test_levels_of_types_that_cannot_be_sorted_are_levels_too():
    X = np.array([[1 + 0j], [2 + 0j]], dtype=object)  # complex stands for any such type
    with pytest.raises(ValueError, match="Complex data not supported: column 0 holds"):
        TabularEncoder([0]).fit(X)

    class Colour:
        def __init__(self, name):
            self.name = name

        def __repr__(self):
            return self.name

    red, blue = Colour("red"), Colour("blue")
    X = np.array([[red], [blue], [red]], dtype=object)
    encoder = TabularEncoder([0])
    assert_array_equal(encoder.fit_transform(X), [[1], [-1], [1]])
    assert encoder.categories_ == [(blue, red)]


@pytest.mark.parametrize(
    "values",
    [
        [3, 1, 2, 1],
        [3.0, 1.0, 2.0, 1.0],
        np.array([3, 1, 2, 1], "uint8"),
        np.array([2**62 + 3, 2**62 + 1, 2**62 + 2, 2**62 + 1]),
    ],
)
def test_whole_numbers_can_be_levels(values):
    X = np.column_stack([np.asarray(values), np.zeros(4, np.asarray(values).dtype)])
    encoder = TabularEncoder([0])
    assert_array_equal(encoder.fit_transform(X)[:, 1:], np.eye(3)[[2, 0, 1, 0]])
    names = [f"x0_{int(value)}" for value in sorted(set(np.asarray(values).tolist()))]
    assert_array_equal(encoder.get_feature_names_out()[1:], names)


def test_whole_numbers_are_the_same_level_whatever_their_type():
    encoder = TabularEncoder([0]).fit(np.array([[1], [2], [3]]))
    for other in ([[2.0]], np.array([[2]], dtype=object), pd.DataFrame([[2]])):
        assert_array_equal(encoder.transform(other), [[0, 1, 0]])


@pytest.mark.parametrize("rows", [4, 400])
def test_arrays_of_objects_and_text_have_columns_of_both_kinds(rows):
    X = np.array([[1.0, "a", 3], [None, "b", 4], [2, None, 5], [NAN, "c", 6.5]], dtype=object)
    X = np.tile(X, (rows // 4, 1))
    expected = np.column_stack(
        [[1, 1.5, 2, 1.5], [3, 4, 5, 6.5], [0, 1, 0, 1], np.eye(4)[[0, 1, 3, 2]]]
    )
    for chosen in ([1], [False, True, False], np.array([1])):
        encoder = TabularEncoder(chosen)
        assert_array_equal(encoder.fit_transform(X), np.tile(expected, (rows // 4, 1)))
    assert_array_equal(encoder.encode(X[:2]), expected[:2])
    assert_array_equal(TabularEncoder([1]).fit_transform(X.tolist())[:4], expected)
    text = np.array([["a"], ["b"], ["c"]] * rows)
    assert_array_equal(TabularEncoder([0]).fit_transform(text)[:3], np.eye(3))


def test_arrays_of_objects_without_categories_are_numbers():
    X = np.array([[1, 2.5], [True, None], [np.float32(3), NAN]], dtype=object)
    encoded = TabularEncoder().fit_transform(X)
    assert_array_equal(encoded, [[1, 2.5, 0], [1, 2.5, 1], [3, 2.5, 1]])


@pytest.mark.parametrize("chosen", [["c"], [1], [False, True], np.array(["c"]), pd.Index(["c"])])
def test_categorical_features_are_named_numbered_or_masked(chosen):
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "c": [1, 2, 3]})
    encoder = TabularEncoder(chosen).fit(X)
    assert_array_equal(encoder.is_categorical_, [False, True])
    assert_array_equal(encoder.get_feature_names_out(), ["a", "c_1", "c_2", "c_3"])


@pytest.mark.parametrize("chosen", [None, [], [False] * 4, "from_dtype"])
def test_no_column_of_an_array_is_categorical_without_a_word(chosen):
    encoder = TabularEncoder(chosen).fit(numbers())
    assert not encoder.is_categorical_.any()
    assert encoder.is_identity_


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ([1.5], "must be an array-like of bool, int or str, got: float"),
        ([True, None], "must be an array-like of bool, int or str, got: NoneType, bool"),
        ([True], r"boolean mask must have shape \(n_features,\), that is \(2,\), got: \(1,\)"),
        ([2], r"must be in \[0, n_features - 1\], that is up to 1; got \[2\]"),
        ([-1], r"must be in \[0, n_features - 1\], that is up to 1; got \[-1\]"),
        (["z"], r"item value 'z' which is not a valid feature name.*names: \['a', 'c'\]"),
    ],
)
def test_categorical_features_that_do_not_fit(chosen, message):
    X = pd.DataFrame({"a": [1.0, 2.0], "c": [1, 2]})
    with pytest.raises(ValueError, match=message):
        TabularEncoder(chosen).fit(X)


def test_names_need_columns_with_names():
    with pytest.raises(ValueError, match=r"data without feature names; got \['a'\]"):
        TabularEncoder(["a"]).fit(numbers())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"scale": "minmax"}, "'scale' parameter of TabularEncoder must be"),
        ({"max_one_hot": -1}, "'max_one_hot' parameter of TabularEncoder must be"),
        ({"dtype": "float16"}, "'dtype' parameter of TabularEncoder must be"),
        ({"categorical_features": "all"}, "'categorical_features' parameter of TabularEncoder"),
    ],
)
def test_parameters_are_checked(params, message):
    for method in ("fit", "fit_transform"):
        with pytest.raises(ValueError, match=message):
            getattr(TabularEncoder(**params), method)(numbers())


# --- what it is to others ------------------------------------------------------------------


def test_names_of_two_columns_are_never_the_same():
    X = pd.DataFrame(
        {"a": [1.0, NAN, 2.0], "a_missing": [1.0, 2.0, 3.0], "c": ["missing", None, "x"]}
    )
    names = TabularEncoder().fit(X).get_feature_names_out()
    wanted = ["a", "a_missing", "a_missing_", "c_missing", "c_x", "c_missing_"]
    assert_array_equal(names, wanted)


def test_names_can_be_given_for_an_array():
    encoder = TabularEncoder().fit(numbers(missing=0.5)[:, :1])
    assert_array_equal(encoder.get_feature_names_out(["age"]), ["age", "age_missing"])
    with pytest.raises(ValueError, match="input_features should have length equal"):
        encoder.get_feature_names_out(["a", "b"])


@pytest.mark.parametrize("scale", SCALES)
def test_a_fitted_encoder_is_small_and_can_be_copied(scale):
    X = mixed(5000)
    encoder = TabularEncoder(scale=scale).fit(X)
    packed = pickle.dumps(encoder)
    assert len(packed) < (40_000 if scale == "quantile" else 8_000)
    for other in (pickle.loads(packed), copy.deepcopy(encoder)):
        assert_array_equal(other.transform(X), encoder.transform(X))
    assert not hasattr(clone(encoder), "spec_")


@pytest.mark.parametrize("scale", SCALES)
def test_threads_can_share_an_encoder(scale):
    X = mixed(2000)
    encoder = TabularEncoder(scale=scale).fit(X)
    expected = encoder.transform(X)
    parts = [X[i : i + 100] for i in range(0, 2000, 100)]
    with ThreadPoolExecutor(4) as pool:
        assert_array_equal(np.vstack(list(pool.map(encoder.transform, parts))), expected)


def test_fitting_again_forgets():
    encoder = TabularEncoder().fit(mixed())
    encoder.fit(numbers())
    assert encoder.is_identity_
    assert encoder.spec_ == InputSpec("table", 4, "float32")
    assert not hasattr(encoder, "feature_names_in_")
    holes = pd.DataFrame({"a": [NAN, NAN]})
    encoder.fit(holes).fit(pd.DataFrame({"a": [1.0, NAN]}))
    assert_array_equal(encoder.transform(pd.DataFrame({"a": [5.0]})), [[5, 0]])


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_gives_frames(container):
    pytest.importorskip(container)
    X = mixed()
    X.index = X.index + 7
    encoder = TabularEncoder().set_output(transform=container)
    encoded = encoder.fit_transform(X)
    assert type(encoded).__module__.startswith(container)
    assert list(encoded.columns) == list(encoder.get_feature_names_out())
    plain = TabularEncoder().fit_transform(X)
    assert_array_equal(encoded.to_numpy(), plain)
    assert type(encoder.encode(X)) is np.ndarray
    if container == "pandas":
        assert_array_equal(encoded.index, X.index)


@pytest.mark.parametrize(
    ("X", "plain"),
    [
        (numbers(), True),
        (numbers() > 1, True),
        (numbers() * 1j, True),
        (sparse.csr_array(numbers()), True),
        ([[1, 2.5]], True),
        ([[1], [2, 3]], True),
        (pd.Series([1.0]), True),
        (numbers().astype(object), False),
        (numbers().astype(str), False),
        ([[1, "a"]], False),
        ([[1, None]], False),
        (np.array([["2020-01-01"]], "datetime64[D]"), False),
    ],
)
def test_plain_numbers_are_told_from_tables(X, plain):
    assert is_plain_numbers(X) is plain


@pytest.mark.parametrize(
    "levels",
    [
        [0.5, 1.0, -2.25],
        pd.IntervalIndex.from_breaks([0, 1, 2, 3]),
        pd.period_range("2020", periods=3),
    ],
    ids=["float", "interval", "period"],
)
def test_levels_of_a_category_dtype_may_be_of_any_type(levels):
    codes = [0, 1, 2, 1, -1]
    X = pd.DataFrame({"c": pd.Categorical.from_codes(codes, categories=levels)})
    encoder = TabularEncoder(max_one_hot=0, dtype="float64").fit(X)
    order = np.argsort(np.argsort(pd.Index(levels)))
    assert_array_equal(encoder.transform(X)[:, 0], [*(order + 1), order[1] + 1, 4])
    other = pd.DataFrame({"c": pd.Categorical.from_codes([2, 0], categories=levels[::-1])})
    assert_array_equal(encoder.transform(other)[:, 0], [order[0] + 1, order[2] + 1])


def test_a_float_that_was_no_level_is_unknown_beside_float_levels():
    X = pd.DataFrame({"c": pd.Categorical([0.5, 1.5])})
    encoder = TabularEncoder(max_one_hot=0).fit(X)
    assert_array_equal(encoder.transform(pd.DataFrame({"c": [1.5, 2.5, 0.5]}))[:, 0], [2, 0, 1])
    with pytest.raises(ValueError, match="'c' has categories as floats: inf is not a whole number"):
        encoder.transform(pd.DataFrame({"c": [np.inf]}))
