"""What a target must know of its loss."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.metrics import d2_pinball_score, r2_score

from sknn.losses import (
    CLASS_LOSSES,
    VALUE_LOSSES,
    find_class_loss,
    find_value_loss,
    gives_probabilities,
    quantile_steps,
)
from sknn.preprocessing import ClassCodec, RunningMoments, ValueCodec
from sknn.preprocessing.targets._measured import compute_inverse_cdf

rng = np.random.default_rng(0)
Y = rng.gamma(2.0, 50.0, size=(40, 3)) + 1
LEVELS = (0.1, 0.25, 0.5, 0.9)


def user_cost(output, target):
    return (output - target).abs()


# --- numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [*VALUE_LOSSES, user_cost])
def test_numbers_are_standardised_unless_the_link_is_exponential(loss):
    codec = ValueCodec(loss, standardize=True).fit(Y)
    encoded = codec.encode(Y, "float64")
    if loss == "poisson":
        assert_array_equal(encoded, Y)
    elif loss in ("bounded", "ordered_bins"):  # in its range, whatever is said of standardising
        assert_allclose([encoded.min(axis=0), encoded.max(axis=0)], [[0] * 3, [1] * 3])
        return
    elif loss == "gamma":  # whose deviance does not see the scale
        assert_allclose(encoded, Y / Y.mean(axis=0))
    else:
        assert_allclose(encoded.mean(axis=0), 0, atol=1e-12)
        assert_allclose(encoded.std(axis=0), 1)
    assert_array_equal(ValueCodec(loss, standardize=False).fit(Y).encode(Y, "float64"), Y)


@pytest.mark.parametrize(
    ("loss", "params", "of_a_column", "activation"),
    [
        ("squared_error", {}, 1, "identity"),
        ("absolute_error", {}, 1, "identity"),
        ("huber", {"delta": 2}, 1, "identity"),
        ("poisson", {}, 1, "exp"),
        ("gamma", {}, 1, "exp"),
        ("quantile", {}, 1, "identity"),
        ("quantile", {"quantiles": 0.3}, 1, "identity"),
        ("quantile", {"quantiles": LEVELS}, 4, "increments"),
        ("gaussian_nll", {}, 2, "mean_and_softplus"),
        ("bounded", {}, 1, "logistic"),
        ("ordered_bins", {}, 32, "expected_bin"),
        ("ordered_bins", {"n_bins": 6}, 6, "expected_bin"),
        (user_cost, {}, 1, "identity"),
    ],
)
def test_the_spec_says_how_many_outputs_there_are(loss, params, of_a_column, activation):
    for columns in (1, 3):
        codec = ValueCodec(loss, True, params).fit(Y[:, :columns])
        assert codec.spec_.n_outputs == columns * of_a_column
        assert codec.n_columns_ == columns
        assert codec.spec_.kind == "values"
        assert codec.spec_.loss is loss
        assert codec.out_activation_ == activation


def test_settings_are_complete_in_the_spec():
    assert ValueCodec("huber", True).fit(Y).spec_.loss_params == {"delta": 1.35}
    assert ValueCodec("huber", True, {"delta": 2}).fit(Y).spec_.loss_params == {"delta": 2.0}
    assert ValueCodec("quantile", True, {"quantiles": np.array([0.1, 0.9])}).fit(
        Y
    ).spec_.loss_params == {"quantiles": (0.1, 0.9)}
    spec = ClassCodec("focal", {"label_smoothing": 0.1}).fit([0, 1]).spec_
    assert spec.loss_params == {"gamma": 2.0, "label_smoothing": 0.1}


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "squared_error", user_cost])
def test_predictions_are_in_the_units_of_y(loss):
    codec = ValueCodec(loss, standardize=True).fit(Y)
    assert_allclose(codec.decode(codec.encode(Y, "float64")), Y)
    codec = ValueCodec(loss, standardize=True).fit(Y[:, 0])
    assert_allclose(codec.decode(codec.encode(Y[:, 0], "float64")), Y[:, 0])


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_an_exponential_link_leads_back_to_y(loss):
    codec = ValueCodec(loss, standardize=True).fit(Y)
    assert_allclose(codec.decode(np.log(codec.encode(Y, "float64"))), Y)


# --- quantiles -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "quantiles", "shape"),
    [
        (1, 0.3, (40,)),
        (1, (0.3,), (40,)),
        (1, LEVELS, (40, 4)),
        (3, 0.3, (40, 3)),
        (3, LEVELS, (40, 3, 4)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_shape_of_quantiles(columns, quantiles, shape, dtype):
    codec = ValueCodec("quantile", True, {"quantiles": quantiles}).fit(Y[:, :columns])
    output = rng.normal(size=(40, codec.spec_.n_outputs)).astype(dtype)
    values = codec.decode(output)
    assert values.shape == shape
    assert values.dtype == dtype


def test_raw_outputs_of_0_are_the_quantiles_of_a_normal_distribution_about_the_central_one():
    codec = ValueCodec("quantile", True, {"quantiles": LEVELS}).fit(Y)
    values = codec.decode(np.zeros((2, 12)))
    expected = Y.mean(axis=0)[:, None] + Y.std(axis=0)[:, None] * norm.ppf(LEVELS)
    assert_allclose(values, [expected, expected])


@pytest.mark.parametrize(
    ("levels", "start"),
    [((0.5,), 0), ((0.1, 0.9), 0), ((0.1, 0.6), 1), ((0.7, 0.8), 0), ((0.1, 0.2), 1), (LEVELS, 2)],
)
def test_quantiles_start_from_the_level_nearest_the_median(levels, start):
    index, steps = quantile_steps(levels)
    assert index == start
    assert steps[index] == 1
    assert_allclose(np.delete(steps, index), np.diff(norm.ppf(levels)) / np.log(2))


def test_the_central_quantile_is_the_raw_output():
    codec = ValueCodec("quantile", False, {"quantiles": LEVELS}).fit(Y[:, 0])
    output = rng.normal(size=(40, 4))
    assert_array_equal(codec.decode(output)[:, 2], output[:, 2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-30, 1e-3, 1, 30, 1e4, 1e30])
@pytest.mark.parametrize("shift", [0.0, 1.0, 1e9])
@pytest.mark.parametrize("n_levels", [2, 5, 99])
def test_quantiles_never_cross(n_levels, shift, size, dtype):
    """Also where rounding swallows the distances between them."""
    levels = tuple(np.linspace(0.01, 0.99, n_levels))
    codec = ValueCodec("quantile", True, {"quantiles": levels}).fit(1e-3 * Y + shift)
    output = (size * rng.normal(size=(300, 3 * n_levels)) - 20).astype(dtype)
    values = codec.decode(output)
    assert np.isfinite(values).all()
    assert (np.diff(values, axis=2) >= 0).all()


@pytest.mark.parametrize(
    "quantiles",
    [
        *(0.0, 1.0, -0.5, 1.5, np.nan, True, "median", None),
        *((), (0.1, 0.1), (0.9, 0.1), (0.0, 0.5), (0.5, np.nan), ("a",), [[0.1], [0.2]]),
    ],
)
def test_levels_that_are_none_are_an_error(quantiles):
    with pytest.raises(ValueError, match="'quantiles' of loss 'quantile' must be"):
        ValueCodec("quantile", True, {"quantiles": quantiles})


# --- mean and standard deviation -----------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mean_and_standard_deviation_are_in_the_units_of_y(columns, dtype):
    y = Y[:, :columns]
    codec = ValueCodec("gaussian_nll", True, {"min_std": 0.25}).fit(y)
    output = rng.normal(size=(40, 2 * columns)).astype(dtype)
    mean, std = codec.decode(output), codec.decode_std(output)
    scale = y.std(axis=0)
    expected_std = (np.log1p(np.exp(output[:, 1::2])) + 0.25) * scale
    shape = (40,) if columns == 1 else (40, 3)
    assert mean.shape == std.shape == shape
    assert mean.dtype == std.dtype == dtype
    assert_allclose(mean, (output[:, ::2] * scale + y.mean(axis=0)).reshape(shape), rtol=1e-6)
    assert_allclose(std, expected_std.reshape(shape), rtol=1e-6)


def test_a_standard_deviation_has_a_floor():
    codec = ValueCodec("gaussian_nll", True).fit(Y[:, 0])
    std = codec.decode_std(np.array([[0.0, -1e4]], dtype=np.float32))
    assert_allclose(std, 1e-3 * Y[:, 0].std(), rtol=1e-6)


@pytest.mark.parametrize("loss", ["squared_error", "quantile", user_cost])
def test_other_losses_have_no_standard_deviation(loss):
    codec = ValueCodec(loss, True).fit(Y)
    with pytest.raises(ValueError, match=r"only after training with loss='gaussian_nll'"):
        codec.decode_std(np.zeros((2, 3)))


# --- scores --------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "gaussian_nll", "ordered_bins"]
)
def test_the_score_is_r2(loss, weighted):
    weight = rng.uniform(0.5, 2, 40) if weighted else None
    codec = ValueCodec(loss, True).fit(Y)
    y = codec.encode(Y, "float64")
    output = rng.normal(size=(40, codec.spec_.n_outputs))
    expected = r2_score(Y, codec.decode(output), sample_weight=weight)
    assert codec.score(y, output, weight) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_the_score_of_an_exponential_link_is_that_of_its_predictions(loss):
    codec = ValueCodec(loss, True).fit(Y)
    output = rng.normal(size=(40, 3))
    assert codec.score(Y, output) == pytest.approx(r2_score(Y, np.exp(output)), rel=1e-9)
    assert np.isnan(codec.score(Y, np.full((40, 3), 1e4)))


@pytest.mark.parametrize("weighted", [False, True])
def test_the_score_of_quantiles_is_d2(weighted):
    weight = rng.uniform(0.5, 2, 40) if weighted else None
    codec = ValueCodec("quantile", True, {"quantiles": LEVELS}).fit(Y)
    output = rng.normal(size=(40, 12))
    predicted = codec.decode(output)
    expected = [
        d2_pinball_score(Y, predicted[..., k], alpha=level, sample_weight=weight)
        for k, level in enumerate(LEVELS)
    ]
    ours = codec.score(codec.encode(Y, "float64"), output, weight)
    assert ours == pytest.approx(np.mean(expected), rel=1e-9)


# --- range of y ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "bad", "message"),
    [
        ("poisson", -0.5, r"'poisson': it needs y >= 0, the smallest here is -0\.5"),
        ("gamma", -0.5, r"'gamma': it needs y > 0, the smallest here is -0\.5"),
        ("gamma", 0.0, r"'gamma': it needs y > 0, the smallest here is 0\.0"),
        *((loss, np.nan, "y must be finite numbers") for loss in VALUE_LOSSES),
        ("squared_error", np.inf, "y must be finite numbers"),
    ],
)
def test_y_out_of_range_is_an_error(loss, bad, message):
    codec = ValueCodec(loss, standardize=True).fit(Y[:, 0])
    with pytest.raises(ValueError, match=message):
        codec.encode(np.array([1.0, bad]), "float64")


def test_a_poisson_loss_takes_zeros():
    codec = ValueCodec("poisson", standardize=True).fit(np.array([0.0, 2.0]))
    assert_array_equal(codec.encode(np.array([0.0, 2.0]), "float64"), [[0], [2]])


@pytest.mark.parametrize(
    ("loss", "params"), [("gaussian_nll", {}), ("quantile", {"quantiles": (0.1, 0.9)})]
)
def test_columns_are_those_of_y_and_not_of_the_output(loss, params):
    codec = ValueCodec(loss, True, params).fit(Y)
    assert codec.encode(Y, "float64").shape == Y.shape
    with pytest.raises(ValueError, match="y has 2 columns, but 3 in the first call"):
        codec.encode(Y[:, :2], "float64")


# --- settings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "params", "message"),
    [
        (
            "squared_error",
            {"delta": 1.0},
            r"\['delta'\], but loss 'squared_error' takes none",
        ),
        ("huber", {"detla": 1.0}, r"gives \['detla'\], but loss 'huber' takes \['delta'\]"),
        ("huber", {"delta": 0.0}, r"'delta' of loss 'huber' must be a number > 0; got 0\.0"),
        ("huber", {"delta": np.inf}, r"must be a number > 0; got inf"),
        ("huber", {"delta": "big"}, r"must be a number > 0; got 'big'"),
        ("huber", {"delta": True}, r"must be a number > 0; got True"),
        ("gaussian_nll", {"min_std": -1}, r"'min_std' of .* must be a number > 0; got -1"),
        ("ordered_bins", {"n_bins": 5}, r"'n_bins' of .* must be a whole number >= 6; got 5"),
        ("ordered_bins", {"n_bins": 8.0}, r"must be a whole number >= 6; got 8\.0"),
        ("ordered_bins", {"n_bins": True}, r"must be a whole number >= 6; got True"),
        (user_cost, {"delta": 1.0}, r"bind them with functools\.partial.*delta"),
        ("mse", {}, r"loss must be one of \['absolute_error',.*got 'mse'"),
        ("log_loss", {}, r"loss must be one of \['absolute_error',.*got 'log_loss'"),
        (None, {}, r"loss must be one of .*got None"),
    ],
)
def test_what_a_loss_of_numbers_does_not_take_is_an_error(loss, params, message):
    with pytest.raises(ValueError, match=message):
        ValueCodec(loss, True, params)


@pytest.mark.parametrize(
    ("loss", "params", "message"),
    [
        ("log_loss", {"gamma": 1.0}, r"gives \['gamma'\], but loss 'log_loss' takes \['label_smo"),
        ("log_loss", {"label_smoothing": 1.0}, r"must be a number in \[0, 1\); got 1\.0"),
        ("focal", {"label_smoothing": -0.1}, r"must be a number in \[0, 1\); got -0\.1"),
        ("focal", {"gamma": -1.0}, r"'gamma' of loss 'focal' must be a number >= 0; got -1\.0"),
        ("hinge", {"label_smoothing": 0.1}, r"loss 'hinge' takes none"),
        (user_cost, {"gamma": 1.0}, r"bind them with functools\.partial"),
        ("squared_error", {}, r"loss must be one of \['focal',.*got 'squared_error'"),
    ],
)
def test_what_a_loss_of_classes_does_not_take_is_an_error(loss, params, message):
    with pytest.raises(ValueError, match=message):
        ClassCodec(loss, params)


# --- classes -------------------------------------------------------------------------------

TARGETS = {
    "multiclass": np.array([0, 1, 2, 1]),
    "binary": np.array([0, 1, 1, 0]),
    "multilabel": np.array([[0, 1], [1, 1]]),
}


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("loss", CLASS_LOSSES)
def test_the_spec_of_classes_names_the_loss_of_their_kind(loss, kind):
    codec = ClassCodec(loss).fit(TARGETS[kind])
    assert codec.spec_.kind == kind
    assert codec.spec_.loss == loss
    expected = "softmax" if kind == "multiclass" else "logistic"
    assert codec.out_activation_ == ("identity" if loss == "hinge" else expected)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_function_is_the_loss_of_every_kind(kind):
    cost = partial(user_cost)
    codec = ClassCodec(cost).fit(TARGETS[kind])
    assert codec.spec_.loss is cost
    assert codec.out_activation_ == ("softmax" if kind == "multiclass" else "logistic")


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("loss", [*CLASS_LOSSES, user_cost])
def test_labels_are_decoded_the_same_way_for_every_loss(loss, kind):
    y = TARGETS[kind]
    output = rng.normal(size=(20, ClassCodec().fit(y).spec_.n_outputs))
    expected = ClassCodec().fit(y).decode(output)
    assert_array_equal(ClassCodec(loss).fit(y).decode(output), expected)


def test_only_the_hinge_loss_gives_no_probabilities():
    assert [name for name in CLASS_LOSSES if not gives_probabilities(name)] == ["hinge"]
    assert gives_probabilities(user_cost)


@pytest.mark.parametrize("loss", [*VALUE_LOSSES, user_cost])
def test_codecs_of_numbers_can_be_pickled(loss):
    codec = ValueCodec(loss, True).fit(Y)
    again = pickle.loads(pickle.dumps(codec))
    output = rng.normal(size=(40, codec.spec_.n_outputs))
    assert_array_equal(again.decode(output), codec.decode(output))
    assert again.spec_ == codec.spec_


@pytest.mark.parametrize("loss", [*CLASS_LOSSES, user_cost])
def test_codecs_of_classes_can_be_pickled(loss):
    codec = ClassCodec(loss).fit(TARGETS["multiclass"])
    again = pickle.loads(pickle.dumps(codec))
    output = rng.normal(size=(40, 3))
    assert_array_equal(again.decode(output), codec.decode(output))
    assert again.spec_ == codec.spec_


def test_weighted_quantile_counts_weights_as_repetitions(rng):
    values, weight = rng.normal(size=(40, 2)), rng.integers(0, 4, 40)
    for level in (0.1, 0.5, 0.9):
        expected = np.quantile(values.repeat(weight, axis=0), level, axis=0, method="inverted_cdf")
        np.testing.assert_array_equal(compute_inverse_cdf(values, level, weight), expected)
    assert compute_inverse_cdf(np.array([[1.0], [2.0]]), 0.5)[0] == 1.0


@pytest.mark.parametrize("find", [find_class_loss, find_value_loss])
def test_a_class_in_place_of_an_instance_is_an_error(find):
    message = r"got the class L1Loss. Write L1Loss\(...\); for a loss of torch with reduction="
    with pytest.raises(ValueError, match=message):
        find(torch.nn.L1Loss)


def test_a_range_has_to_be_given_where_samples_come_in_chunks():
    moments = RunningMoments(3)
    moments.add(Y)
    with pytest.raises(ValueError, match="needs to know the range of y where samples are read in"):
        ValueCodec("bounded", True).fit(Y[:20]).adopt_moments(moments)
    codec = ValueCodec("bounded", True, {"y_range": (0, 1000)}).fit(Y[:20])
    codec.adopt_moments(moments)
    assert_array_equal(codec.scale_, [1000] * 3)
