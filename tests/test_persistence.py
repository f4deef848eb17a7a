"""skops files of every estimator: nothing but known types, and nothing is lost."""

import copy
import datetime
import pickle
import subprocess
import sys
import zipfile
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sknn
from sknn import (
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    SequenceCNNClassifier,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
from sknn._saved import SAVED, VERSIONS, PlainValue, SavedState, find_versions, from_plain, to_plain
from sknn.activations import TRAINABLE
from sknn.deep._base import DeepEstimator
from sknn.model_selection import BatchedGridSearchCV
from sknn.motifs import Motif
from sknn.persistence import ROOTS, trusted_types
from sknn.preprocessing import DNAOneHotEncoder, Regions, RegionsToSequences, TabularEncoder
from sknn.threshold import ThresholdNetwork, ThresholdUnit
from tests.helpers import Press
from tests.instances import INSTANCES

sio = pytest.importorskip("skops.io", reason="skops is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng_ = np.random.default_rng(0)
X = rng_.normal(size=(60, 3))
y2, y3 = (X[:, 0] > 0).astype(int), np.digitize(X[:, 0], [-0.5, 0.5])
NAMES = np.array(["no", "yes", "maybe"])[y3]
LABELS = (X[:, :2] > 0).astype(int)


def through_file(estimator, tmp_path, *more):
    file = tmp_path / "model.skops"
    sio.dump(estimator, file)
    return sio.load(file, trusted=trusted_types(*more))


def deep(**params):
    return DeepMLPClassifier(**{"hidden_layer_sizes": (5, 5), "max_iter": 4, **params})


def assert_same_net(one, other):
    ours, theirs = one.module_.state_dict(), other.module_.state_dict()
    assert list(ours) == list(theirs)
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name
        assert tensor.dtype == theirs[name].dtype


def responses(estimator):
    names = ("predict", "predict_proba", "decision_function")
    return [getattr(estimator, name)(X) for name in names if hasattr(estimator, name)]


@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_every_estimator_survives_a_skops_file(cls, tmp_path):
    for instance in INSTANCES[cls]:
        estimator = clone(instance).fit(X, y2)
        again = through_file(estimator, tmp_path)
        assert type(again) is cls
        assert set(vars(again)) == set(vars(estimator))
        assert repr(again.get_params()) == repr(estimator.get_params())
        for mine, other in zip(responses(again), responses(estimator), strict=True):
            assert_array_equal(mine, other)
            assert mine.dtype == other.dtype


OPTIONS = {
    "dropout": {"dropout": 0.2},
    "batch": {"normalization": "batch", "residual": True},
    "layer": {"normalization": "layer"},
    "adamw": {"solver": "adamw", "learning_rate": "cosine"},
    "muon": {"solver": "muon", "learning_rate": "cosine"},
    "nadam": {"solver": "nadam", "learning_rate": "plateau"},
    "rmsprop": {"solver": "rmsprop", "warmup_epochs": 1},
    "focal": {"loss": "focal"},
    "float32": {"dtype": "float32"},
    "bfloat16": {"dtype": "bfloat16"},
    "l1": {"l1_ratio": 0.5, "max_grad_norm": 1.0},
    "class of torch": {"solver": torch.optim.Adagrad},
    "schedule of torch": {
        "learning_rate": torch.optim.lr_scheduler.ExponentialLR,
        "learning_rate__gamma": 0.9,
    },
    "cycle of torch": {"learning_rate": torch.optim.lr_scheduler.OneCycleLR},
    "random state": {"random_state": np.random.RandomState(3)},
    "early stopping": {"early_stopping": True, "max_iter": 30, "n_iter_no_change": 2},
}
SOLVERS = {"sgd": {"solver": "sgd"}, "adam": {}}


@pytest.mark.parametrize("option", [*OPTIONS, *SOLVERS])
def test_training_goes_on_as_without_the_file(option, tmp_path):
    params = {"random_state": 0, **{**OPTIONS, **SOLVERS}[option]}
    estimator = deep(**params, batch_size=20).fit(X, NAMES)
    again = through_file(estimator, tmp_path)
    assert_same_net(again, estimator)
    assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))
    assert again.net_.history == estimator.net_.history
    for each in (estimator, again):
        each.set_params(early_stopping=False)
        each.partial_fit(X, NAMES).partial_fit(X, NAMES)
    assert again.loss_curve_ == estimator.loss_curve_
    assert again.history_.keys() == estimator.history_.keys()
    assert_same_net(again, estimator)
    assert_array_equal(again.predict_proba(X), estimator.predict_proba(X))


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_warm_start_goes_on_as_without_the_file(solver, tmp_path):
    estimator = deep(solver=solver, warm_start=True, random_state=0).fit(X, y3)
    again = through_file(estimator, tmp_path)
    for each in (estimator, again):
        each.fit(X, y3)
    assert again.loss_curve_ == estimator.loss_curve_
    assert_same_net(again, estimator)


