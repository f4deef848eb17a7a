"""Every callback class that skorch exports does its work in a fit, or is refused with a reason."""

import pickle
import re
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import skorch.callbacks as exported
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score
from sklearn.preprocessing import scale

from sknn import DeepMLPClassifier, DeepMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PAGE = (Path(__file__).parents[3] / "docs" / "guide" / "validation.md").read_text(encoding="utf-8")
IRIS, NUMBERS = load_iris(return_X_y=True)
IRIS, NAMES = scale(IRIS), np.array(["setosa", "versicolor", "virginica"])[NUMBERS]
HELD_OUT = slice(None, None, 3)
FIRST = "linears.0.weight"


def fitted(callback, **params):
    callbacks = callback if isinstance(callback, list) else [callback]
    params = {"max_iter": 6, "random_state": 0, "learning_rate_init": 0.05, **params}
    model = DeepMLPClassifier((8,), callbacks=callbacks, **params)
    return model.fit(IRIS, NAMES, X_val=IRIS[HELD_OUT], y_val=NAMES[HELD_OUT])


def history(model, name):
    return model.net_.history[:, name]


def check_batch_scoring(tmp_path):
    scoring = [
        exported.BatchScoring("accuracy", lower_is_better=False),
        exported.BatchScoring("accuracy", lower_is_better=False, on_train=True, name="train"),
    ]
    model = fitted(scoring, batch_size=50)
    np.testing.assert_allclose(history(model, "accuracy"), model.validation_scores_)
    assert len(model.net_.history[-1, "batches"]) == 4  # three of training, one of validation
    assert all(isinstance(best, bool) for best in history(model, "train_best"))


def check_epoch_scoring(tmp_path):
    scoring = [
        exported.EpochScoring("accuracy", lower_is_better=False),
        exported.EpochScoring("accuracy", name="again", use_caching=False),
        exported.EpochScoring("accuracy", name="train", on_train=True),
        exported.EpochScoring("neg_log_loss", lower_is_better=False),
    ]
    model = fitted(scoring)
    for name in ("accuracy", "again"):
        assert history(model, name) == model.validation_scores_
    np.testing.assert_allclose(history(model, "train"), model.history_["score"])
    expected = -log_loss(NAMES[HELD_OUT], model.predict_proba(IRIS[HELD_OUT]))
    assert history(model, "neg_log_loss")[-1] == pytest.approx(expected)


def check_passthrough_scoring(tmp_path):
    model = fitted(exported.PassthroughScoring("valid_loss"))
    np.testing.assert_allclose(history(model, "valid_loss"), model.validation_loss_curve_)


def check_checkpoint(tmp_path):
    model = fitted(exported.Checkpoint(dirname=tmp_path, f_pickle="net.pkl"))
    assert {"params.pt", "optimizer.pt", "criterion.pt", "history.json", "net.pkl"} == {
        path.name for path in tmp_path.iterdir()
    }
    assert any(history(model, "event_cp"))
    kept = torch.load(tmp_path / "params.pt", weights_only=True)
    assert list(kept) == list(model.module_.state_dict())
    net = pickle.loads((tmp_path / "net.pkl").read_bytes())
    assert net.predict(IRIS).shape == (150, 3)
    best = fitted(exported.Checkpoint(dirname=tmp_path, load_best=True))
    for name, value in torch.load(tmp_path / "params.pt", weights_only=True).items():
        assert torch.equal(value, best.module_.state_dict()[name])


def check_train_end_checkpoint(tmp_path):
    model = fitted(exported.TrainEndCheckpoint(dirname=tmp_path))
    kept = torch.load(tmp_path / "train_end_params.pt", weights_only=True)
    assert torch.equal(kept[FIRST], model.module_.state_dict()[FIRST])


def check_load_init_state(tmp_path):
    first = fitted(exported.TrainEndCheckpoint(dirname=tmp_path))
    checkpoint = exported.TrainEndCheckpoint(dirname=tmp_path)
    loading = [checkpoint, exported.LoadInitState(checkpoint)]
    assert fitted(loading, max_iter=1).loss_curve_[0] < min(first.loss_curve_)


