"""Callbacks of scikit-learn and of skorch, functions, and going on after an interruption."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping, EpochScoring

from sknn import DeepMLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def data():
    X, y = load_iris(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


classifier = partial(DeepMLPClassifier, (10,), max_iter=6, random_state=0)


def test_function_sees_each_epoch_and_stops_by_true(data):
    rows = []
    model = classifier(callbacks=[rows.append]).fit(*data)
    assert [row["loss"] for row in rows] == model.loss_curve_
    assert set(rows[0]) == {"loss", "learning_rate", "time"}
    stopped = classifier(callbacks=[lambda row: len(rows) and row["loss"] < rows[2]["loss"] + 1e-9])
    stopped.fit(*data)
    assert stopped.n_iter_ == 3
    assert stopped.loss_curve_ == model.loss_curve_[:3]


def test_function_does_not_stop_by_what_it_happens_to_return(data):
    assert classifier(callbacks=[lambda row: "epoch"]).fit(*data).n_iter_ == 6


class Recorder(Callback):
    def __init__(self):
        self.events = []

    def on_train_begin(self, net, **kwargs):
        self.events.append("train")

    def on_epoch_end(self, net, dataset_valid=None, **kwargs):
        self.events.append((net.history[-1, "epoch"], dataset_valid is not None))

    def on_train_end(self, net, **kwargs):
        self.events.append("end")


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_skorch_callback_sees_training_and_changes_nothing(data, solver):
    recorder = Recorder()
    X, y = data
    model = classifier(callbacks=[("mine", recorder)], max_iter=2, solver=solver)
    model.fit(X, y, X_val=X, y_val=y)
    assert recorder.events == ["train", (1, True), (2, True), "end"]
    plain = classifier(max_iter=2, solver=solver).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])


def test_skorchs_early_stopping_stops_without_a_warning_of_interruption(data):
    X, y = data
    model = classifier(max_iter=100, learning_rate_init=0.5)
    model.set_params(callbacks=[EarlyStopping(monitor="valid_loss", patience=3)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y, X_val=X[::3], y_val=y[::3])
    assert 3 < model.n_iter_ < 100
    assert len(model.loss_curve_) == model.n_iter_ == len(model.net_.history)


def test_skorchs_epoch_scoring_works_as_class_of_its_own(data):
    def last_loss(net, X, y):
        return net.history[-1, "train_loss"]

    model = classifier(callbacks=[EpochScoring(last_loss, name="again", on_train=True)])
    model.fit(*data)
    assert model.net_.history[:, "again"] == model.loss_curve_


def test_batch_callbacks_train_through_autograd_to_the_same_weights(data):
    class Batches(Callback):
        n = 0

        def on_batch_end(self, net, **kwargs):
            Batches.n += 1

    watched = classifier(callbacks=[Batches], batch_size=50).fit(*data)
    plain = classifier(batch_size=50).fit(*data)
    assert Batches.n == 18
    np.testing.assert_allclose(watched.coefs_[0], plain.coefs_[0], rtol=1e-9)


def test_estimator_with_callbacks_can_be_cloned_and_searched(data):
    model = classifier(callbacks=[EarlyStopping(monitor="train_loss", patience=2)])
    search = GridSearchCV(clone(model), {"alpha": [1e-4, 1.0]}, cv=2).fit(*data)
    assert np.isfinite(search.best_score_)


@pytest.mark.parametrize("callbacks", [["loud"], [3], [("name",)], [dict]])
def test_item_that_is_no_callback_is_an_error(data, callbacks):
    model = classifier(callbacks=callbacks)
    with pytest.raises(TypeError, match="An item of callbacks must be"):
        model.fit(*data)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("function", [lambda: None, lambda net, epoch: None])
def test_function_of_other_arguments_is_an_error_before_training(data, function):
    model = classifier(callbacks=[function])
    with pytest.raises(TypeError, match=r"with one argument, the epoch's entry .*does not take"):
        model.fit(*data)
    assert not hasattr(model, "classes_")


def test_callback_outside_a_list_is_an_error(data):
    with pytest.raises(ValueError, match="'callbacks' parameter"):
        classifier(callbacks=EarlyStopping()).fit(*data)


def test_engine_wants_a_list_too():
    from sknn.engine.callbacks._user import make_callbacks

    with pytest.raises(TypeError, match="Put it into a list"):
        make_callbacks(EarlyStopping())


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callback_that_raises_leaves_the_estimator_as_it_was(data, solver):
    def fail(row):
        raise RuntimeError("out of ideas")

    model = classifier(solver=solver).fit(*data)
    before = model.coefs_[0].copy()
    with pytest.raises(RuntimeError, match="out of ideas"):
        model.set_params(callbacks=[fail], warm_start=True).fit(*data)
    np.testing.assert_array_equal(model.coefs_[0], before)
    assert len(model.loss_curve_) == model.n_iter_ == 6
    assert model.net_.callbacks is None


class InterruptAt(Callback):
    def __init__(self, epoch, batches=False):
        self.epoch = epoch
        self.n = 0

    def on_epoch_begin(self, net, **kwargs):
        self.n += 1
        if self.n == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("epoch", [1, 2, 6])
def test_interrupted_fit_goes_on_to_the_same_curve(data, solver, early_stopping, epoch):
    kwargs = {"solver": solver, "early_stopping": early_stopping, "batch_size": 16, "max_iter": 8}
    whole = classifier(**kwargs).fit(*data)
    model = classifier(**kwargs, warm_start=True, callbacks=[InterruptAt(epoch)])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(*data)
    assert model.n_iter_ == epoch - 1
    model.set_params(callbacks=None).fit(*data)
    assert model.loss_curve_ == whole.loss_curve_
    assert model.validation_scores_ == whole.validation_scores_
    assert model.n_iter_ == whole.n_iter_
    np.testing.assert_array_equal(model.coefs_[0], whole.coefs_[0])
    assert len(model.net_.history) == 8


def test_another_way_to_train_is_an_ordinary_warm_start(data):
    model = classifier(warm_start=True, callbacks=[InterruptAt(3)])
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(*data)
    model.set_params(callbacks=None, alpha=0.5).fit(*data)
    assert model.n_iter_ == 6
    assert len(model.loss_curve_) == 8


sklearn_callback = pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")


class Stopper:
    """A callback of scikit-learn's protocol that keeps what it saw."""

    max_propagation_depth = None

    def __init__(self, after=None):
        self.after, self.events, self.models = after, [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.events.append(f"{context.task_name} ends")
        self.seen = X, y, metadata
        if context.task_name == "epoch":
            self.models.append(fitted_estimator)
        return self.after is not None and len(self.models) >= self.after


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_scikit_learns_callbacks_see_epochs_with_the_model_of_then(data, solver):
    X, y = data
    stopper = Stopper()
    model = classifier(solver=solver, max_iter=3).set_callbacks(stopper)
    weight = np.ones(len(X))
    model.fit(X, y, sample_weight=weight)
    epochs = ["epoch begins", "epoch ends"] * 3
    assert stopper.events == ["setup", "fit begins", *epochs, "fit ends", "teardown"]
    assert [m.loss_ for m in stopper.models] == model.loss_curve_
    assert [m.n_iter_ for m in stopper.models] == [1, 2, 3]
    assert stopper.seen[0] is X
    assert stopper.seen[2]["sample_weight"] is weight
    np.testing.assert_allclose(stopper.models[-1].predict_proba(X), model.predict_proba(X))
    first = classifier(solver=solver, max_iter=1).fit(X, y)
    np.testing.assert_allclose(stopper.models[0].predict_proba(X), first.predict_proba(X))
    assert not hasattr(model, "_callback_fit_ctx")


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_scikit_learns_callback_stops_training_by_true(data, solver):
    model = classifier(solver=solver).set_callbacks(Stopper(after=2)).fit(*data)
    assert model.n_iter_ == 2


def test_teardown_is_called_after_an_error_too(data):
    X, y = data
    stopper = Stopper()
    with pytest.raises(ValueError, match="infinity"):
        classifier().set_callbacks(stopper).fit(np.where(X > 2, np.inf, X), y)
    assert stopper.events[-1] == "teardown"


def test_scoring_monitor_alone_and_in_a_search(data):
    X, y = data
    monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
    model = classifier(max_iter=4).set_callbacks(monitor).fit(X, y)
    frame = monitor.get_logs().data_as_pandas
    epochs = frame[frame["task_name"] == "epoch"]
    assert len(epochs) == 4
    assert epochs["accuracy"].iloc[-1] == model.score(X, y)
    monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
    mlp = classifier(max_iter=2).set_callbacks(monitor)
    GridSearchCV(mlp, {"alpha": [1e-4, 1.0]}, cv=2).fit(X, y)
    runs = monitor.get_logs(select="all")
    assert sum((run.data_as_pandas["task_name"] == "epoch").sum() for run in runs) == 2 * 5


def test_progress_bar_of_scikit_learn_goes_through_a_search(data, capsys):
    pytest.importorskip("rich")
    bar = sklearn_callback.ProgressBar(max_propagation_depth=2)
    search = GridSearchCV(classifier(max_iter=2), {"alpha": [1e-4, 1.0]}, cv=2).set_callbacks(bar)
    search.fit(*data)
    assert "DeepMLPClassifier - fit" in capsys.readouterr().out
