import itertools

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_blobs
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.preprocessing import StandardScaler

from sknn.threshold import ThresholdLogicClassifier

INPUTS = np.array(list(itertools.product([0.0, 1.0], repeat=2)))
GATES = {
    "and": ([1, 1], 2, [0, 0, 0, 1]),
    "or": ([1, 1], 1, [0, 1, 1, 1]),
    "nand": ([-1, -1], -1, [1, 1, 1, 0]),
    "nor": ([-1, -1], 0, [1, 0, 0, 0]),
    "first and not second": ([1, -1], 1, [0, 0, 1, 0]),
}


@pytest.fixture
def noisy():
    return make_blobs(80, n_features=3, centers=3, cluster_std=6.0, random_state=0)


def fewest_errors(X, y, weights):
    """Try the two sides of each line through two rows, with either row on either side."""
    least = min(weights[y == 0].sum(), weights[y == 1].sum())
    for i, j in itertools.combinations(range(len(X)), 2):
        along = X[j] - X[i]
        side = (X - X[i]) @ np.array([-along[1], along[0]])
        for side[i], side[j] in itertools.product([-1.0, 1.0], repeat=2):
            errors = weights[(side > 0) != (y == 1)].sum()
            least = min(least, errors, weights.sum() - errors)
    return least


# ---------------------------------------------------------------- fixed units


@pytest.mark.parametrize("gate", GATES)
def test_fixed_unit_computes_its_truth_table(gate):
    weights, threshold, table = GATES[gate]
    unit = ThresholdLogicClassifier(weights=weights, threshold=threshold).fit(INPUTS, table)
    assert unit.predict(INPUTS).tolist() == table
    assert unit.n_errors_ == 0
    assert unit.n_iter_ == 0
    assert unit.coef_.tolist() == [weights]
    assert unit.threshold_.tolist() == [threshold]
    assert unit.intercept_.tolist() == [-threshold]


def test_an_inhibitory_input_alone_is_not():
    unit = ThresholdLogicClassifier(weights=[-1], threshold=0).fit([[0], [1]], ["no", "yes"])
    assert unit.predict([[0], [1]]).tolist() == ["yes", "no"]


def test_fixed_unit_does_not_learn_and_counts_its_errors():
    unit = ThresholdLogicClassifier(weights=[1, 1], threshold=2)
    unit.fit(INPUTS, [1, 1, 0, 0], sample_weight=[1, 2, 4, 8])
    assert unit.predict(INPUTS).tolist() == [0, 0, 0, 1]
    assert unit.n_errors_ == 1 + 2 + 8


@pytest.mark.parametrize(("step", "on_the_threshold"), [("heaviside", 1), ("sign", 0)])
def test_step_decides_on_the_threshold(step, on_the_threshold):
    unit = ThresholdLogicClassifier(weights=[1.0], threshold=1.0, step=step)
    unit.fit([[0.0], [1.0], [2.0]], [0, 1, 1])
    assert unit.predict([[0.0], [1.0], [2.0]]).tolist() == [0, on_the_threshold, 1]
    assert unit.decision_function([[1.0]]).tolist() == [0.0]
    assert unit.predict_proba([[1.0]]).argmax(axis=1) == on_the_threshold


# ---------------------------------------------------------------- learned units


@pytest.mark.parametrize("gate", GATES)
def test_learned_unit_finds_each_gate(gate):
    table = GATES[gate][2]
    unit = ThresholdLogicClassifier(random_state=0).fit(INPUTS, table)
    assert unit.predict(INPUTS).tolist() == table


def test_xor_costs_one_error():
    assert ThresholdLogicClassifier(random_state=0).fit(INPUTS, [0, 1, 1, 0]).n_errors_ == 1


def test_threshold_of_one_feature_is_in_the_middle_of_the_gap():
    unit = ThresholdLogicClassifier().fit([[0.0], [1.0], [5.0], [9.0]], [0, 0, 1, 1])
    assert unit.threshold_ / unit.coef_[0] == pytest.approx(3.0)


