"""Averages, the pocket, early stopping, multilabel y and the counts of `PerceptronClassifier`."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    make_blobs,
    make_multilabel_classification,
)
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import Perceptron, SGDClassifier
from sklearn.preprocessing import StandardScaler

from sknn.threshold import PerceptronClassifier
from tests.helpers import assert_same_units

CONTAINERS = [np.asarray, sparse.csr_matrix, sparse.csr_array]
UPDATES = ["batch", "online"]


@pytest.fixture
def blobs():
    return make_blobs(90, n_features=4, centers=3, cluster_std=4.0, random_state=0)


@pytest.fixture
def labels():
    return make_multilabel_classification(120, n_features=6, n_classes=4, random_state=0)


# ---------------------------------------------------------------- blocks


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_blocks_of_every_size_equal_scikit_learn(container, n_classes, noise):
    """Few errors make the blocks grow to their largest, many keep them at their smallest."""
    rng = np.random.RandomState(0)
    X = rng.randn(4000, 8) * (rng.rand(4000, 8) < 0.7)
    y = np.argmax(X @ rng.randn(8, n_classes), axis=1)
    y = np.where(rng.rand(4000) < noise, rng.randint(0, n_classes, 4000), y)
    weights = rng.uniform(0.5, 2, 4000)
    params = {"shuffle": False, "max_iter": 4, "tol": None}
    reference = Perceptron(**params).fit(container(X), y, sample_weight=weights)
    model = PerceptronClassifier(update="online", **params)
    assert_same_units(model.fit(container(X), y, sample_weight=weights), reference, 1e-9)


@pytest.mark.parametrize("shuffle", [False, True])
def test_samples_and_blocks_are_the_same_rule(shuffle):
    X, y = load_digits(return_X_y=True)
    params = {"update": "online", "max_iter": 3, "tol": None, "random_state": 0}
    blocks = PerceptronClassifier(shuffle=shuffle, **params).fit(X, y)
    # next to no penalty: goes row by row
    rows = PerceptronClassifier(shuffle=shuffle, penalty="l2", alpha=1e-300, **params).fit(X, y)
    assert_same_units(blocks, rows, 1e-8)
    assert np.array_equal(blocks.n_updates_, rows.n_updates_)


# ---------------------------------------------------------------- averages


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
@pytest.mark.parametrize("penalty", [None, "l2"])
def test_online_average_equals_scikit_learns_averaged_sgd(load, container, penalty):
    X, y = load(return_X_y=True)
    X = container(StandardScaler().fit_transform(X))
    params = {"penalty": penalty, "alpha": 1e-3, "shuffle": False, "max_iter": 6, "average": True}
    sgd = SGDClassifier(loss="perceptron", learning_rate="constant", eta0=1.0, **params)
    model = PerceptronClassifier(update="online", **params)
    assert_same_units(model.fit(X, y), sgd.fit(X, y), 1e-9)


def test_batch_average_is_the_mean_over_epochs(blobs):
    params = {"pocket": False, "tol": None}
    epochs = [PerceptronClassifier(max_iter=n, **params).fit(*blobs) for n in range(1, 6)]
    model = PerceptronClassifier(max_iter=5, average=True, **params).fit(*blobs)
    np.testing.assert_allclose(model.coef_, np.mean([e.coef_ for e in epochs], axis=0))
    np.testing.assert_allclose(model.intercept_, np.mean([e.intercept_ for e in epochs], axis=0))
    assert model.errors_curve_[-1] == np.sum(model.predict(blobs[0]) != blobs[1])


@pytest.mark.parametrize("update", UPDATES)
def test_averages_go_on_in_parts(blobs, update):
    X, y = blobs
    params = {"update": update, "average": True, "shuffle": False, "pocket": False, "tol": None}
    parts = PerceptronClassifier(**params)
    warm = PerceptronClassifier(warm_start=True, max_iter=1, **params)
    for _ in range(4):
        parts.partial_fit(X, y, classes=[0, 1, 2])
        warm.fit(X, y)
    whole = PerceptronClassifier(max_iter=4, **params).fit(X, y)
    assert_same_units(parts, whole)
    assert_same_units(warm, whole)


def test_average_helps_where_labels_are_noisy():
    rng = np.random.RandomState(0)
    X = rng.randn(3000, 20)
    truth = X @ rng.randn(20) > 0
    y = np.where(rng.rand(3000) < 0.2, ~truth, truth)
    params = {"update": "online", "random_state": 0}
    last = PerceptronClassifier(**params).fit(X[:2000], y[:2000])
    mean = PerceptronClassifier(average=True, **params).fit(X[:2000], y[:2000])
    score = [np.mean(model.predict(X[2000:]) == truth[2000:]) for model in (last, mean)]
    assert score[1] > score[0] + 0.1


# ---------------------------------------------------------------- the pocket


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("average", [False, True])
def test_pocket_keeps_the_fewest_errors_of_all_epochs(blobs, update, average):
    X, y = blobs
    params = {"update": update, "average": average, "max_iter": 30, "tol": None, "random_state": 0}
    pocket = PerceptronClassifier(pocket=True, **params).fit(X, y)
    last = PerceptronClassifier(pocket=False, **params).fit(X, y)
    assert pocket.errors_curve_ == last.errors_curve_
    assert np.sum(pocket.predict(X) != y) == min(pocket.errors_curve_)
    assert np.sum(last.predict(X) != y) == last.errors_curve_[-1]


@pytest.mark.parametrize(("update", "pocket"), [("batch", True), ("online", False)])
def test_auto_pocket_is_for_the_batch_rule(blobs, update, pocket):
    auto, given = (
        PerceptronClassifier(update=update, pocket=p, random_state=0).fit(*blobs)
        for p in ("auto", pocket)
    )
    assert np.array_equal(auto.coef_, given.coef_)


# ---------------------------------------------------------------- early stopping


@pytest.mark.parametrize("container", CONTAINERS)
def test_online_early_stopping_equals_scikit_learn(container):
    X, y = load_breast_cancer(return_X_y=True)
    X = container(StandardScaler().fit_transform(X))
    weights = np.random.RandomState(0).uniform(0.5, 2, len(y))
    params = {"early_stopping": True, "validation_fraction": 0.2, "shuffle": False}
    reference = Perceptron(random_state=3, **params).fit(X, y, sample_weight=weights)
    model = PerceptronClassifier(update="online", random_state=3, **params)
    assert_same_units(model.fit(X, y, sample_weight=weights), reference)
    assert model.n_iter_ == reference.n_iter_


@pytest.mark.parametrize("update", UPDATES)
def test_early_stopping_learns_from_the_rest(blobs, update):
    X, y = blobs
    params = {"update": update, "random_state": 0}
    held = PerceptronClassifier(early_stopping=True, validation_fraction=0.5, **params).fit(X, y)
    assert held.t_ == 1 + 45 * held.n_iter_
    assert max(held.errors_curve_) <= 45
    assert held.score(X, y) > 0.5


def test_early_stopping_works_for_labels(labels):
    model = PerceptronClassifier(early_stopping=True, random_state=0).fit(*labels)
    assert model.predict(labels[0]).shape == (120, 4)
    assert model.t_ == 1 + 108 * model.n_iter_


def test_early_stopping_needs_two_samples_of_each_class():
    with pytest.raises(ValueError, match="class"):
        PerceptronClassifier(early_stopping=True).fit([[0.0], [1.0], [2.0]], [0, 0, 1])


# ---------------------------------------------------------------- several labels a row


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("average", [False, True])
def test_each_label_has_a_unit_of_its_own(labels, update, average):
    X, y = labels
    params = {"update": update, "average": average, "pocket": False, "shuffle": False}
    params |= {"max_iter": 5, "tol": None}
    layer = PerceptronClassifier(**params).fit(X, y)
    for label in range(4):
        unit = PerceptronClassifier(**params).fit(X, y[:, label])
        np.testing.assert_allclose(layer.coef_[label], unit.coef_[0], atol=1e-10)
        np.testing.assert_allclose(layer.link_slope_[label], unit.link_slope_, rtol=1e-6)
        probabilities = layer.predict_proba(X)[:, label]
        np.testing.assert_allclose(probabilities, unit.predict_proba(X)[:, 1], rtol=1e-6)
        assert layer.n_updates_[label] == unit.n_updates_[0]


@pytest.mark.parametrize("update", UPDATES)
def test_labels_have_a_column_in_every_answer(labels, update):
    X, y = labels
    model = PerceptronClassifier(update=update, random_state=0).fit(X, y)
    assert model.classes_.tolist() == [0, 1, 2, 3]
    predicted = model.predict(X)
    assert predicted.shape == model.decision_function(X).shape == y.shape
    assert np.array_equal(predicted, model.predict_proba(X) > 0.5)
    assert np.mean(predicted == y) > 0.75
    if update == "batch":
        assert min(model.errors_curve_) == np.sum(predicted != y)


def test_labels_may_be_sparse_and_in_parts(labels):
    X, y = labels
    dense = PerceptronClassifier().fit(X, y)
    assert_same_units(PerceptronClassifier().fit(X, sparse.csr_matrix(y)), dense, 0)
    parts = PerceptronClassifier().partial_fit(X[:60], y[:60]).partial_fit(X[60:], y[60:])
    assert parts.predict(X).shape == (120, 4)
    named = PerceptronClassifier().partial_fit(X[:60], y[:60], classes=range(4))
    assert_same_units(named.partial_fit(X[60:], y[60:], classes=range(4)), parts, 0)


def test_labels_take_a_weight_for_repeats(labels):
    X, y = labels
    repeats = np.random.RandomState(0).randint(0, 4, len(y))
    weighted = PerceptronClassifier().fit(X, y, sample_weight=repeats)
    written_out = PerceptronClassifier().fit(X.repeat(repeats, axis=0), y.repeat(repeats, axis=0))
    assert_same_units(weighted, written_out)
    np.testing.assert_allclose(weighted.link_slope_, written_out.link_slope_)


def test_a_label_no_row_has_is_never_given(labels):
    X, y = labels
    y = np.column_stack([y, np.zeros(len(y), dtype=int)])
    assert not PerceptronClassifier().fit(X, y).predict(X)[:, 4].any()


def test_a_refit_changes_between_labels_and_classes(labels, blobs):
    model = PerceptronClassifier().fit(*labels).fit(*blobs)
    assert set(model.predict(blobs[0])) == {0, 1, 2}
    assert np.ndim(model.link_slope_) == 0


def test_a_single_column_is_taken_as_classes(blobs):
    X, y = blobs
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        model = PerceptronClassifier().fit(X, y[:, None])
    assert_same_units(model, PerceptronClassifier().fit(X, y), 0)


def test_labels_must_be_zero_or_one(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match=r"2 columns with the values \[1, 2\]"):
        PerceptronClassifier().fit(X, np.column_stack([y > 0, y > 1]) + 1)
    with pytest.raises(ValueError, match=r"2 columns with the values \[0, 1, 2\]"):
        PerceptronClassifier().fit(X, np.column_stack([y, y]))


def test_labels_refuse_class_weights_and_other_columns(labels):
    X, y = labels
    with pytest.raises(ValueError, match=r"one class each.*class_weight='balanced'"):
        PerceptronClassifier(class_weight="balanced").fit(X, y)
    model = PerceptronClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="y has 3 columns of labels, but the classes are"):
        model.partial_fit(X, y[:, :3])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\]` is not the same as on last call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="warm_start=True goes on with the classes"):
        PerceptronClassifier(warm_start=True).fit(X, y).fit(X, y[:, :3])


# ---------------------------------------------------------------- counts, parts, features


def test_updates_are_counted():
    X, y = np.array([[1.0, 2.0], [3.0, 1.0], [-1.0, 1.0], [2.0, 2.0]]), [1, 0, 1, 0]
    model = PerceptronClassifier(update="online", shuffle=False, max_iter=1, tol=None)
    assert model.fit(X, y).n_updates_.tolist() == [2]
    model.partial_fit(X, y)  # the first row is on the threshold, then the second is wrong again
    assert model.n_updates_.tolist() == [4]
    batch = PerceptronClassifier(max_iter=50, tol=None).fit([[0.0], [1.0]], [0, 1])
    assert batch.n_updates_.tolist() == [1]  # then both are right


@pytest.mark.parametrize("update", UPDATES)
def test_partial_fit_weighs_classes_as_samples(blobs, update):
    X, y = blobs
    params = {"update": update, "shuffle": False}
    by_class = PerceptronClassifier(class_weight={0: 1, 1: 5, 2: 0.5}, **params)
    by_row = PerceptronClassifier(**params)
    for part in (slice(0, 40), slice(40, 90)):
        weights = np.array([1, 5, 0.5])[y[part]]
        by_class.partial_fit(X[part], y[part], classes=[0, 1, 2])
        by_row.partial_fit(X[part], y[part], classes=[0, 1, 2], sample_weight=weights)
    assert_same_units(by_class, by_row)


def test_partial_fit_refuses_early_stopping(blobs):
    with pytest.raises(ValueError, match="early_stopping=True holds out some of all samples"):
        PerceptronClassifier(early_stopping=True).partial_fit(*blobs, classes=[0, 1, 2])


def test_rare_features_do_not_outweigh_common_ones():
    """Divided by its standard deviation alone, a feature that is rarely 1 would be very large."""
    from sknn.threshold.perceptron._moments import Moments

    X = np.zeros((10_000, 2))
    X[::2, 0], X[::1000, 1] = 1, 1
    for rows in (X, sparse.csr_array(X)):
        moments = Moments.of_nothing(2).add(rows, np.ones(10_000))
        np.testing.assert_allclose(moments.variance, X.var(axis=0))
        scale = X.std(axis=0) ** 0.75 * (1 - X.mean(axis=0)) ** 0.25
        np.testing.assert_allclose(moments.scale, scale)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix])
def test_moments_of_parts_are_those_of_the_whole(container):
    from sknn.threshold.perceptron._moments import Moments

    rng = np.random.RandomState(0)
    X = rng.randn(500, 4) * [1e-4, 1, 1e3, 1] + [0, 1e6, 5, 0]
    X[:, 3] = np.where(rng.rand(500) < 0.9, 0, X[:, 3])
    weights = rng.uniform(0.1, 3, 500)
    parts = Moments.of_nothing(4)
    for first in range(0, 500, 90):
        part = slice(first, first + 90)
        parts = parts.add(container(X[part]), weights[part])
    mean = np.average(X, axis=0, weights=weights)
    np.testing.assert_allclose(parts.mean, mean)
    variance = np.average((X - mean) ** 2, axis=0, weights=weights)
    np.testing.assert_allclose(parts.variance, variance, rtol=1e-8)
    assert np.array_equal(parts.low, X.min(axis=0))
    np.testing.assert_allclose(parts.high, X.max(axis=0), rtol=1e-14)


def test_constant_features_are_left_alone(blobs):
    X, y = blobs
    X = np.column_stack([X, np.full(len(y), 0.1), np.zeros(len(y))])
    for rows in (X, sparse.csr_array(X)):
        model = PerceptronClassifier().fit(rows, y)
        np.testing.assert_allclose(model.coef_[:, 4:], 0, atol=1e-12)
        assert_same_units(model, PerceptronClassifier().fit(X, y))


def test_features_far_from_zero_are_learned_as_well():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    near, far = (PerceptronClassifier(max_iter=20, tol=None).fit(Z, y) for Z in (X, X + 1e6))
    np.testing.assert_allclose(far.coef_, near.coef_, rtol=1e-6, atol=1e-9)