@pytest.mark.parametrize("activation", TRAINABLE)
def test_every_activation_is_known(activation, tmp_path):
    estimator = deep(activation=activation, max_iter=1).fit(X, y3)
    assert_array_equal(through_file(estimator, tmp_path).predict(X), estimator.predict(X))


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("squared_error", X[:, 0]),
        ("absolute_error", X[:, :2]),
        ("huber", X[:, 0]),
        ("poisson", np.abs(X[:, 0])),
        ("gamma", np.abs(X[:, 0])),
        ("gaussian_nll", X[:, 0]),
        ("bounded", X[:, 0]),
        ("ordered_bins", X[:, :2]),
        ("quantile", X[:, 0]),
    ],
)
def test_every_loss_of_a_regressor_is_known(loss, y, tmp_path):
    estimator = DeepMLPRegressor(loss, max_iter=2, random_state=0).fit(X, y)
    again = through_file(estimator, tmp_path)
    assert_array_equal(again.predict(X), estimator.predict(X))
    assert_array_equal(again.partial_fit(X, y).predict(X), estimator.partial_fit(X, y).predict(X))


@pytest.mark.parametrize("y", [y2, NAMES, LABELS], ids=["two", "text", "labels"])
def test_targets_of_all_kinds_are_known(y, tmp_path):
    estimator = deep(random_state=0).fit(X, y)
    again = through_file(estimator, tmp_path)
    assert_array_equal(again.predict(X), estimator.predict(X))
    assert again.classes_.dtype == estimator.classes_.dtype
    assert again.predict(X).dtype == estimator.predict(X).dtype


def test_pipelines_and_column_transformers_are_known(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": X[:, 0], "b": NAMES})
    front = make_column_transformer((StandardScaler(), ["a"]), (OneHotEncoder(), ["b"]))
    model = make_pipeline(front, deep(random_state=0)).fit(frame, y2)
    again = through_file(model, tmp_path)
    assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))


@pytest.mark.parametrize("scale", ["standard", "robust", "quantile", None])
def test_tables_of_mixed_columns_are_known(scale, tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "number": np.where(X[:, 0] > 1, np.nan, X[:, 0]),
            "text": np.where(X[:, 1] > 1, None, NAMES),
            "many": pd.Series([f"level {i % 20}" for i in range(60)], dtype="category"),
            "whole": pd.Series(np.arange(60) % 12 - 6).astype("category"),
            "flag": X[:, 2] > 0,
        }
    )
    model = deep(scale=scale, random_state=0).fit(frame, y3)
    again = through_file(model, tmp_path)
    assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))
    for each in (model, again):
        each.partial_fit(frame, y3)
    assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))


def test_sequences_are_known(tmp_path):
    strings = ["".join(row) for row in rng_.choice(list("ACGTN"), (60, 12))]
    for params in ({"n_conv_layers": 2, "pooling": 2}, {"reverse_complement": True}):
        model = SequenceCNNClassifier(max_iter=3, random_state=0, **params).fit(strings, y2)
        again = through_file(model, tmp_path)
        assert_array_equal(again.predict_proba(strings), model.predict_proba(strings))
        for each in (model, again):
            each.set_params(early_stopping=False).partial_fit(strings, y2)
        assert_array_equal(again.predict_proba(strings), model.predict_proba(strings))


@pytest.mark.parametrize("embedding", ["piecewise", "periodic", None])
def test_tables_are_known(tmp_path, embedding):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abc"))
    frame["town"] = [f"town {i % 15}" for i in range(len(frame))]
    params = {"max_iter": 2, "numerical_embedding": embedding, "random_state": 0}
    model = TabularMLPClassifier(**params).fit(frame, y3)
    again = through_file(model, tmp_path)
    assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))
    assert_array_equal(again.feature_importances_, model.feature_importances_)
    model = TabularMLPRegressor(**params).fit(frame, X[:, 0])
    again = through_file(model, tmp_path)
    assert_array_equal(again.predict(frame, return_std=True), model.predict(frame, return_std=True))


