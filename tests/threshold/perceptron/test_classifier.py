import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Perceptron
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknn.exceptions import NonFiniteLossError
from sknn.threshold import PerceptronClassifier
from tests.helpers import assert_same_units

LOADERS = {
    "iris": load_iris,
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
    "digits": load_digits,
}
CONTAINERS = [np.asarray, sparse.csr_matrix, sparse.csr_array]


@pytest.fixture
def blobs():
    return make_blobs(90, n_features=4, centers=3, cluster_std=4.0, random_state=0)


# ---------------------------------------------------------------- the online rule


def test_online_updates_match_a_pass_done_by_hand():
    # (1, 2) is wrong at w = 0: w = (1, 2), b = 1.  (3, 1) -> 6 > 0 is wrong: w = (-2, 1), b = 0.
    # (-1, 1) -> 3 is right.  (2, 2) -> -2 is right.
    X = np.array([[1.0, 2.0], [3.0, 1.0], [-1.0, 1.0], [2.0, 2.0]])
    model = PerceptronClassifier(update="online", shuffle=False, max_iter=1, tol=None)
    model.fit(X, [1, 0, 1, 0])
    assert model.coef_.tolist() == [[-2.0, 1.0]]
    assert model.intercept_.tolist() == [0.0]
    assert model.t_ == 5.0
    # the first row is now on the threshold, where a unit does not fire
    assert model.errors_curve_ == [1.0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"max_iter": 7, "tol": None},
        {"eta0": 0.3, "fit_intercept": False, "max_iter": 50},
        {"penalty": "l2", "alpha": 1e-3, "max_iter": 5, "tol": None},
        {"penalty": "l1", "alpha": 1e-3, "max_iter": 5, "tol": None},
        {"penalty": "elasticnet", "l1_ratio": 0.4, "max_iter": 5, "tol": None},
    ],
)
def test_online_equals_scikit_learn(name, container, params):
    X, y = LOADERS[name](return_X_y=True)
    X = container(StandardScaler().fit_transform(X))
    reference = Perceptron(shuffle=False, **params).fit(X, y)
    model = PerceptronClassifier(update="online", shuffle=False, **params).fit(X, y)
    assert_same_units(model, reference)
    assert model.n_iter_ == reference.n_iter_
    assert model.t_ == reference.t_
    assert np.array_equal(model.predict(X), reference.predict(X))


def test_online_equals_scikit_learn_with_sample_weights():
    X, y = load_iris(return_X_y=True)
    weights = np.random.RandomState(0).uniform(0.5, 2, len(y))
    reference = Perceptron(shuffle=False).fit(X, y, sample_weight=weights)
    model = PerceptronClassifier(update="online", shuffle=False).fit(X, y, sample_weight=weights)
    assert_same_units(model, reference)


@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 3.0}, "balanced"])
def test_online_equals_scikit_learn_with_class_weights(class_weight):
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    reference = Perceptron(shuffle=False, class_weight=class_weight).fit(X, y)
    model = PerceptronClassifier(update="online", shuffle=False, class_weight=class_weight)
    assert_same_units(model.fit(X, y), reference)


@pytest.mark.parametrize("container", CONTAINERS)
def test_online_partial_fit_equals_scikit_learn(container):
    X, y = load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(y))
    X, y = container(X[order]), y[order]
    reference = Perceptron(shuffle=False)
    model = PerceptronClassifier(update="online", shuffle=False)
    for part in (slice(0, 50), slice(50, 100), slice(100, 150)):
        reference.partial_fit(X[part], y[part], classes=[0, 1, 2])
        model.partial_fit(X[part], y[part], classes=[0, 1, 2])
    assert_same_units(model, reference)
    assert model.t_ == reference.t_


def test_online_order_comes_from_random_state(blobs):
    first, again, other = (
        PerceptronClassifier(update="online", random_state=seed).fit(*blobs) for seed in (0, 0, 1)
    )
    assert np.array_equal(first.coef_, again.coef_)
    assert not np.array_equal(first.coef_, other.coef_)


# ---------------------------------------------------------------- the batch rule


