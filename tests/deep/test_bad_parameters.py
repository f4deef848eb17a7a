"""Parameters out of range, and devices that are not there, by name."""

import numpy as np
import pytest
import torch
from sklearn.utils._param_validation import InvalidParameterError

from sknn._validation import check_layer_sizes, make_local_random_state
from sknn.architectures import MLP
from sknn.engine import resolve_device
from tests.deep.quick import X, classifier, regressor, y

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


OUT_OF_RANGE = {
    "hidden_layer_sizes": [0, -3, None, "abc", 2.5, {"a": 3}.items],
    "activation": ["rely", None, 3],
    "l1_ratio": [-0.1, 1.1, None],
    "weight_decay": [-0.1, None],
    "warmup_epochs": [-1, None],
    "max_grad_norm": [0, -1, "1"],
    "n_hidden_layers": [-1, 2.5],
    "hidden_width": [0, 2.5],
    "dropout": [-0.1, 1.0, None],
    "normalization": ["group", 1],
    "residual": [None, "yes"],
    "initializer": ["xavier", None],
    "module": ["MLP", 3],
    "scoring": [3],
    "callbacks": ["bar", 3],
    "categorical_features": ["all", 3],
    "text_features": ["all", 3],
    "target_encoding": [-1, 2.5, "auto"],
    "pretrained": ["autoencoder", 3],
    "freeze_epochs": [-1, 2.5, None],
    "scale": ["minmax", 3],
    "compile": [None, "yes"],
    "solver": ["adamax", None],
    "alpha": [-1e-9, "0", None],
    "batch_size": [0, -1, 0.5, "all", None],
    "learning_rate": ["slow", 0.1, None],
    "learning_rate_init": [0, -0.1, "0.1", None],
    "power_t": [-0.5, None],
    "max_iter": [0, -1, 2.5, None],
    "shuffle": [None, "yes"],
    "random_state": [-1, "0", 0.5],
    "tol": [-1e-9, None, "1"],
    "checkpoint": [1, True],
    "checkpoint_every": [0, 1.5],
    "n_processes": [0, 1.5, "all"],
    "verbose": [-1, "yes", None],
    "warm_start": [None, "no"],
    "momentum": [-0.1, 1.1, None],
    "nesterovs_momentum": [None, 2.5],
    "early_stopping": [None, "auto"],
    "validation_fraction": [-0.1, 1.0, 1.5, None],
    "beta_1": [-0.1, 1.0, None],
    "beta_2": [-0.1, 1.0, None],
    "epsilon": [0, -1e-8, None],
    "n_iter_no_change": [0, -1, 2.5, -np.inf, None],
    "max_fun": [0, 1.5, None],
    "device": [None, 0],
    "dtype": ["float16", None, np.float32],
}
CLASSIFIER_ONLY = {
    "loss": ["squared_error", None],
    "label_smoothing": [-0.1, 1.0, None],
    "class_weight": ["fair", 3],
}
REGRESSOR_ONLY = {
    "loss": ["log_loss", None],
    "quantile": [0, 1.0, "median"],
    "standardize_target": [None, "yes"],
}
BAD_PARAMETERS = [
    (make, name, value)
    for make in (classifier, regressor)
    for name, values in {
        **OUT_OF_RANGE,
        **(REGRESSOR_ONLY if make is regressor else CLASSIFIER_ONLY),
    }.items()
    for value in values
]


@pytest.mark.parametrize(("make", "name", "value"), BAD_PARAMETERS)
def test_a_parameter_out_of_range_is_named(make, name, value):
    estimator = make(**{name: value})
    before = dict(vars(estimator))
    message = f"The '{name}' parameter of {type(estimator).__name__} must be"
    with pytest.raises(InvalidParameterError, match=message):
        estimator.fit(X, y)
    args = {"classes": [0, 1]} if make is classifier else {}
    if name != "solver":
        with pytest.raises(InvalidParameterError, match=message):
            estimator.partial_fit(X, y, **args)
    assert vars(estimator) == before


@pytest.mark.parametrize("make", [classifier, regressor])
def test_every_parameter_is_in_the_table_of_bad_ones(make):
    names = {name for maker, name, _ in BAD_PARAMETERS if maker is make}
    assert names == set(make().get_params())