def check_early_stopping(tmp_path):
    stopping = exported.EarlyStopping("train_loss", patience=2, threshold=10.0, sink=list)
    assert fitted(stopping).n_iter_ == 3
    best = exported.EarlyStopping("valid_loss", patience=3, load_best=True, sink=list)
    model = fitted(best, learning_rate_init=1.0, max_iter=60)
    loss = log_loss(NAMES[HELD_OUT], model.predict_proba(IRIS[HELD_OUT]))
    assert loss == pytest.approx(min(model.validation_loss_curve_))


def check_epoch_timer(tmp_path):
    assert len(history(fitted(exported.EpochTimer()), "dur")) == 6


def check_print_log(tmp_path):
    lines = []
    fitted(exported.PrintLog(sink=lines.append))
    text = "\n".join(map(str, lines))
    assert len(lines) >= 6
    assert all(name in text for name in ("epoch", "train_loss", "valid_loss", "dur"))


def check_progress_bar(tmp_path):
    fitted(exported.ProgressBar(detect_notebook=False), batch_size=50)


def check_lr_scheduler(tmp_path):
    model = fitted(exported.LRScheduler("StepLR", step_size=2, gamma=0.1))
    expected = [0.05, 0.05, 0.005, 0.005, 0.0005, 0.0005]
    np.testing.assert_allclose(model.history_["learning_rate"], expected)
    np.testing.assert_allclose(history(model, "event_lr"), expected)
    own = {"learning_rate": torch.optim.lr_scheduler.StepLR, "learning_rate__step_size": 2}
    same = fitted([], **own, learning_rate__gamma=0.1)
    np.testing.assert_array_equal(model.coefs_[0], same.coefs_[0])
    by_batch = fitted(exported.LRScheduler("StepLR", step_size=1, step_every="batch"))
    np.testing.assert_allclose(by_batch.history_["learning_rate"][1], 0.0005)  # after its step
    plateau = exported.LRScheduler(
        "ReduceLROnPlateau", monitor="valid_loss", patience=0, threshold=9
    )
    assert fitted(plateau).history_["learning_rate"][-1] < 0.05


def check_warm_restart(tmp_path):
    model = fitted(exported.LRScheduler(exported.WarmRestartLR, base_period=2))
    assert len(set(model.history_["learning_rate"])) > 1


def check_gradient_norm_clipping(tmp_path):
    clipped = fitted(exported.GradientNormClipping(0.01), solver="sgd", momentum=0)
    np.testing.assert_allclose(
        clipped.coefs_[0], fitted([], solver="sgd", momentum=0, max_grad_norm=0.01).coefs_[0]
    )


def check_param_mapper(tmp_path):
    zeros = exported.ParamMapper(FIRST, fn=torch.nn.init.zeros_, at=1)
    assert (fitted(zeros, max_iter=1).coefs_[0] != fitted([], max_iter=1).coefs_[0]).any()


def check_initializer(tmp_path):
    zeros = exported.Initializer("*", fn=torch.nn.init.zeros_)
    assert fitted(zeros, max_iter=1).loss_ == pytest.approx(np.log(3))


def check_freezer(tmp_path):
    once, often = (fitted(exported.Freezer(FIRST), max_iter=n) for n in (1, 5))
    np.testing.assert_array_equal(once.coefs_[0], often.coefs_[0])


def check_unfreezer(tmp_path):
    callbacks = [exported.Freezer(FIRST), exported.Unfreezer(FIRST, at=3)]
    once, often = (fitted(callbacks, max_iter=n) for n in (2, 5))
    assert (once.coefs_[0] != often.coefs_[0]).any()


def check_logger(make):
    def check(tmp_path):
        run = MagicMock(dir=str(tmp_path))
        fitted(make(run))
        assert run.method_calls or run.mock_calls

    return check


CHECKS = {
    "BatchScoring": check_batch_scoring,
    "Checkpoint": check_checkpoint,
    "EarlyStopping": check_early_stopping,
    "EpochScoring": check_epoch_scoring,
    "EpochTimer": check_epoch_timer,
    "Freezer": check_freezer,
    "GradientNormClipping": check_gradient_norm_clipping,
    "Initializer": check_initializer,
    "LRScheduler": check_lr_scheduler,
    "LoadInitState": check_load_init_state,
    "MlflowLogger": check_logger(lambda run: exported.MlflowLogger(run, MagicMock())),
    "NeptuneLogger": check_logger(lambda run: exported.NeptuneLogger(run)),
    "ParamMapper": check_param_mapper,
    "PassthroughScoring": check_passthrough_scoring,
    "PrintLog": check_print_log,
    "ProgressBar": check_progress_bar,
    "TrainEndCheckpoint": check_train_end_checkpoint,
    "TensorBoard": check_logger(exported.TensorBoard),
    "SacredLogger": check_logger(exported.SacredLogger),
    "Unfreezer": check_unfreezer,
    "WandbLogger": check_logger(exported.WandbLogger),
    "WarmRestartLR": check_warm_restart,
}
#: the base class of all, and what the guide names
NOT_CHECKED = {"Callback", "InputShapeSetter"}


