import numpy as np
import pytest

from sknn.activations import ACTIVATIONS
from sknn.inspection import forward_pass
from sknn.threshold import ThresholdUnit, heaviside, sign

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def test_step_functions_have_the_lectures_values_at_0():
    t = [-3.0, -0.0, 0.0, 1e-300, 2.0]
    assert heaviside(t).tolist() == [0, 1, 1, 1, 1]
    assert sign(t).tolist() == [-1, 0, 0, 1, 1]
    assert np.array_equal(sign(t), ACTIVATIONS["sign"].value(np.array(t)))


@pytest.mark.parametrize(("threshold", "table"), [(2, [0, 0, 0, 1]), (1, [0, 1, 1, 1])])
def test_threshold_makes_and_or_or(threshold, table):
    unit = ThresholdUnit([1, 1], threshold)
    assert unit.predict(ROWS).tolist() == table
    assert np.array_equal(unit(ROWS), unit.predict(ROWS))
    assert unit.net_input(ROWS).tolist() == [s - threshold for s in (0, 1, 1, 2)]


def test_bias_is_minus_the_threshold_and_the_weight_of_an_extra_input():
    rng = np.random.RandomState(0)
    X, weights = rng.randn(50, 3), rng.randn(3)
    units = [
        ThresholdUnit(weights, 0.25),
        ThresholdUnit(weights, intercept=-0.25),
        ThresholdUnit.from_augmented([-0.25, *weights]),
    ]
    with_ones = np.c_[np.ones(50), X] @ np.r_[-0.25, weights]
    for unit in units:
        assert (unit.threshold, unit.intercept) == (0.25, -0.25)
        assert unit.net_input(X) == pytest.approx(with_ones, abs=1e-14)
        assert np.array_equal(unit(X), (with_ones >= 0).astype(int))


def test_inhibitory_input_counts_negatively():
    unit = ThresholdUnit([1, 1, 2], 1, inhibitory=[0, 2])
    assert unit.weights.tolist() == [-1, 1, -2]
    assert ThresholdUnit([1], 0, inhibitory=[0])([[0], [1]]).tolist() == [1, 0]


def test_given_weights_are_not_changed():
    weights = np.ones(2)
    ThresholdUnit(weights, 0, inhibitory=[0])
    assert weights.tolist() == [1, 1]


@pytest.mark.parametrize(("step", "outputs"), [("heaviside", [0, 1, 1]), ("sign", [-1, 0, 1])])
def test_step_decides_below_and_on_the_threshold(step, outputs):
    unit = ThresholdUnit([0.5], 1.0, step=step)
    assert unit([[1.0], [2.0], [3.0]]).tolist() == outputs
    assert forward_pass(unit, [[1.0], [2.0], [3.0]]).outputs["2"].tolist() == outputs


def test_threshold_is_met_exactly_with_fractions():
    unit = ThresholdUnit([1.0, 1.0], 0.1 + 0.2)
    assert unit([[0.1, 0.2], [0.1, np.nextafter(0.2, 0)]]).tolist()[0] == 1


def test_text_builds_the_unit_again():
    for unit in (ThresholdUnit([1, -0.5], 1.5), ThresholdUnit([2], 0, step="sign")):
        again = eval(repr(unit))
        assert repr(again) == repr(unit)
        assert again.weights.tolist() == unit.weights.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": [1]}, "either a threshold or an intercept.*None and intercept=None"),
        ({"weights": [1], "threshold": 1, "intercept": -1}, "threshold=1 and intercept=-1"),
        ({"weights": [1], "threshold": 1, "step": "relu"}, r"\['heaviside', 'sign'\], got 'relu'"),
        ({"weights": [], "threshold": 1}, r"weights must be finite numbers.*got \[\]"),
        ({"weights": [[1, 1]], "threshold": 1}, "weights must be finite numbers"),
        ({"weights": [1, np.inf], "threshold": 1}, "weights must be finite numbers.*inf"),
        ({"weights": [1], "threshold": np.nan}, "threshold must be finite.*nan"),
        ({"weights": [1, 1], "threshold": 1, "inhibitory": [2]}, "from 0 to 1, got 2"),
    ],
)
def test_impossible_unit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ThresholdUnit(**arguments)


def test_augmented_weights_need_an_input():
    with pytest.raises(ValueError, match=r"weights must be finite numbers, one at least"):
        ThresholdUnit.from_augmented([1.0])


def test_samples_that_do_not_fit_are_refused():
    unit = ThresholdUnit([1, 1], 1)
    with pytest.raises(ValueError, match="X has 3 columns, but the unit has 2 inputs"):
        unit.predict([[1, 0, 1]])
    with pytest.raises(ValueError, match="A single sample has double brackets"):
        unit.predict([1, 0])
    with pytest.raises(ValueError, match="contains NaN"):
        unit.predict([[1, np.nan]])
