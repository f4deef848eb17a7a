"""Targets in and out of the network."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets

from sknn.preprocessing import ClassCodec, ValueCodec

# --- classes -------------------------------------------------------------------------------

BINARY = {
    "int": np.array([1, 0, 0, 1]),
    "negative int": np.array([-1, 1, 1, -1]),
    "uint8": np.array([7, 3, 3, 7], dtype=np.uint8),
    "float": np.array([1.0, 0.0, 0.0, 1.0]),
    "float32": np.array([2.0, -1.0, -1.0, 2.0], dtype=np.float32),
    "bool": np.array([True, False, False, True]),
    "str": np.array(["yes", "no", "no", "yes"]),
    "object": np.array(["yes", "no", "no", "yes"], dtype=object),
    "list of int": [1, 0, 0, 1],
    "list of str": ["yes", "no", "no", "yes"],
    "series": pd.Series([5, 2, 2, 5], index=[9, 8, 7, 6]),
    "series of str": pd.Series(["yes", "no", "no", "yes"]),
    "categorical": pd.Categorical(["yes", "no", "no", "yes"]),
    "series of categories": pd.Series(["b", "a", "a", "b"], dtype="category"),
    "nullable int": pd.Series([5, 2, 2, 5], dtype="Int64"),
}
MULTICLASS = {
    "int": np.array([2, 0, 1, 2]),
    "gaps": np.array([30, -10, 5, 30]),
    "float": np.array([3.0, 1.0, 2.0, 3.0]),
    "str": np.array(["c", "a", "b", "c"]),
    "long str": np.array(["zebra", "a", "bb", "zebra"]),
    "object": np.array(["c", "a", "b", "c"], dtype=object),
    "list": ["c", "a", "b", "c"],
    "series": pd.Series(["c", "a", "b", "c"], index=[4, 3, 2, 1]),
    "categorical": pd.Categorical(["c", "a", "b", "c"], categories=["c", "b", "a"]),
}
SETS = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 1]])


def logits_of(codes, n_classes):
    """Raw outputs, as a sure network has them."""
    return 10.0 * np.eye(n_classes)[codes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", BINARY)
def test_two_classes_are_one_column_of_0_and_1(case, dtype):
    y = BINARY[case]
    codec = ClassCodec().fit(y)
    encoded = codec.encode(y, dtype)
    assert (codec.spec_.kind, codec.spec_.n_outputs) == ("binary", 1)
    assert codec.spec_.loss == "log_loss"
    assert encoded.shape == (4, 1)
    assert encoded.dtype == dtype
    assert_array_equal(codec.classes_, np.unique(np.asarray(y)))
    if case != "negative int":
        assert_array_equal(encoded[:, 0], [1, 0, 0, 1])
    decoded = codec.decode(20 * encoded - 10)
    assert_array_equal(decoded, np.asarray(y))
    assert decoded.dtype == codec.classes_.dtype


@pytest.mark.parametrize("case", MULTICLASS)
def test_several_classes_are_their_numbers(case):
    y = MULTICLASS[case]
    codec = ClassCodec().fit(y)
    encoded = codec.encode(y, "float32")
    assert (codec.spec_.kind, codec.spec_.n_outputs, codec.spec_.loss) == (
        "multiclass",
        3,
        "log_loss",
    )
    assert encoded.dtype == np.int64
    assert_array_equal(encoded, [2, 0, 1, 2])
    assert_array_equal(codec.classes_, sorted(set(y)))
    assert_array_equal(codec.decode(logits_of(encoded, 3)), np.asarray(y))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "container",
    [np.asarray, sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix, sparse.csr_array],
)
def test_label_sets_are_columns_of_0_and_1(container, dtype):
    Y = container(SETS)
    codec = ClassCodec().fit(Y)
    encoded = codec.encode(Y, dtype)
    assert (codec.spec_.kind, codec.spec_.n_outputs) == ("multilabel", 3)
    assert codec.spec_.loss == "log_loss"
    assert_array_equal(codec.classes_, [0, 1, 2])
    assert type(encoded) is np.ndarray
    assert encoded.dtype == dtype
    assert_array_equal(encoded, SETS)
    decoded = codec.decode(20 * encoded - 10)
    assert sparse.issparse(decoded) == sparse.issparse(Y)
    assert_array_equal(decoded.toarray() if sparse.issparse(decoded) else decoded, SETS)


@pytest.mark.parametrize("Y", [SETS.tolist(), SETS.astype(bool), SETS.astype(float)], ids=type)
def test_label_sets_may_be_lists_booleans_or_floats(Y):
    codec = ClassCodec().fit(Y)
    assert codec.spec_.kind == "multilabel"
    assert_array_equal(codec.encode(Y, "float64"), SETS)


def test_a_data_frame_of_label_sets():
    Y = pd.DataFrame(SETS, columns=["a", "b", "c"])
    codec = ClassCodec().fit(Y)
    assert_array_equal(codec.encode(Y, "float64"), SETS)


def test_encoding_a_sparse_y_leaves_it_alone():
    Y = sparse.csr_matrix(SETS)
    ClassCodec().fit(Y).encode(Y, "float64")
    assert_array_equal(Y.toarray(), SETS)


@pytest.mark.parametrize("label", [3, "only", True, 0.0])
def test_one_class_is_always_decoded(label):
    y = np.array([label] * 4)
    codec = ClassCodec().fit(y)
    assert (codec.spec_.kind, codec.spec_.n_outputs) == ("binary", 1)
    assert_array_equal(codec.encode(y, "float64"), np.zeros((4, 1)))
    assert_array_equal(codec.decode(np.array([[-5.0], [5.0]])), [label] * 2)


@pytest.mark.parametrize("classes", [[0, 1, 2], (2, 1, 0), np.array([1, 0, 2]), [0, 1, 2, 2]])
def test_classes_that_y_lacks_are_kept(classes):
    y = np.array([0, 2, 2])
    codec = ClassCodec().fit(y, classes)
    assert_array_equal(codec.classes_, [0, 1, 2])
    assert codec.spec_.kind == "multiclass"
    assert_array_equal(codec.encode(y, "float64"), [0, 2, 2])


def test_an_indicator_matrix_knows_its_own_classes():
    codec = ClassCodec().fit(SETS, classes=[0, 1, 2])
    assert codec.spec_.kind == "multilabel"
    assert_array_equal(codec.encode(SETS, "float64"), SETS)


def test_other_samples_of_seen_classes_are_encoded():
    codec = ClassCodec().fit(["a", "b", "c"])
    assert_array_equal(codec.encode(["c", "c"], "float64"), [2, 2])
    assert_array_equal(codec.encode(pd.Series(["b"], index=[5]), "float64"), [1])
    assert_array_equal(codec.encode(np.array(["a", "c"], dtype=object), "float64"), [0, 2])
    binary = ClassCodec().fit([False, True])
    assert_array_equal(binary.encode([True, True], "float64"), [[1], [1]])


def test_the_largest_output_wins_and_0_does_not_fire():
    codec = ClassCodec().fit(["a", "b", "c"])
    assert_array_equal(codec.decode(np.array([[1, 3, 2.0], [-1, -3, -2]])), ["b", "a"])
    binary = ClassCodec().fit(["no", "yes"])
    assert_array_equal(binary.decode(np.array([[1e-300], [0], [-1.0]])), ["yes", "no", "no"])
    sets = ClassCodec().fit(SETS)
    assert_array_equal(sets.decode(np.array([[1e-300, 0, -1.0]])), [[1, 0, 0]])


@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([0.5, 1.5, 2.7], "Unknown label type: continuous"),
        ([[0.5, 1.5], [2.7, 1]], "Unknown label type: continuous-multioutput"),
        ([[1, 2], [3, 4], [5, 6]], "Multioutput target data is not supported"),
        (np.array([None, 1, 2], dtype=object), "Unknown label type: unknown"),
        (np.zeros((2, 2, 2)), "Unknown label type: unknown"),
        ([np.nan, 1.0], "contains NaN"),
    ],
    ids=["continuous", "continuous columns", "columns", "None", "3-D", "nan"],
)
def test_what_are_no_classes_is_an_error(y, match):
    with pytest.raises(ValueError, match=match):
        ClassCodec().fit(y)


@pytest.mark.parametrize(
    ("y", "unseen"),
    [
        (["a", "d"], r"\['a' 'd'\]"),
        (["aa", "b"], r"\['aa' 'b'\]"),
        ([0, 1], r"\[0 1\]"),
        (pd.Series(["z"]), r"\['z'\]"),
    ],
)
@pytest.mark.parametrize("classes", [["a", "b"], ["a", "b", "c"]])
def test_an_unseen_class_is_an_error(classes, y, unseen):
    codec = ClassCodec().fit(classes)
    with pytest.raises(ValueError, match=rf"`y` has classes not in `self\.classes_`.*{unseen}"):
        codec.encode(y, "float64")


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (SETS[:, :2], r"with 3 columns.*'multilabel-indicator' y of shape \(4, 2\)"),
        (sparse.csr_matrix(SETS[:, :2]), r"with 3 columns.*shape \(4, 2\)"),
        (np.array([0, 1, 0, 1]), r"indicator matrix with 3 columns.*'binary' y of shape \(4,\)"),
        (np.array([0, 1, 2, 1]), r"indicator matrix.*'multiclass' y of shape \(4,\)"),
        ([0, 1, 0, 1], r"indicator matrix.*'binary' y of shape \(4,\)"),
        (SETS[:, :2].tolist(), r"indicator matrix with 3 columns.*shape \(4, 2\)"),
        (SETS + 2 * SETS[::-1], "indicator matrix.*'multiclass-multioutput' y"),
    ],
    ids=["narrow", "sparse narrow", "binary", "multiclass", "list", "list of lists", "no 0/1"],
)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_other_label_sets_are_an_error(container, y, match):
    codec = ClassCodec().fit(container(SETS))
    with pytest.raises(ValueError, match=match):
        codec.encode(y, "float64")


@pytest.mark.parametrize("first", [["a", "b"], [0, 1], [0, 1, 2], ["a", "b", "c"]], ids=str)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_label_sets_after_labels_are_an_error(first, container):
    codec = ClassCodec().fit(first)
    with pytest.raises(ValueError, match=r"label|classes"):
        codec.encode(container(SETS), "float64")


@pytest.mark.parametrize("y", [["a"], ["a", "b", "c"], ["a", "x"], [0, 1]], ids=str)
def test_other_classes_are_not_the_same_classes(y):
    codec = ClassCodec().fit(["a", "b"])
    codec.check_same_classes(["b", "a", "a"])
    codec.check_same_classes(pd.Series(["b", "a"]))
    with pytest.raises(ValueError, match=r"same classes as in the previous call to fit\. Prev"):
        codec.check_same_classes(y)


# --- numbers -------------------------------------------------------------------------------

VALUES = np.random.default_rng(0).normal(size=(50, 3)) * [1, 1e6, 1e-6] + [0, 5, 1e3]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("y", [VALUES, VALUES[:, 1], VALUES[:, :1]], ids=["3", "1-D", "1 column"])
def test_standardised_numbers_have_mean_0_and_deviation_1(y, dtype):
    codec = ValueCodec("squared_error", standardize=True).fit(y)
    encoded = codec.encode(y, dtype)
    n_outputs = 1 if y.ndim == 1 else y.shape[1]
    assert codec.spec_.kind == "values"
    assert codec.spec_.loss == "squared_error"
    assert codec.spec_.n_outputs == n_outputs
    assert encoded.shape == (50, n_outputs)
    assert encoded.dtype == dtype
    tolerance = 1e-5 if dtype == "float32" else 1e-6
    assert_allclose(encoded.mean(axis=0), 0, atol=tolerance)
    assert_allclose(encoded.std(axis=0), 1, rtol=1e-4)
    columns = y.reshape(50, -1)
    assert_allclose(codec.mean_, columns.mean(axis=0), rtol=1e-12)
    assert_allclose(codec.scale_, columns.std(axis=0), rtol=1e-9)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("y", [VALUES, VALUES[:, 1]], ids=["3", "1-D"])
def test_decoding_undoes_encoding(y, standardize):
    codec = ValueCodec("squared_error", standardize).fit(y)
    decoded = codec.decode(codec.encode(y, "float64"))
    assert decoded.shape == y.shape
    assert_allclose(decoded, y, rtol=1e-12)
    single = codec.decode(codec.encode(y, "float32"))
    assert single.dtype == np.float32
    assert_allclose(single, y, rtol=1e-4, atol=1)


def test_without_standardising_numbers_stay_as_they_are():
    codec = ValueCodec("squared_error", standardize=False).fit(VALUES)
    assert_array_equal(codec.encode(VALUES, "float64"), VALUES)
    assert_array_equal(codec.mean_, [0, 0, 0])
    assert_array_equal(codec.scale_, [1, 1, 1])


def test_counts_stay_as_they_are_and_come_back_as_exponentials():
    y = np.array([0, 3, 1, 8])
    codec = ValueCodec("poisson", standardize=True).fit(y)
    assert_array_equal(codec.encode(y, "float64"), y[:, None])
    assert_array_equal(codec.mean_, [0])
    assert_array_equal(codec.scale_, [1])
    assert codec.spec_.loss == "poisson"
    assert_allclose(codec.decode(np.log([[1.0], [8.0]])), [1, 8])


@pytest.mark.parametrize("value", [0.0, 1.0, -3.7, 1e300, 1e-300, 0.1])
def test_a_constant_has_scale_1(value):
    codec = ValueCodec("squared_error", standardize=True).fit(np.full(30, value))
    assert_allclose(codec.mean_, value, rtol=1e-14)
    assert_array_equal(codec.scale_, [1])
    assert_allclose(codec.encode(np.full(30, value), "float64"), 0, atol=1e-14 * abs(value))


def test_one_row_has_scale_1():
    codec = ValueCodec("squared_error", standardize=True).fit(np.array([7.0]))
    assert_array_equal(codec.encode(np.array([7.0]), "float64"), [[0]])
    assert_array_equal(codec.scale_, [1])


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1e150, 1e300])
def test_extreme_numbers_neither_overflow_nor_vanish(size):
    y = size * np.array([1.0, 2.0, 4.0])
    codec = ValueCodec("squared_error", standardize=True).fit(y)
    plain = ValueCodec("squared_error", standardize=True).fit(y / size)
    assert_allclose(codec.scale_ / size, plain.scale_, rtol=1e-12)
    assert_allclose(codec.encode(y, "float64"), plain.encode(y / size, "float64"), rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.float32, bool])
def test_any_kind_of_number_is_taken(dtype):
    y = np.array([0, 1, 1, 1, 0]).astype(dtype)
    codec = ValueCodec("squared_error", standardize=True).fit(y)
    assert_allclose(codec.mean_, 0.6, rtol=1e-12)
    assert_allclose(codec.scale_, np.std([0, 1, 1, 1, 0]), rtol=1e-12)
    assert_allclose(codec.decode(codec.encode(y, "float64")), y.astype(float), atol=1e-12)


def test_a_weight_of_two_is_a_row_given_twice():
    counts = np.arange(50) % 4
    weighted = ValueCodec("squared_error", True).fit(VALUES, counts.astype(float))
    repeated = ValueCodec("squared_error", True).fit(np.repeat(VALUES, counts, axis=0))
    assert_allclose(weighted.mean_, repeated.mean_, rtol=1e-12)
    assert_allclose(weighted.scale_, repeated.scale_, rtol=1e-12)


@pytest.mark.parametrize("factor", [1e-3, 1e-300, 1e3])
def test_weights_of_any_size_give_a_usable_scale(factor):
    weights = factor * np.ones(50)
    codec = ValueCodec("squared_error", True).fit(VALUES, weights)
    ratio = codec.scale_ / VALUES.std(axis=0)
    assert_allclose(codec.mean_, VALUES.mean(axis=0), rtol=1e-9)
    assert (ratio >= 1 - 1e-9).all()
    assert (ratio <= np.sqrt(2) + 1e-9).all()


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_another_number_of_columns_is_an_error(loss):
    codec = ValueCodec(loss, standardize=True).fit(np.abs(VALUES))
    with pytest.raises(ValueError, match="y has 1 columns, but 3 in the first call to fit or part"):
        codec.encode(VALUES[:, 0], "float64")
    with pytest.raises(ValueError, match="y has 2 columns, but 3 in the first call"):
        codec.encode(VALUES[:, :2], "float64")


def test_a_negative_count_is_an_error():
    codec = ValueCodec("poisson", standardize=False).fit(np.array([0.0, 2.0]))
    with pytest.raises(ValueError, match=r"out of the valid range of the loss 'poisson'.*-0\.5"):
        codec.encode(np.array([1.0, -0.5]), "float64")
    ValueCodec("squared_error", standardize=False).fit(np.array([0.0])).encode(
        np.array([-1.0]), "float64"
    )


def test_encoding_does_not_change_its_input():
    y = VALUES.copy()
    codec = ValueCodec("squared_error", standardize=True).fit(y)
    encoded = codec.encode(y, "float64")
    encoded[:] = 0
    assert_array_equal(y, VALUES)
    plain = ValueCodec("squared_error", standardize=False).fit(y)
    plain.encode(y, "float64")[:] = 0
    assert_array_equal(y, VALUES)


@pytest.mark.parametrize("dtype", [int, float, str])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_scikit_learn_warns_of_classes_with_hardly_a_sample_each(dtype, times):
    y, found = np.repeat(np.arange(30), times).astype(dtype), []
    for check in (check_classification_targets, ClassCodec().fit):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check(y)
        found.append([str(warning.message) for warning in caught])
    assert found[0] == found[1]  # there is one for `times` of 1, from scikit-learn 1.6 on
