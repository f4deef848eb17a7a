"""The perceptron rule step by step: recorded weights, callbacks, Ctrl-C."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris

from sknn import PerceptronClassifier, ThresholdLogicClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, y = load_iris(return_X_y=True)
RULES = {
    "batch": PerceptronClassifier(max_iter=8, tol=None),
    "batch average": PerceptronClassifier(max_iter=8, tol=None, average=True),
    "online": PerceptronClassifier(update="online", max_iter=4, tol=None, random_state=0),
    "online l2": PerceptronClassifier(
        update="online", max_iter=4, tol=None, penalty="elasticnet", random_state=0
    ),
    "online threads": PerceptronClassifier(
        update="online", max_iter=4, tol=None, n_jobs=2, average=True, random_state=0
    ),
}


def replay(history, X, y, eta0=1.0):
    """Return the weights after each recorded update, computed sample by sample."""
    signs = np.where(np.arange(3) == y[:, None], 1.0, -1.0)
    coef, intercept = np.zeros((3, X.shape[1])), np.zeros(3)
    coefs, intercepts = [coef], [intercept]
    for sample in history["sample"][1:]:
        wrong = signs[sample] * (coef @ X[sample] + intercept) <= 0
        step = np.where(wrong, eta0 * signs[sample], 0.0)
        coef, intercept = coef + np.outer(step, X[sample]), intercept + step
        coefs.append(coef)
        intercepts.append(intercept)
    return np.array(coefs), np.array(intercepts)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("record", ["epoch", "update"])
def test_recording_changes_no_result(rule, record):
    plain = clone(RULES[rule]).fit(X, y)
    recorded = clone(RULES[rule]).set_params(record_weights=record).fit(X, y)
    # single updates of all units are recorded in one thread, which sums in another order
    tolerance = 1e-12 if rule == "online threads" else 0
    np.testing.assert_allclose(recorded.coef_, plain.coef_, rtol=tolerance)
    assert recorded.errors_curve_ == plain.errors_curve_
    assert plain.history_ == {}


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_updates_are_those_of_rosenblatts_rule(container):
    rule = PerceptronClassifier(
        update="online", shuffle=False, max_iter=3, tol=None, record_weights="update"
    )
    history = rule.fit(container(X), y).history_
    if container is np.asarray:  # sparse intercepts move more slowly
        coefs, intercepts = replay(history, X, y)
        np.testing.assert_allclose(history["coef"], coefs, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(history["intercept"], intercepts)
    np.testing.assert_allclose(history["coef"][-1], rule.coef_, rtol=1e-12)
    assert history["sample"][0] == -1
    assert np.all(np.diff(history["sample"][history["epoch"] == 2]) > 0)
    assert rule.n_updates_.max() <= len(history["epoch"]) - 1 <= rule.n_updates_.sum()


@pytest.mark.parametrize("rule", ["batch", "online"])
def test_an_epoch_is_an_entry(rule):
    model = clone(RULES[rule]).set_params(record_weights="epoch", pocket=False).fit(X, y)
    assert model.history_["epoch"].tolist() == list(range(model.n_iter_ + 1))
    assert model.history_["coef"].shape == (model.n_iter_ + 1, 3, 4)
    np.testing.assert_array_equal(model.history_["coef"][-1], model.coef_)


def test_recorded_samples_are_positions_in_the_users_x():
    rule = PerceptronClassifier(update="online", early_stopping=True, random_state=0)
    weights = (np.arange(len(y)) % 3 > 0).astype(float)
    history = rule.set_params(record_weights="update").fit(X, y, sample_weight=weights).history_
    assert np.all(weights[history["sample"][1:]] > 0)
    first = history["sample"][1]  # from weights of 0 it is the only term
    np.testing.assert_allclose(np.abs(history["coef"][1, 0]), X[first])


@pytest.mark.parametrize("rule", ["batch", "online"])
def test_callbacks_see_each_epoch_and_may_stop(rule):
    rows = []
    model = clone(RULES[rule]).set_params(callbacks=[rows.append, lambda row: row["epoch"] == 2])
    model.fit(X, y)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert [row["errors"] for row in rows] == model.errors_curve_
    assert rows[0]["coef"].shape == (3, 4)
    assert rows[0]["intercept"].shape == (3,)


def test_callbacks_must_be_functions():
    with pytest.raises(TypeError, match=r"function of an epoch's entry .* got 3"):
        PerceptronClassifier(callbacks=[3]).fit(X, y)
    with pytest.raises(ValueError, match="'callbacks' parameter"):
        PerceptronClassifier(callbacks=print).fit(X, y)


def interrupt(row):
    if row["epoch"] == 3:
        raise KeyboardInterrupt


@pytest.mark.parametrize("rule", RULES)
def test_ctrl_c_keeps_what_the_whole_epochs_learned(rule):
    stopped = clone(RULES[rule]).set_params(callbacks=[interrupt])
    with pytest.warns(UserWarning, match="interrupted after epoch 3"):
        stopped.fit(X, y)
    whole = clone(RULES[rule]).set_params(max_iter=3).fit(X, y)
    np.testing.assert_array_equal(stopped.coef_, whole.coef_)
    np.testing.assert_array_equal(stopped.predict_proba(X), whole.predict_proba(X))
    assert stopped.errors_curve_ == whole.errors_curve_
    if rule.startswith("batch"):  # the online order goes on with the random state
        for model in (stopped, whole):
            model.set_params(callbacks=None, warm_start=True, max_iter=2).fit(X, y)
        np.testing.assert_array_equal(stopped.coef_, whole.coef_)


class InterruptingArray(np.ndarray):
    """An array of weights at which Ctrl-C comes."""

    def __array_finalize__(self, other):
        if other is not None:
            raise KeyboardInterrupt


def test_ctrl_c_before_the_first_epoch_leaves_the_classifier_as_it_was():
    model = PerceptronClassifier().fit(X, y)
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, np.arange(len(y)).view(InterruptingArray))
    assert vars(model) == before


def make_interrupted_generator(n_draws):
    """Return a generator at whose n-th line Ctrl-C comes."""

    class Generator(np.random.RandomState):
        n_lines = 0

        def standard_normal(self, size=None):
            self.n_lines += 1
            if self.n_lines == n_draws:
                raise KeyboardInterrupt
            return super().standard_normal(size)

    return Generator(0)


@pytest.mark.parametrize("n_draws", [1, 40])
@pytest.mark.parametrize("classes", [(1, 2), (0, 1, 2)])
def test_ctrl_c_keeps_the_best_units_found(n_draws, classes):
    there = np.isin(y, classes)
    model = ThresholdLogicClassifier(random_state=make_interrupted_generator(n_draws))
    with pytest.warns(UserWarning, match="the best units found so far"):
        model.fit(X[there], y[there])
    assert model.score(X[there], y[there]) > 0.95
    assert np.all(np.isfinite(model.predict_proba(X)))


def test_ctrl_c_in_the_first_start_leaves_the_classifier_as_it_was(monkeypatch):
    model = ThresholdLogicClassifier(random_state=0, max_iter=2, n_restarts=0).fit(X, y)
    before = dict(vars(model))

    def interrupt_fit(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn.linear_model.LogisticRegression.fit", interrupt_fit)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert vars(model) == before