@pytest.mark.parametrize(
    ("sizes", "match"),
    [
        ((10, -1), r"hidden_layer_sizes must be > 0, got \[10, -1\]"),
        ((10, 0), r"hidden_layer_sizes must be > 0, got \[10, 0\]"),
        (np.array([3, 0]), "hidden_layer_sizes must be > 0"),
        ((10.5,), r"hidden_layer_sizes must be whole numbers.*got 10\.5 in \(10\.5,\)"),
        ((10.0,), r"must be whole numbers.*got 10\.0"),
        (((3, 4),), r"must be whole numbers.*got \(3, 4\) in \(\(3, 4\),\)"),
        (((3, 4), 5), "hidden_layer_sizes must be whole numbers"),
        (("3",), "must be whole numbers.*got '3'"),
        ((None,), "must be whole numbers.*got None"),
        ((3, True), "must be whole numbers.*got True"),
        ([[3, 4], [5, 6]], r"must be whole numbers.*got \[3, 4\]"),
        (np.ones((2, 2), dtype=int), "must be whole numbers"),
        (np.array([2.0, 3.0]), "must be whole numbers"),
        (np.array(5), "hidden_layer_sizes"),
    ],
    ids=str,
)
def test_bad_layer_sizes_are_named(sizes, match):
    with pytest.raises(ValueError, match=match):
        check_layer_sizes(sizes)
    estimator = classifier(hidden_layer_sizes=sizes)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=match):
        estimator.fit(X, y)
    assert all(vars(estimator)[name] is value for name, value in before.items())
    assert set(vars(estimator)) == set(before)


@pytest.mark.parametrize("sizes", [5, np.int32(5), (5,), [5], np.array([5]), range(5, 6)])
def test_good_layer_sizes_become_a_tuple(sizes):
    assert check_layer_sizes(sizes) == (5,)
    assert check_layer_sizes(()) == ()


def test_a_random_state_is_never_the_global_one():
    assert make_local_random_state(None) is not np.random.mtrand._rand
    own = np.random.RandomState(0)
    assert make_local_random_state(own) is own
    with pytest.raises(ValueError, match="cannot be used to seed"):
        make_local_random_state("seed")


@pytest.mark.parametrize("name", ["heaviside", "sign", "rely"])
def test_an_architecture_refuses_an_activation_without_gradient(name):
    with pytest.raises(ValueError, match=f"activation must be one of .*'relu'.*; got '{name}'"):
        MLP([2, 3, 1], activation=name)


# --- device --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cpu:", "CUDA"])
def test_an_unknown_device_is_an_error_that_lists_known_ones(name):
    with pytest.raises(ValueError, match=f"'cpu', 'cuda', 'cuda:1' or 'mps'; got '{name}'"):
        classifier(device=name).fit(X, y)


@pytest.mark.parametrize("name", ["xpu", "meta", "hpu", "vulkan", "mtia", "xla"])
def test_a_device_that_torch_knows_but_cannot_use_here_is_an_error_that_names_it(name):
    if name == "xpu" and torch.xpu.is_available():
        pytest.skip("there is one")
    with pytest.raises(ValueError, match=f"device.*'{name}'"):
        classifier(device=name).fit(X, y)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_cuda_is_an_error_where_there_is_none(name, solver):
    estimator = classifier(device=name, solver=solver)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=f"device='{name}' was asked for, .* cannot use it here"):
        estimator.fit(X, y)
    assert vars(estimator) == before


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="there is one")
def test_mps_is_an_error_where_there_is_none():
    with pytest.raises(ValueError, match=r"device='mps' was asked for, .* cannot use it here"):
        classifier(device="mps", dtype="float32").fit(X, y)


def test_mps_has_no_float64():
    with pytest.raises(ValueError, match=r"device='mps' has no float64\. Set dtype='float32'"):
        classifier(device="mps").fit(X, y)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_number_beyond_the_last_is_an_error():
    name = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(ValueError, match=f"device='{name}' was asked for"):
        classifier(device=name).fit(X, y)


@pytest.mark.parametrize(
    ("cuda", "mps", "dtype", "chosen"),
    [
        (True, True, "float32", "cuda"),
        (True, False, "float64", "cuda"),
        (False, True, "float32", "mps"),
        (False, True, "float64", "cpu"),
        (False, False, "float32", "cpu"),
    ],
)
def test_auto_takes_the_best_device(monkeypatch, cuda, mps, dtype, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto", dtype) == chosen