@pytest.mark.parametrize("seed", range(8))
def test_errors_of_few_samples_are_the_fewest_there_can_be(seed):
    rng = np.random.RandomState(seed)
    X, y, weights = rng.randn(12, 2), rng.permutation([0, 1] * 6), rng.uniform(0.1, 3, 12)
    unit = ThresholdLogicClassifier(n_restarts=40, random_state=0).fit(X, y, sample_weight=weights)
    assert unit.n_errors_ == pytest.approx(fewest_errors(X, y, weights))


@pytest.mark.parametrize(
    ("n_rows", "n_features"), [(50, 1), (300, 2), (200, 5), (500, 10), (20, 30)]
)
def test_separable_samples_leave_no_error(n_rows, n_features):
    for seed in range(4):
        rng = np.random.RandomState(seed)
        plain = rng.randn(n_rows, n_features)
        y = (plain @ rng.randn(n_features) + 0.3 * rng.randn() > 0).astype(int)
        X = plain * 10 ** rng.uniform(-3, 3, n_features) + 5 * rng.randn(n_features)
        assert ThresholdLogicClassifier(random_state=0).fit(X, y).n_errors_ == 0


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_wine])
def test_errors_are_never_more_than_of_other_linear_classifiers(load):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    for label in np.unique(y)[-3:]:
        wanted = (y == label).astype(int)
        unit = ThresholdLogicClassifier(random_state=0).fit(X, wanted)
        assert unit.n_errors_ == np.sum(unit.predict(X) != wanted)
        for other in (LogisticRegression(), LogisticRegression(C=1e4, max_iter=5000), Perceptron()):
            assert unit.n_errors_ <= np.sum(other.fit(X, wanted).predict(X) != wanted)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_wine, load_digits])
def test_errors_of_all_classes_are_never_more_than_of_other_linear_classifiers(load):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    units = ThresholdLogicClassifier(random_state=0).fit(X, y)
    assert units.n_errors_ == np.sum(units.predict(X) != y)
    for other in (LogisticRegression(), LogisticRegression(C=1e4, max_iter=5000), Perceptron()):
        assert units.n_errors_ <= np.sum(other.fit(X, y).predict(X) != y)


@pytest.mark.parametrize("label", [1, 8, 9])
def test_errors_of_a_digit_are_never_more_than_of_other_linear_classifiers(label):
    X, y = load_digits(return_X_y=True)
    X, wanted = StandardScaler().fit_transform(X), y == label
    unit = ThresholdLogicClassifier(random_state=0, n_restarts=1).fit(X, wanted)
    for other in (LogisticRegression(), LogisticRegression(C=1e4, max_iter=5000), Perceptron()):
        assert unit.n_errors_ <= np.sum(other.fit(X, wanted).predict(X) != wanted)


@pytest.mark.parametrize("n_classes", [3, 6])
def test_separable_classes_leave_no_error(n_classes):
    rng = np.random.RandomState(n_classes)
    X = rng.randn(400, 5)
    y = np.argmax(X @ rng.randn(5, n_classes) + rng.randn(n_classes), axis=1)
    assert ThresholdLogicClassifier(random_state=0).fit(X, y).n_errors_ == 0


def test_restarts_never_make_it_worse(noisy):
    X, y = noisy
    errors = [
        ThresholdLogicClassifier(n_restarts=n, random_state=0).fit(X, y == 1).n_errors_
        for n in (0, 2, 8)
    ]
    assert errors == sorted(errors, reverse=True)


def test_learned_units_have_norm_one_for_standardised_features(noisy):
    X, y = noisy
    units = ThresholdLogicClassifier(random_state=0).fit(X, y)
    norms = np.linalg.norm(units.coef_ * X.std(axis=0), axis=1)
    assert np.mean(norms**2) == pytest.approx(1)
    single = ThresholdLogicClassifier(random_state=0).fit(X, y == 1)
    assert np.linalg.norm(single.coef_ * X.std(axis=0)) == pytest.approx(1)
    assert units.coef_.shape == (3, 3)
    np.testing.assert_allclose(units.decision_function(X), X @ units.coef_.T - units.threshold_)