def test_batch_step_matches_one_done_by_hand():
    # Mean 0 and variance 1 already. At w = 0 all rows are wrong: w is the mean of sign times row.
    X = np.array([[-1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
    model = PerceptronClassifier(max_iter=1, tol=None).fit(X, [0, 0, 1, 0])
    np.testing.assert_allclose(model.coef_, [[0.5, 0.5]])
    np.testing.assert_allclose(model.intercept_, [-0.5])
    assert model.errors_curve_ == [0.0]


@pytest.mark.parametrize("penalty", [None, "l2", "l1", "elasticnet"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_batch_is_the_same_for_dense_and_sparse(blobs, penalty, fit_intercept):
    X, y = blobs
    X = np.where(np.abs(X) < 2, 0.0, X)
    params = {"penalty": penalty, "alpha": 0.01, "fit_intercept": fit_intercept}
    dense = PerceptronClassifier(**params).fit(X, y)
    for container in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.coo_array):
        model = PerceptronClassifier(**params).fit(container(X), y)
        assert_same_units(model, dense)
        np.testing.assert_allclose(model.predict_proba(container(X)), dense.predict_proba(X))


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.5, 1: 2.0, 2: 1.0}])
@pytest.mark.parametrize("centers", [2, 3])
def test_batch_takes_a_weight_for_repeats(centers, class_weight):
    X, y = make_blobs(60, centers=centers, cluster_std=5.0, random_state=1)
    repeats = np.random.RandomState(0).randint(0, 4, len(y))
    order = np.random.RandomState(1).permutation(repeats.sum())
    repeated = np.repeat(np.arange(len(y)), repeats)[order]
    weighted = PerceptronClassifier(class_weight=class_weight).fit(X, y, sample_weight=repeats)
    written_out = PerceptronClassifier(class_weight=class_weight).fit(X[repeated], y[repeated])
    assert_same_units(weighted, written_out)
    np.testing.assert_allclose(weighted.predict_proba(X), written_out.predict_proba(X), rtol=1e-7)
    np.testing.assert_allclose(weighted.errors_curve_, written_out.errors_curve_)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("name", LOADERS)
def test_batch_predicts_new_samples_as_well_as_scikit_learn(name, standardize):
    X, y = LOADERS[name](return_X_y=True)
    if standardize:
        X = StandardScaler().fit_transform(X)
    ours, theirs = [], []
    for seed in range(5):
        X_fit, X_new, y_fit, y_new = train_test_split(X, y, stratify=y, random_state=seed)
        ours.append(PerceptronClassifier().fit(X_fit, y_fit).score(X_new, y_new))
        theirs.append(Perceptron(random_state=seed).fit(X_fit, y_fit).score(X_new, y_new))
    assert np.mean(ours) >= np.mean(theirs)


def test_batch_does_not_mind_units_of_measurement(blobs):
    X, y = blobs
    scale, shift = np.array([1e-4, 1.0, 1e3, 10.0]), np.array([0.0, -5.0, 1e4, 1.0])
    model = PerceptronClassifier().fit(X, y)
    rescaled = PerceptronClassifier().fit(X * scale + shift, y)
    np.testing.assert_allclose(
        rescaled.decision_function(X * scale + shift), model.decision_function(X), atol=1e-8
    )


def test_batch_keeps_the_best_weights_it_met(blobs):
    X, y = blobs
    model = PerceptronClassifier().fit(X, y)
    assert np.sum(model.predict(X) != y) == min(model.errors_curve_)
    assert model.errors_curve_[-1] > min(model.errors_curve_)


def test_batch_stops_once_nothing_is_misclassified():
    X, y = make_blobs(60, centers=2, cluster_std=0.5, random_state=0)
    model = PerceptronClassifier().fit(X, y)
    assert model.errors_curve_[-1] == 0
    assert model.n_iter_ < 10


def test_step_size_does_not_matter_without_penalty(blobs):
    X, y = blobs
    small, large = (PerceptronClassifier(eta0=eta0).fit(X, y) for eta0 in (0.125, 8.0))
    np.testing.assert_allclose(small.coef_ * 64, large.coef_)


def test_l1_penalty_switches_features_off(blobs):
    X, y = blobs
    X = np.hstack([X, np.random.RandomState(0).randn(len(y), 6)])
    plain = PerceptronClassifier().fit(X, y)
    sparse_weights = PerceptronClassifier(penalty="l1", alpha=0.1).fit(X, y)
    assert np.all(plain.coef_ != 0)
    assert np.sum(sparse_weights.coef_ == 0) > 5


def test_l2_penalty_shrinks_weights(blobs):
    strong = PerceptronClassifier(penalty="l2", alpha=0.3, tol=None, max_iter=50).fit(*blobs)
    plain = PerceptronClassifier(tol=None, max_iter=50).fit(*blobs)
    assert np.linalg.norm(strong.coef_) < np.linalg.norm(plain.coef_)


def test_class_weights_are_row_weights(blobs):
    X, y = blobs
    by_class = PerceptronClassifier(class_weight={0: 1, 1: 5, 2: 0.5}).fit(X, y)
    by_row = PerceptronClassifier().fit(X, y, sample_weight=np.array([1, 5, 0.5])[y])
    assert_same_units(by_class, by_row)


def test_balanced_class_weight_counts_sample_weights():
    X, y = make_blobs([40, 10], cluster_std=3.0, random_state=0)
    weights = np.where(y == 1, 4.0, 1.0)
    balanced = PerceptronClassifier(class_weight="balanced").fit(X, y, sample_weight=weights)
    assert_same_units(balanced, PerceptronClassifier().fit(X, y, sample_weight=weights))


# ---------------------------------------------------------------- both rules


@pytest.mark.parametrize("update", ["batch", "online"])
@pytest.mark.parametrize("by", ["sample_weight", "class_weight"])
def test_samples_of_weight_zero_are_left_out_but_their_class_stays(blobs, update, by):
    X, y = blobs
    params = {"update": update, "random_state": 0, "max_iter": 5, "tol": None}
    if by == "class_weight":
        model = PerceptronClassifier(class_weight={1: 0.0}, **params).fit(X, y)
    else:
        model = PerceptronClassifier(**params).fit(X, y, sample_weight=(y != 1).astype(float))
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.t_ == 1 + 5 * np.sum(y != 1)
    # its unit learns to be silent, and the others are those that learn without it
    assert np.sum(model.predict(X[y != 1]) == 1) == 0
    two = PerceptronClassifier(**params).fit(X[y != 1], y[y != 1])
    np.testing.assert_allclose(model._state.units.coef[2], two._state.units.coef[0])


@pytest.mark.parametrize("update", ["batch", "online"])
def test_one_class_with_weight_is_always_predicted(update):
    X, y = [[0.0], [1.0], [2.0]], ["a", "b", "b"]
    model = PerceptronClassifier(update=update).fit(X, y, sample_weight=[1, 0, 0])
    assert model.classes_.tolist() == ["a", "b"]
    assert model.predict(X).tolist() == ["a", "a", "a"]


@pytest.mark.parametrize("update", ["batch", "online"])
@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
def test_largest_probability_is_of_the_class_predicted(name, update):
    X, y = LOADERS[name](return_X_y=True)
    model = PerceptronClassifier(update=update, random_state=0).fit(X, y)
    probabilities = model.predict_proba(X)
    assert np.array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probabilities)