def test_batched_searches_are_known(tmp_path):
    search = BatchedGridSearchCV(deep(random_state=0), {"alpha": [0.1, 1.0]}, cv=2).fit(X, y3)
    again = through_file(search, tmp_path)
    assert again.best_params_ == search.best_params_
    assert_array_equal(again.predict_proba(X), search.predict_proba(X))


TABLE = pd.DataFrame({"a": X[:, 0], "group": np.array(["x", "y", "z"])[np.arange(len(X)) % 3]})
ALONE = {
    "TabularEncoder": lambda: TabularEncoder(scale="robust").fit(TABLE),
    "TabularEncoder of quantiles": lambda: TabularEncoder(scale="quantile", max_one_hot=0).fit(
        TABLE
    ),
    "DNAOneHotEncoder": lambda: DNAOneHotEncoder().fit(["ACGT", "TTGC"]),
    "RegionsToSequences": lambda: RegionsToSequences("genome.fa"),
    "Motif": lambda: Motif("site", np.full((5, 4), 5.0), 20),
    "Regions": lambda: Regions.of([("chr1", 2, 9)]),
    "ThresholdUnit": lambda: ThresholdUnit([1.0, 1.0], 2.0),
    "ThresholdNetwork": lambda: ThresholdNetwork.from_expression("a & (b | ~c)"),
}


def make_comparable(thing):
    """Return an object's state as text; the type of each part too."""
    state = vars(thing) if hasattr(thing, "__dict__") else thing
    if not isinstance(state, dict):
        return (
            repr(state) if not isinstance(thing, list | tuple) else [*map(make_comparable, thing)]
        )
    return type(thing).__name__, {k: make_comparable(v) for k, v in state.items()}


@pytest.mark.parametrize("kind", ALONE)
def test_encoders_and_what_is_no_estimator_survive_alone(kind, tmp_path):
    thing = ALONE[kind]()
    sio.dump(thing, tmp_path / "thing.skops")
    again = sio.load(tmp_path / "thing.skops", trusted_types())
    assert make_comparable(again) == make_comparable(thing)
    if hasattr(thing, "transform") and kind != "RegionsToSequences":
        rows = TABLE if kind.startswith("Tabular") else ["ACGT", "NNGC"]
        assert_array_equal(again.transform(rows), thing.transform(rows))


def test_an_unfitted_estimator_survives(tmp_path):
    again = through_file(deep(random_state=0), tmp_path)
    assert_array_equal(
        again.fit(X, y3).predict_proba(X), deep(random_state=0).fit(X, y3).predict_proba(X)
    )


class OwnModule(torch.nn.Module):
    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.first = torch.nn.Linear(n_inputs, 4)
        self.last = torch.nn.Linear(4, n_outputs)
        self.first.bias = self.last.bias if n_outputs == 4 else self.first.bias
        self.kind = torch.float32
        self.sizes = {"in": [torch.tensor([n_inputs], dtype=torch.bfloat16)]}
        self.register_buffer("shift", torch.full((4,), 0.25))

    def forward(self, rows):
        return self.last(torch.tanh(self.first(rows) + self.shift))


def own_cost(output, target):
    return (output - target).square()


@pytest.mark.parametrize("trip", ["skops", "pickle", "deepcopy"])
def test_a_module_and_a_loss_of_ones_own_survive(trip, tmp_path):
    y = np.eye(4)[np.arange(60) % 4]
    model = DeepMLPRegressor(own_cost, module=OwnModule, max_iter=3, random_state=0).fit(X, y)
    if trip == "skops":
        with pytest.raises(sio.exceptions.UntrustedTypesFoundException, match="OwnModule"):
            through_file(model, tmp_path)
        again = through_file(model, tmp_path, OwnModule, "tests.test_persistence.own_cost")
    else:
        again = pickle.loads(pickle.dumps(model)) if trip == "pickle" else copy.deepcopy(model)
    module = again.module_
    assert module.first.bias is module.last.bias  # one parameter in two places
    assert module.kind is torch.float32
    assert module.sizes["in"][0].dtype is torch.bfloat16
    assert module.sizes["in"][0].item() == 3
    assert_array_equal(again.predict(X), model.predict(X))
    assert_array_equal(again.partial_fit(X, y).predict(X), model.partial_fit(X, y).predict(X))
    assert again.net_.module is module
    held = {id(p) for group in again.net_.optimizer_.param_groups for p in group["params"]}
    assert held == {id(p) for p in module.parameters()}


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_that_was_interrupted_goes_on_from_a_file(early_stopping, tmp_path):
    params = {"random_state": 0, "max_iter": 6, "warm_start": True, "dropout": 0.1}
    params.update(early_stopping=early_stopping, batch_size=20, callbacks=[Press("before step", 8)])
    part = deep(**params)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        part.fit(X, y3)
    assert part.n_iter_ == 2
    again = through_file(part.set_params(callbacks=None), tmp_path)
    assert again._result.resume.state["order"] is not None
    assert again.fit(X, y3).loss_curve_ == part.fit(X, y3).loss_curve_
    assert again.n_iter_ == 6
    assert_same_net(again, part)