def test_every_exported_class_is_checked_or_named():
    assert set(exported.__all__) == set(CHECKS) | NOT_CHECKED


@pytest.mark.parametrize("name", CHECKS)
def test_a_callback_does_its_work(name, tmp_path):
    packages = {"MlflowLogger": "mlflow", "NeptuneLogger": "neptune"}
    if name in packages:
        pytest.importorskip(packages[name])
    CHECKS[name](tmp_path)


@pytest.mark.parametrize(
    ("callback", "params", "match"),
    [
        (exported.InputShapeSetter(), {}, "makes it for the columns of X"),
        (exported.Freezer("*"), {"solver": "lbfgs"}, "steps of its own"),
        (exported.GradientNormClipping(1.0), {"solver": "lbfgs"}, "steps of its own"),
        (exported.LRScheduler("StepLR"), {"solver": "lbfgs"}, "steps of its own"),
        (exported.LRScheduler("StepLR"), {"learning_rate": "cosine"}, "and so do"),
        (exported.LRScheduler("StepLR"), {"warmup_epochs": 2}, "and so do"),
    ],
)
def test_what_could_have_no_effect_is_refused(callback, params, match):
    with pytest.raises(ValueError, match=match):
        fitted(callback, **params)


def test_the_guide_names_what_is_refused():
    table = PAGE[PAGE.index("| Callback |") :].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.split("\n"))))
    refused = {"InputShapeSetter", "LRScheduler", "GradientNormClipping", "ParamMapper"}
    assert refused <= named <= set(exported.__all__)


def test_scores_are_in_the_users_units():
    X, y = load_diabetes(return_X_y=True)
    scoring = exported.EpochScoring("neg_mean_absolute_error", lower_is_better=False, name="mae")
    model = DeepMLPRegressor(hidden_layer_sizes=(8,), max_iter=5, callbacks=[scoring])
    model.fit(X, y, X_val=X[:50], y_val=y[:50])
    assert -model.net_.history[-1, "mae"] == pytest.approx(
        mean_absolute_error(y[:50], model.predict(X[:50]))
    )


def test_scores_of_two_classes_with_weights():
    X, y = load_breast_cancer(return_X_y=True)
    X = scale(X)
    scoring = exported.EpochScoring("roc_auc", lower_is_better=False)
    model = DeepMLPClassifier((8,), max_iter=5, callbacks=[scoring])
    weights = {"sample_weight": np.ones(len(y)), "sample_weight_val": np.ones(90)}
    model.fit(X, y, X_val=X[:90], y_val=y[:90], **weights)
    expected = roc_auc_score(y[:90], model.predict_proba(X[:90])[:, 1])
    assert model.net_.history[-1, "roc_auc"] == pytest.approx(expected)


def test_callbacks_and_data_are_in_no_file(tmp_path):
    class Dump(exported.Callback):
        def on_batch_end(self, net, **kwargs):
            self.text = pickle.dumps(net)

    dump = Dump()
    X = np.random.RandomState(0).normal(size=(400, 4))
    y = (X[:, 0] > 0).astype(int)
    model = DeepMLPClassifier((3,), max_iter=2, batch_size=100, early_stopping=True)
    model.set_params(callbacks=[dump]).fit(X, y)
    for text in (dump.text, pickle.dumps(model.net_)):
        assert X[5].tobytes() not in text
        assert len(text) < 8 * X.size


@pytest.mark.parametrize(
    ("key", "advice"),
    [("valid_loss", "no validation samples: set early_stopping=True"), ("x", "a place before")],
)
def test_a_callback_that_reads_what_was_not_recorded_is_told_what_to_do(key, advice):
    model = DeepMLPClassifier((3,), max_iter=2, callbacks=[exported.EarlyStopping(key)])
    with pytest.raises(ValueError, match=rf"EarlyStopping reads a key .*'{key}' was not.*{advice}"):
        model.fit(IRIS, NAMES)