@pytest.mark.parametrize("update", ["batch", "online"])
def test_partial_fit_learns_part_by_part(update):
    X, y = load_digits(return_X_y=True)
    model = PerceptronClassifier(update=update, random_state=0)
    for start in range(0, 1500, 50):
        part = slice(start, start + 50)
        model.partial_fit(X[part], y[part], classes=np.arange(10))
    assert model.score(X[1500:], y[1500:]) > 0.75
    assert model.n_iter_ == 1
    assert len(model.errors_curve_) == 30
    assert model.t_ == 1501
    assert np.array_equal(model.predict_proba(X).argmax(axis=1), model.predict(X))


def test_batch_partial_fit_on_all_samples_is_a_first_epoch(blobs):
    X, y = blobs
    once = PerceptronClassifier().partial_fit(X, y, classes=[0, 1, 2])
    assert_same_units(once, PerceptronClassifier(max_iter=1, tol=None).fit(X, y))


def test_partial_fit_goes_from_dense_to_sparse(blobs):
    X, y = blobs
    dense, mixed = (PerceptronClassifier().partial_fit(X, y, classes=[0, 1, 2]) for _ in "ab")
    assert_same_units(dense.partial_fit(X, y), mixed.partial_fit(sparse.csr_array(X), y))


def test_partial_fit_takes_a_part_with_one_class(blobs):
    X, y = blobs
    model = PerceptronClassifier().partial_fit(X, y, classes=[0, 1, 2])
    model.partial_fit(X[y == 1], y[y == 1])
    assert np.all(np.isfinite(model.predict_proba(X)))


