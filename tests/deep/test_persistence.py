"""Pickles, copies and clones; weights that can be read and written; the skorch net."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import skorch
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import DeepMLPClassifier, DeepMLPRegressor
from sknn.engine import Net
from tests.helpers import assert_same_weights, get_weights

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng_ = np.random.default_rng(0)
X = rng_.normal(size=(60, 3))
y3 = np.digitize(X[:, 0], [-0.5, 0.5])
TARGETS = {
    "binary": (DeepMLPClassifier, np.where(X[:, 0] > 0, "yes", "no")),
    "multiclass": (DeepMLPClassifier, y3),
    "multilabel": (DeepMLPClassifier, (X[:, :2] > 0).astype(int)),
    "values": (DeepMLPRegressor, 1e3 + X[:, 0] - X[:, 1]),
    "two outputs": (DeepMLPRegressor, X[:, :2] * [1, 1e4]),
}


def through_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


ROUND_TRIPS = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "oldest pickle": lambda estimator: pickle.loads(pickle.dumps(estimator, protocol=2)),
    "joblib": through_joblib,
    "deepcopy": copy.deepcopy,
    "copies of copies": lambda estimator: copy.deepcopy(
        pickle.loads(pickle.dumps(copy.deepcopy(estimator)))
    ),
}


def fitted(kind, **params):
    model, y = TARGETS[kind]
    params = {"hidden_layer_sizes": (6,), "max_iter": 4, "random_state": 0, **params}
    return model(**params).fit(X, y), y


def responses(estimator):
    names = ("predict", "predict_proba", "decision_function", "predict_log_proba")
    return [getattr(estimator, name)(X) for name in names if hasattr(estimator, name)]


FITTED = [
    "n_iter_",
    "best_iter_",
    "t_",
    "loss_",
    "best_loss_",
    "loss_curve_",
    "validation_scores_",
    "best_validation_score_",
    "n_layers_",
    "n_outputs_",
    "out_activation_",
    "n_features_in_",
    "device_",
]


@pytest.mark.parametrize("trip", ROUND_TRIPS)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("kind", TARGETS)
def test_a_round_trip_keeps_everything(kind, solver, trip):
    early_stopping = solver == "adam"
    estimator, _ = fitted(kind, solver=solver, early_stopping=early_stopping)
    again = ROUND_TRIPS[trip](estimator)
    assert again is not estimator
    assert again.get_params() == estimator.get_params()
    assert set(vars(again)) == set(vars(estimator))
    for name in FITTED:
        assert getattr(again, name) == getattr(estimator, name), name
    if hasattr(estimator, "classes_"):
        assert_array_equal(again.classes_, estimator.classes_)
        assert again.classes_.dtype == estimator.classes_.dtype
    for mine, other in zip(responses(again), responses(estimator), strict=True):
        assert_array_equal(mine, other)
    assert_same_weights(again, estimator)
    assert again.net_.history == estimator.net_.history


@pytest.mark.parametrize(
    "params", [{}, {"learning_rate": "invscaling"}, {"activation": "gelu"}], ids=str
)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("trip", ROUND_TRIPS)
def test_partial_fit_goes_on_as_without_the_round_trip(trip, solver, params):
    estimator, y = fitted("multiclass", solver=solver, batch_size=20, **params)
    twin, _ = fitted("multiclass", solver=solver, batch_size=20, **params)
    fresh_optimizer, _ = fitted("multiclass", solver=solver, batch_size=20, **params)
    fresh_optimizer.net_.initialize_optimizer()
    for _ in range(3):
        estimator = ROUND_TRIPS[trip](estimator)
        for each in (estimator, twin, fresh_optimizer):
            each.partial_fit(X, y)
        assert_same_weights(estimator, twin)
        assert estimator.loss_curve_ == twin.loss_curve_
    # So that the equality is one of moments, too, which a lost state would not have.
    assert not np.array_equal(estimator.coefs_[0], fresh_optimizer.coefs_[0])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("trip", ROUND_TRIPS)
def test_warm_start_goes_on_as_without_the_round_trip(trip, solver):
    estimator, y = fitted("values", solver=solver, warm_start=True)
    twin, _ = fitted("values", solver=solver, warm_start=True)
    for _ in range(2):
        estimator = ROUND_TRIPS[trip](estimator)
        assert_same_weights(estimator.fit(X, y), twin.fit(X, y))
        assert estimator.loss_curve_ == twin.loss_curve_


@pytest.mark.parametrize("trip", ROUND_TRIPS)
def test_training_a_copy_leaves_the_original_alone(trip):
    estimator, y = fitted("multiclass")
    before = [a.copy() for a in get_weights(estimator)]
    n_epochs = len(estimator.net_.history)
    again = ROUND_TRIPS[trip](estimator)
    again.partial_fit(X, y)
    again.coefs_[0][:] = 0
    for mine, old in zip(get_weights(estimator), before, strict=True):
        assert_array_equal(mine, old)
    assert len(estimator.net_.history) == len(estimator.loss_curve_) == n_epochs


def test_module_and_optimizer_hold_the_same_parameters_after_a_round_trip():
    estimator, _ = fitted("multiclass")
    again = pickle.loads(pickle.dumps(estimator))
    assert again.net_.module is again.net_.module_ is again.module_
    held = {id(p) for group in again.net_.optimizer_.param_groups for p in group["params"]}
    assert held == {id(p) for p in again.module_.parameters()}
    assert again._result.net is again.net_


@pytest.mark.parametrize("kind", TARGETS)
def test_a_clone_has_the_parameters_and_nothing_else(kind):
    estimator, y = fitted(kind, solver="sgd", alpha=0.5)
    new = clone(estimator)
    assert new.get_params() == estimator.get_params()
    assert set(vars(new)) == set(new.get_params())
    assert_same_weights(new.fit(X, y), estimator)


def test_a_clone_of_a_warm_start_starts_cold():
    estimator, y = fitted("multiclass", warm_start=True)
    estimator.fit(X, y)
    once, _ = fitted("multiclass")
    assert_same_weights(clone(estimator).fit(X, y), once)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", ["multiclass", "values"])
def test_a_pickle_does_not_hold_the_training_data(kind, early_stopping, solver):
    params = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0, "solver": solver}
    params["early_stopping"] = early_stopping and solver != "lbfgs"
    model, y = TARGETS[kind]
    sizes = []
    for n_rows in (60, 6000):
        big = np.tile(X, (n_rows // 60, 1))
        weights = np.ones(n_rows)
        estimator = model(**params).fit(big, np.tile(y, n_rows // 60), sample_weight=weights)
        if solver != "lbfgs":
            estimator.set_params(early_stopping=False)
            estimator.partial_fit(big, np.tile(y, n_rows // 60))
        sizes.append(len(pickle.dumps(estimator)))
    assert sizes[1] < sizes[0] + 1000  # X alone has 144 kB
    assert sizes[0] < 30_000


def test_a_pipeline_survives_a_file(tmp_path):
    y = TARGETS["values"][1]
    model = make_pipeline(StandardScaler(), DeepMLPRegressor(max_iter=3, random_state=0))
    model.fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib", compress=3)
    assert_array_equal(joblib.load(tmp_path / "model.joblib").predict(X), model.predict(X))


def test_an_unfitted_estimator_survives_a_pickle():
    estimator = DeepMLPClassifier(hidden_layer_sizes=[3, 4], random_state=np.random.RandomState(3))
    again = pickle.loads(pickle.dumps(estimator))
    y = TARGETS["binary"][1]
    estimator.set_params(max_iter=3).fit(X, y)
    assert_same_weights(again.set_params(max_iter=3).fit(X, y), estimator)


# --- the skorch net ------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_net_is_a_skorch_net_with_a_history_of_every_epoch(solver, early_stopping):
    estimator, _ = fitted("multiclass", solver=solver, early_stopping=early_stopping, max_iter=7)
    net = estimator.net_
    assert isinstance(net, skorch.NeuralNet)
    assert len(net.history) == estimator.n_iter_ == 7
    assert_allclose(net.history[:, "train_loss"], estimator.loss_curve_, rtol=1e-12)
    assert net.history[:, "epoch"] == list(range(1, 8))
    if early_stopping and solver != "lbfgs":
        assert net.history[:, "valid_score"] == estimator.validation_scores_


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_history_goes_on_through_warm_start(solver):
    estimator, y = fitted("values", solver=solver, warm_start=True)
    estimator.fit(X, y)
    assert len(estimator.net_.history) == len(estimator.loss_curve_) == 8
    assert estimator.net_.history[:, "epoch"] == list(range(1, 9))
    assert_allclose(estimator.net_.history[:, "train_loss"], estimator.loss_curve_, rtol=1e-12)


def test_the_net_predicts_what_the_estimator_predicts():
    estimator, _ = fitted("multiclass")
    assert_allclose(estimator.net_.predict_proba(X), estimator.predict_proba(X), rtol=1e-12)
    labels, _ = fitted("multilabel")
    assert_allclose(labels.net_.predict_proba(X), labels.predict_proba(X), rtol=1e-12)
    binary, _ = fitted("binary")
    assert_allclose(binary.net_.predict_proba(X)[:, 0], binary.predict_proba(X)[:, 1], rtol=1e-12)
    y = np.arange(60.0)
    poisson = DeepMLPRegressor("poisson", max_iter=3, random_state=0).fit(X, y)
    assert_allclose(poisson.net_.predict(X)[:, 0], poisson.predict(X), rtol=1e-12)


def test_parameters_go_through_a_file(tmp_path):
    estimator, y = fitted("multiclass")
    other = DeepMLPClassifier(hidden_layer_sizes=(6,), max_iter=1, random_state=9).fit(X, y)
    assert not np.allclose(other.predict_proba(X), estimator.predict_proba(X))
    files = {
        "f_params": tmp_path / "params.pt",
        "f_optimizer": tmp_path / "optimizer.pt",
        "f_history": tmp_path / "history.json",
    }
    estimator.net_.save_params(**files)
    other.net_.load_params(**files)
    assert_same_weights(other, estimator)
    assert_array_equal(other.predict_proba(X), estimator.predict_proba(X))
    assert len(other.net_.history) == 4
    moments = (e.net_.optimizer_.state_dict()["state"] for e in (estimator, other))
    mine, loaded = ([s["exp_avg"] for s in state.values()] for state in moments)
    assert len(mine) == 4
    assert all(map(torch.equal, mine, loaded))
    before = {path: path.read_bytes() for path in files.values()}
    with pytest.raises(FileNotFoundError, match="nowhere"):
        other.partial_fit(X, y).net_.save_params(
            files["f_params"], f_optimizer=tmp_path / "nowhere" / "optimizer.pt"
        )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_module_is_a_torch_module_that_computes_the_raw_output():
    estimator, _ = fitted("multiclass")
    output = estimator.module_(torch.from_numpy(X)).detach().numpy()
    assert_allclose(output, estimator.decision_function(X), rtol=1e-12)
    assert torch.allclose(
        torch.from_numpy(estimator.coefs_[0].T.copy()), estimator.module_.linears[0].weight
    )


# --- weights -------------------------------------------------------------------------------


def by_hand(estimator, coefs, intercepts):
    hidden = np.maximum(X @ coefs[0] + intercepts[0], 0)
    return hidden @ coefs[1] + intercepts[1]


@pytest.mark.parametrize("how", ["in place", "by item", "by slice", "as a whole", "negative index"])
def test_written_weights_change_the_predictions(how):
    estimator, _ = fitted("multiclass")
    rng = np.random.default_rng(1)
    coefs = [rng.normal(size=c.shape) for c in estimator.coefs_]
    intercepts = [rng.normal(size=b.shape) for b in estimator.intercepts_]
    for name, new in (("coefs_", coefs), ("intercepts_", intercepts)):
        held = getattr(estimator, name)
        if how == "in place":
            for array, value in zip(held, new, strict=True):
                array[:] = value
        elif how == "by item":
            for i, value in enumerate(new):
                held[i] = value
        elif how == "negative index":
            held[-1], held[-2] = new[1], new[0]
        elif how == "by slice":
            held[::-1] = new[::-1]
        else:
            setattr(estimator, name, new)
        for array, value in zip(getattr(estimator, name), new, strict=True):
            assert_array_equal(array, value)
        for array, value in zip(held, getattr(estimator, name), strict=True):
            if how != "as a whole":
                assert_array_equal(array, value)
    assert_allclose(
        estimator.decision_function(X), by_hand(estimator, coefs, intercepts), rtol=1e-10
    )


def test_one_written_number_changes_the_prediction():
    estimator, _ = fitted("values")
    estimator.intercepts_[-1][0] += 2
    moved = estimator.predict(X)
    estimator.intercepts_[-1][0] -= 2
    assert_allclose(moved - estimator.predict(X), 2 * estimator.target_scale_[0], rtol=1e-9)


def test_written_weights_are_copies_of_what_was_given():
    estimator, _ = fitted("values")
    mine = np.ones(estimator.coefs_[0].shape)
    estimator.coefs_[0] = mine
    mine[:] = 7
    assert_array_equal(estimator.coefs_[0], 1)


def test_weights_are_writable_numpy_arrays_in_scikit_learns_orientation():
    estimator, _ = fitted("multiclass")
    assert [c.shape for c in estimator.coefs_] == [(3, 6), (6, 3)]
    assert [b.shape for b in estimator.intercepts_] == [(6,), (3,)]
    for array in get_weights(estimator):
        assert type(array) is np.ndarray
        assert array.flags.writeable


def test_a_list_of_weights_held_through_training_still_writes_to_the_network():
    estimator, y = fitted("values")
    held = estimator.coefs_
    estimator.partial_fit(X, y)
    held[0] = np.ones((3, 6))
    assert_array_equal(estimator.coefs_[0], 1)
    assert_array_equal(held[0], 1)
    held[0][0, 0] = 5
    assert estimator.coefs_[0][0, 0] == 5


def test_training_goes_on_from_written_weights():
    estimator, y = fitted("values", solver="sgd", momentum=0)
    twin, _ = fitted("values", solver="sgd", momentum=0, max_iter=9)
    twin.coefs_, twin.intercepts_ = estimator.coefs_, estimator.intercepts_
    assert_same_weights(twin.partial_fit(X, y), estimator.partial_fit(X, y))


@pytest.mark.parametrize("trip", ["pickle", "oldest pickle", "joblib", "deepcopy"])
@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_a_copy_of_the_weights_is_a_plain_list(name, trip):
    estimator, _ = fitted("multiclass")
    held = getattr(estimator, name)
    plain = ROUND_TRIPS[trip](held)
    assert type(plain) is list
    assert isinstance(held, list)
    for mine, other in zip(plain, held, strict=True):
        assert_array_equal(mine, other)
    prediction = estimator.predict_proba(X)
    plain[0][:] = 0
    assert_array_equal(estimator.predict_proba(X), prediction)


# --- GPU and none --------------------------------------------------------------------------


def test_a_model_whose_net_was_on_a_gpu_loads_where_there_is_none(monkeypatch):
    estimator, y = fitted("multiclass")
    twin, _ = fitted("multiclass")
    _ = estimator.feature_importances_  # a file holds them, and they would be computed on the GPU
    estimator.net_.device = "cuda"
    pickled = pickle.dumps(estimator)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match=r"(?i)cuda"):
        again = pickle.loads(pickled)
    assert again.device_ == "cpu"
    assert_array_equal(again.predict_proba(X), twin.predict_proba(X))
    assert_same_weights(again.partial_fit(X, y), twin.partial_fit(X, y))
    again.coefs_[0][:] = 0
    assert not np.array_equal(again.predict_proba(X), twin.predict_proba(X))


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_pickle_holds_no_tensor(solver):
    # torch would unpickle it onto the device that it was on.
    estimator, _ = fitted("multiclass", solver=solver)

    class NoTensors(pickle.Pickler):
        def reducer_override(self, thing):
            assert not isinstance(thing, torch.Tensor | torch.nn.Module | torch.UntypedStorage)
            return NotImplemented

    NoTensors(io.BytesIO()).dump(estimator)
    with pytest.raises(AssertionError, match="isinstance"):
        NoTensors(io.BytesIO()).dump(estimator.module_)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", TARGETS)
def test_a_model_fitted_on_a_gpu_loads_where_there_is_none(kind, dtype, monkeypatch):
    estimator, y = fitted(kind, device="cuda", dtype=dtype)
    assert estimator.device_ == "cuda"
    assert next(estimator.module_.parameters()).is_cuda
    prediction, coefs = responses(estimator), [c.copy() for c in estimator.coefs_]
    pickled = pickle.dumps(estimator)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match=r"(?i)cuda"):
        again = pickle.loads(pickled)
    monkeypatch.undo()
    assert again.device_ == "cpu"
    assert not any(p.is_cuda for p in again.module_.parameters())
    for mine, old in zip(again.coefs_, coefs, strict=True):
        assert_array_equal(mine, old)
    tolerance = 1e-4 if dtype == "float32" else 1e-9
    for mine, other in zip(responses(again), prediction, strict=True):
        if other.dtype.kind == "f":
            assert_allclose(mine, other, rtol=tolerance, atol=tolerance)
    again.partial_fit(X, y)
    estimator.partial_fit(X, y)
    for mine, other in zip(again.coefs_, estimator.coefs_, strict=True):
        assert_allclose(mine, other, rtol=10 * tolerance, atol=10 * tolerance)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_gpu_gives_the_model_of_the_cpu(solver):
    on_cpu, y = fitted("multiclass", solver=solver, device="cpu", batch_size=20)
    on_gpu, _ = fitted("multiclass", solver=solver, device="cuda", batch_size=20)
    for mine, other in zip(get_weights(on_gpu), get_weights(on_cpu), strict=True):
        assert_allclose(mine, other, rtol=1e-6, atol=1e-8)
    again = pickle.loads(pickle.dumps(on_gpu))
    assert again.device_ == "cuda"
    assert_array_equal(again.predict_proba(X), on_gpu.predict_proba(X))
    if solver != "lbfgs":
        assert_array_equal(again.partial_fit(X, y).coefs_[0], on_gpu.partial_fit(X, y).coefs_[0])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_weights_on_a_gpu_are_read_only_copies_set_by_item():
    estimator, _ = fitted("multiclass", device="cuda")
    assert not estimator.coefs_[0].flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        estimator.coefs_[0][0, 0] = 1
    estimator.coefs_[0] = np.zeros((3, 6))
    assert_array_equal(estimator.coefs_[0], 0)
    output = np.maximum(estimator.intercepts_[0], 0) @ estimator.coefs_[1]
    assert_allclose(
        estimator.decision_function(X), np.tile(output + estimator.intercepts_[1], (60, 1))
    )


def test_the_net_class_is_found_by_name():
    # A pickle names the class of the net, so that moving it would break saved models.
    assert Net.__module__ == "sknn.engine.net._net"