def test_the_largest_margin_decides_between_classes():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])
    units = ThresholdLogicClassifier(random_state=0).fit(X, names[y])
    predicted = units.predict(X)
    assert np.array_equal(predicted, names[units.decision_function(X).argmax(axis=1)])
    assert units.n_errors_ == np.sum(predicted != names[y])
    assert units.n_errors_ <= 2


# ---------------------------------------------------------------- weights


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.5, 1: 2.0, 2: 1.0}])
@pytest.mark.parametrize("grid", [False, True])
def test_a_weight_is_the_same_as_repeats_in_any_order(noisy, class_weight, grid):
    X, y = noisy
    X = np.round(X / 6) if grid else X  # many rows alike, and many ties
    repeats = np.random.RandomState(0).randint(0, 4, len(y))
    order = np.random.RandomState(1).permutation(repeats.sum())
    repeated = np.repeat(np.arange(len(y)), repeats)[order]
    params = {"class_weight": class_weight, "n_restarts": 1, "random_state": 0}
    weighted = ThresholdLogicClassifier(**params).fit(X, y, sample_weight=repeats)
    written_out = ThresholdLogicClassifier(**params).fit(X[repeated], y[repeated])
    np.testing.assert_allclose(weighted.coef_, written_out.coef_, rtol=1e-9)
    np.testing.assert_allclose(weighted.threshold_, written_out.threshold_, rtol=1e-9)
    np.testing.assert_allclose(weighted.class_shares_, written_out.class_shares_, rtol=1e-9)
    assert weighted.n_errors_ == pytest.approx(written_out.n_errors_)


@pytest.mark.parametrize("centers", [2, 3])
def test_classes_of_next_to_no_weight_are_given_up(centers):
    X, y = make_blobs(100, centers=centers, cluster_std=20, random_state=1)
    weights = {0: 1000, **dict.fromkeys(range(1, centers), 1e-4)}
    units = ThresholdLogicClassifier(class_weight=weights, random_state=0).fit(X[:50], y[:50])
    assert np.mean(units.predict(X[50:]) == 0) > 0.95


def test_class_weights_move_the_threshold():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 1, 0, 1]
    careful, eager = (
        ThresholdLogicClassifier(class_weight=weights, random_state=0).fit(X, y)
        for weights in ({0: 3, 1: 1}, {0: 1, 1: 3})
    )
    assert careful.predict(X).tolist() == [0, 0, 0, 1]
    assert eager.predict(X).tolist() == [0, 1, 1, 1]
    assert careful.n_errors_ == eager.n_errors_ == 1


def test_samples_of_weight_zero_are_left_out_but_their_class_stays(noisy):
    X, y = noisy
    units = ThresholdLogicClassifier(random_state=0, n_restarts=0)
    units.fit(X, y, sample_weight=y != 1)
    assert units.classes_.tolist() == [0, 1, 2]
    assert set(units.predict(X[y != 1])) == {0, 2}
    assert units.coef_[1].tolist() == [0, 0, 0]
    assert units.n_errors_ == np.sum(units.predict(X[y != 1]) != y[y != 1])


def test_one_class_of_three_with_weight_is_always_predicted(noisy):
    X, y = noisy
    units = ThresholdLogicClassifier().fit(X, y, sample_weight=y == 1)
    assert units.predict(X).tolist() == [1] * len(y)


@pytest.mark.parametrize("kept", [0, 1])
def test_one_class_with_weight_is_always_predicted(kept):
    unit = ThresholdLogicClassifier().fit(INPUTS, [0, 1, 1, 0], np.equal([0, 1, 1, 0], kept))
    assert unit.predict(INPUTS).tolist() == [kept] * 4
    assert unit.n_errors_ == 0