@pytest.mark.parametrize("update", ["batch", "online"])
def test_warm_start_goes_on_from_the_last_weights(blobs, update):
    X, y = blobs
    params = {"update": update, "shuffle": False, "max_iter": 2, "tol": None}
    twice = PerceptronClassifier(warm_start=True, **params).fit(X, y)
    cold = PerceptronClassifier(**params).fit(X, y)
    assert_same_units(twice, cold)
    if update == "online":
        reference = Perceptron(warm_start=True, shuffle=False, max_iter=2, tol=None).fit(X, y)
        assert_same_units(twice.fit(X, y), reference.fit(X, y))


def test_batch_warm_start_is_one_long_fit_in_parts(blobs):
    X, y = blobs
    parts = PerceptronClassifier(warm_start=True, max_iter=1, tol=None)
    for _ in range(25):
        parts.fit(X, y)
    whole = PerceptronClassifier(max_iter=25, tol=None).fit(X, y)
    assert_same_units(parts, whole)
    assert parts.errors_curve_ == whole.errors_curve_[-1:]


def test_batch_warm_start_never_makes_more_errors(blobs):
    X, y = blobs
    model = PerceptronClassifier(warm_start=True, max_iter=3, tol=None)
    errors = [np.sum(model.fit(X, y).predict(X) != y) for _ in range(8)]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("update", ["batch", "online"])
def test_numpys_random_state_is_left_alone(blobs, update):
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    PerceptronClassifier(update=update).fit(*blobs)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("update", ["batch", "online"])
def test_verbose_prints_errors_of_each_epoch(blobs, update, capsys):
    model = PerceptronClassifier(update=update, verbose=1, random_state=0).fit(*blobs)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    assert lines[0] == f"epoch 1: {model.errors_curve_[0]:g} misclassified"


def test_labels_may_be_words():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])
    model = PerceptronClassifier().fit(X, names[y])
    assert np.array_equal(model.predict(X), names[PerceptronClassifier().fit(X, y).predict(X)])


# ---------------------------------------------------------------- warnings and errors


@pytest.mark.parametrize("update", ["batch", "online"])
def test_too_few_epochs_give_a_warning(blobs, update):
    with pytest.warns(ConvergenceWarning, match="still learning after 3 epochs"):
        PerceptronClassifier(update=update, max_iter=3).fit(*blobs)


@pytest.mark.parametrize("update", ["batch", "online"])
def test_one_class_is_an_error(update):
    with pytest.raises(ValueError, match="contains only one class: 0"):
        PerceptronClassifier(update=update).fit([[0.0], [1.0]], [0, 0])


def test_class_weights_must_leave_samples_and_not_be_negative(blobs):
    with pytest.raises(ValueError, match="class_weight gives all samples weight 0"):
        PerceptronClassifier(class_weight={0: 0, 1: 0, 2: 0}).fit(*blobs)
    for weight in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="class_weight must hold weights >= 0 and finite"):
            PerceptronClassifier(class_weight={0: weight}).fit(*blobs)


@pytest.mark.parametrize("update", ["batch", "online"])
def test_overflow_is_an_error_and_leaves_the_fit_before(blobs, update):
    X, y = blobs
    model = PerceptronClassifier(update=update, random_state=0).fit(X, y)
    before = model.coef_.copy()
    model.set_params(eta0=1e308)
    with pytest.raises(NonFiniteLossError, match="infinite or not a number in epoch"):
        model.fit(X, y)
    assert np.array_equal(model.coef_, before)
    assert model.classes_.tolist() == [0, 1, 2]


def test_warm_start_refuses_other_classes_and_features(blobs):
    X, y = blobs
    model = PerceptronClassifier(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"goes on with the classes \[0, 1, 2\], but y has"):
        model.fit(X[y > 0], y[y > 0])
    with pytest.raises(ValueError, match="goes on with 4 features, but X has 2"):
        model.fit(X[:, :2], y)


def test_partial_fit_refuses_what_it_cannot_do(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="needs all samples at once"):
        PerceptronClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        PerceptronClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="contains only one class: 0"):
        PerceptronClassifier().partial_fit(X[y == 0], y[y == 0], classes=[0])


def test_partial_fit_refuses_unknown_labels_and_then_takes_known_ones(blobs):
    X, y = blobs
    model = PerceptronClassifier()
    with pytest.raises(ValueError, match=r"label 2, which is not in classes \[0, 1\]"):
        model.partial_fit(X, y, classes=[0, 1])
    model.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"label 3, which is not in classes \[0, 1, 2\]"):
        model.partial_fit(X, y + 1)
    assert model.classes_.tolist() == [0, 1, 2]