@pytest.mark.parametrize("how", ["skops", "pickle"])
def test_a_file_grows_neither_with_samples_nor_twice_with_the_network(how, tmp_path):
    def size(n_copies, width):
        model = deep(hidden_layer_sizes=(width,), random_state=0, solver="sgd", momentum=0)
        model.fit(np.tile(X, (n_copies, 1)), np.tile(y3, n_copies))
        if how == "pickle":
            return len(pickle.dumps(model))
        sio.dump(model, tmp_path / "a", compression=zipfile.ZIP_DEFLATED)
        return (tmp_path / "a").stat().st_size

    small = size(1, 5)
    assert size(100, 5) < small + 1000  # X alone has 144 kB
    growth = size(1, 5005) - small
    assert growth < 1.1 * 5000 * (3 + 1 + 3) * 8


def test_a_net_on_a_device_that_is_not_here_loads_on_the_cpu(tmp_path, monkeypatch):
    estimator = deep(random_state=0).fit(X, y3)
    twin = copy.deepcopy(estimator)
    estimator.net_.device = "cuda:7"
    sio.dump(estimator, tmp_path / "a")
    with pytest.warns(UserWarning, match=r"saved on device 'cuda:7', which torch .* cannot use"):
        again = sio.load(tmp_path / "a", trusted=trusted_types())
    assert again.device_ == "cpu"
    assert_array_equal(again.predict_proba(X), twin.predict_proba(X))
    assert_array_equal(again.partial_fit(X, y3).coefs_[0], twin.partial_fit(X, y3).coefs_[0])


def test_every_trusted_name_exists():
    for name in trusted_types():
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name


def test_nothing_that_is_trusted_is_a_function_that_does_more_than_arithmetic():
    functions = [n for n in trusted_types()[1:] if n.rpartition(".")[2].islower()]
    assert trusted_types()[0] == "numpy.dtype"
    assert functions == [
        f"sknn.engine.losses._loss.{n}" for n in ("apply_sigmoid", "apply_softmax", "keep_raw")
    ]


def test_what_is_trusted_is_what_is_marked_or_an_estimator():
    for path in sorted(Path(sknn.__file__).parent.rglob("*.py")):
        parts = path.relative_to(Path(sknn.__file__).parents[1]).with_suffix("").parts
        if parts[-1] not in ("__init__", "__main__"):
            try:
                import_module(".".join(parts))
            except ImportError:  # the names of an older package, or an optional one
                continue
    roots = {SavedState, DeepEstimator}
    assert {root.__name__ for root in roots} == set(ROOTS)
    estimators, before = set(roots), 0
    while len(estimators) > before:
        before = len(estimators)
        estimators |= {kind for cls in estimators for kind in cls.__subclasses__()}
    estimators -= roots
    names = {f"{kind.__module__}.{kind.__name__}" for kind in estimators}
    ours = {name for name in trusted_types() if name.startswith("sknn.")}
    tests = {name for name in SAVED | names if not name.startswith("sknn.")}
    assert ours == (SAVED | names) - tests


def test_trusted_types_are_found_without_torch():
    code = "import sys, sknn.persistence as p; p.trusted_types(); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


@pytest.mark.parametrize("make", [DeepMLPClassifier, PerceptronClassifier, TabularEncoder])
@pytest.mark.parametrize("package", ["sknn", "scikit-learn", "torch"])
def test_another_version_warns_as_scikit_learn_does(make, package):
    estimator = make().fit(X, y2)
    state = estimator.__getstate__()
    assert dict(find_versions("sklearn"))["sknn"] == state[VERSIONS]["sknn"] == sknn.__version__
    if package not in state[VERSIONS]:
        assert (make, package) != (DeepMLPClassifier, "torch")
        return
    state[VERSIONS] = {**state[VERSIONS], package: "0.0.1"}
    again = make.__new__(make)
    with pytest.warns(InconsistentVersionWarning, match=rf"from version {package} 0\.0\.1") as seen:
        again.__setstate__(state)
    assert seen[0].filename == __file__
    assert vars(again).keys() == vars(estimator).keys()
    del state[VERSIONS]
    with pytest.warns(InconsistentVersionWarning, match=r"sknn \?"):
        make.__new__(make).__setstate__(state)