# ---------------------------------------------------------------- probabilities


def test_probabilities_are_laplace_shares_of_each_side():
    # fires on the rows of class 1 (weights 3 and 1) and, wrongly, on one of class 0 (weight 2)
    unit = ThresholdLogicClassifier(weights=[1.0], threshold=1.0)
    unit.fit([[0.0], [0.0], [1.0], [2.0], [3.0]], [0, 0, 0, 1, 1], sample_weight=[1, 4, 2, 3, 1])
    np.testing.assert_allclose(unit.predict_proba([[5.0]]), [[3 / 8, 5 / 8]])
    np.testing.assert_allclose(unit.predict_proba([[-5.0]]), [[6 / 7, 1 / 7]])
    np.testing.assert_allclose(unit.predict_log_proba([[5.0]]), np.log([[3 / 8, 5 / 8]]))


def test_largest_probability_is_of_the_class_predicted_even_if_most_samples_say_no():
    unit = ThresholdLogicClassifier(weights=[1.0], threshold=1.0)
    X, y = [[0.0], [0.0], [2.0], [2.0]], [1, 1, 0, 0]
    probabilities = unit.fit(X, y).predict_proba(X)
    assert probabilities.argmax(axis=1).tolist() == unit.predict(X).tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(probabilities, 0.5)


def test_largest_probability_is_of_the_class_predicted_for_many_classes(noisy):
    X, y = noisy
    units = ThresholdLogicClassifier(random_state=0).fit(X, y)
    probabilities = units.predict_proba(X)
    assert np.array_equal(probabilities.argmax(axis=1), units.predict(X))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


# ---------------------------------------------------------------- random state and errors


def test_random_state_gives_the_same_units_bit_for_bit(noisy):
    X, y = noisy
    first, again = (ThresholdLogicClassifier(random_state=3).fit(X, y) for _ in "ab")
    assert np.array_equal(first.coef_, again.coef_)
    assert np.array_equal(first.threshold_, again.threshold_)


def test_numpys_random_state_is_left_alone(noisy):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    ThresholdLogicClassifier(n_restarts=1).fit(*noisy)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("given", [{"weights": [1, 1]}, {"threshold": 1.0}])
def test_half_a_fixed_unit_is_an_error(given):
    with pytest.raises(ValueError, match="needs both weights and threshold, got weights="):
        ThresholdLogicClassifier(**given).fit(INPUTS, [0, 0, 0, 1])


@pytest.mark.parametrize("weights", [[1, 1, 1], [[1, 1]]])
def test_weights_of_another_shape_are_an_error(weights):
    with pytest.raises(ValueError, match="one number for each of the 2 features, got an array of"):
        ThresholdLogicClassifier(weights=weights, threshold=1).fit(INPUTS, [0, 0, 0, 1])


def test_weights_that_are_not_finite_are_an_error():
    with pytest.raises(ValueError, match="weights must be finite numbers, got"):
        ThresholdLogicClassifier(weights=[1, np.inf], threshold=1).fit(INPUTS, [0, 0, 0, 1])


def test_fixed_unit_refuses_more_than_two_classes():
    unit = ThresholdLogicClassifier(weights=[1, 1], threshold=1)
    assert not unit.__sklearn_tags__().classifier_tags.multi_class
    assert ThresholdLogicClassifier().__sklearn_tags__().classifier_tags.multi_class
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        unit.fit(INPUTS, [0, 1, 2, 1])


@pytest.mark.parametrize("fixed", [{}, {"weights": [1, 1], "threshold": 1}])
def test_one_class_is_an_error(fixed):
    with pytest.raises(ValueError, match="contains only one class: 1"):
        ThresholdLogicClassifier(**fixed).fit(INPUTS, [1, 1, 1, 1])


def test_sparse_samples_are_an_error():
    with pytest.raises(TypeError, match="dense data is required"):
        ThresholdLogicClassifier().fit(sparse.csr_array(INPUTS), [0, 0, 0, 1])