@pytest.mark.parametrize(
    "value",
    [
        pd.Interval(0.5, 1.5, "left"),
        pd.Interval(pd.Timestamp("2020"), pd.Timestamp("2021")),
        pd.Period("2020Q1"),
        pd.Timestamp("2020-01-01 12:00:00.123456789"),
        pd.Timestamp("2020", tz="Europe/Berlin"),
        pd.Timedelta("1D 3s"),
        datetime.date(2020, 1, 1),
        datetime.datetime(2020, 1, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
        datetime.time(1, 2),
        datetime.timedelta(1, 2, 3),
        Decimal("1.50"),
        {True: 1.0, False: [pd.Interval(0, 1)]},
        ["a", (1, {"b": {None: 2}})],
    ],
    ids=repr,
)
def test_levels_and_keys_are_plain_in_files_and_come_back(value):
    plain = to_plain(value)
    assert plain is not value
    again = from_plain(sio.loads(sio.dumps(plain), trusted_types()))
    assert again == value
    assert type(again) is type(value)


def test_what_is_plain_already_stays_itself():
    value = {"a": [1, "b", (None, 2.5, True)], 3: {}}
    assert to_plain(value) is value
    assert from_plain(value) is value
    with pytest.raises(ValueError, match=r"unknown kind 'os.system'; expected one of"):
        from_plain(PlainValue("os.system", ("ls",)))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("more", 1, r"has parts that are unknown, or lacks some: \['more'\]"),
        ("history", None, "has history=None, which is no plain value"),
        ("precision", "half", "has precision='half'"),
        ("module", [1], r"has module=\[1\]"),
        ("schedule", {}, r"has schedule=\{\}"),
        ("arguments", [], r"has arguments=\[\]"),
        ("arguments.predict_nonlinearity", len, r"has arguments that .*\['predict_nonlinearity'\]"),
        ("arguments.optimizer", dict, "has optimizer=<class 'dict'>"),
        ("arguments.lr", eval, "has lr=<built-in function eval>"),
        ("arguments.optimizer__eps", {"a": [print]}, "has optimizer__eps="),
        ("arguments.torch_load_kwargs", {"weights_only": False}, "has torch_load_kwargs="),
    ],
)
def test_a_net_is_made_of_plain_values_under_known_names_alone(part, value, message):
    net = deep(max_iter=1).fit(X, y3).net_
    state = copy.copy(net.__getstate__())
    part, _, name = part.partition(".")
    state[part] = {**state[part], name: value} if name else value
    with pytest.raises(ValueError, match=message):
        type(net).__new__(type(net)).__setstate__(state)
    del state["loss"]
    with pytest.raises(ValueError, match=r"lacks some: .*'loss'"):
        type(net).__new__(type(net)).__setstate__(state)


def test_a_file_of_a_network_that_never_goes_on_has_no_moments():
    wide = TabularMLPRegressor(max_iter=2, hidden_width=256, random_state=0).fit(X, X[:, 0])
    n_bytes = sum(p.numel() * p.element_size() for p in wide.module_.parameters())
    assert len(pickle.dumps(wide)) < 1.15 * n_bytes


@pytest.mark.parametrize("name", ["load", "nn", "no_such_thing"])
def test_a_file_cannot_reach_for_torchs_functions_as_dtypes(name):
    estimator = deep(max_iter=1).fit(X, y3)
    state = estimator.net_.__getstate__()
    state["module"].state["layer_sizes"] = import_module(
        "sknn.engine.net._serialization"
    ).PlainDtype(name)
    with pytest.raises(ValueError, match=f"must name dtypes of torch.*got '{name}'"):
        type(estimator.net_).__new__(type(estimator.net_)).__setstate__(state)


@pytest.mark.parametrize("option", ["plain", "dropout", "batch"])
def test_save_params_works_with_safetensors(option, tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    params = OPTIONS.get(option, {})
    estimator = deep(random_state=0, **params).fit(X, y3)
    estimator.net_.save_params(tmp_path / "p.safetensors", use_safetensors=True)
    other = deep(random_state=1, **params).fit(X, y3)
    assert not np.array_equal(other.predict_proba(X), estimator.predict_proba(X))
    other.net_.load_params(tmp_path / "p.safetensors", use_safetensors=True)
    assert_same_net(other, estimator)
    assert_array_equal(other.predict_proba(X), estimator.predict_proba(X))
