"""The page on skorch names every feature of the installed skorch, and what it says works."""

import copy
import inspect
import re
from pathlib import Path

import pytest
import skorch
import skorch.callbacks
import skorch.helper
import torch
from sklearn.datasets import load_iris
from skorch.helper import SliceDataset

from sknn import DeepMLPClassifier

PAGE = (Path(__file__).parents[2] / "docs" / "guide" / "skorch.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"\b\w+\b", " ".join(re.findall(r"`([^`]+)`", PAGE))))

#: methods that skorch calls itself, or inherits from scikit-learn
INNER = {"check_data", "check_is_fitted", "check_training_readiness", "cuda_dependent_attributes_"}
INNER |= {"init_context_", "initialized_instance", "prefixes_", "torch_compile"}
INNER |= {"get_default_callbacks", "get_metadata_routing", "get_params", "set_params"}
INNER |= {"set_fit_request", "set_partial_fit_request"}
#: the page stands for these by ``initialize`` and ``on_epoch_end``, and says "the like"
LIKE = ("initialize_", "on_")


def _public(thing):
    return {name for name in dir(thing) if not name.startswith("_")}


def test_every_parameter_of_a_net_is_on_the_page():
    parameters = set(inspect.signature(skorch.NeuralNet.__init__).parameters)
    assert parameters - {"self", "kwargs"} <= NAMED


def test_every_method_of_a_net_is_on_the_page():
    methods = {name for name in _public(skorch.NeuralNet) if not name.startswith(LIKE)}
    assert methods - INNER <= NAMED


@pytest.mark.parametrize("module", [skorch, skorch.helper])
def test_every_class_of_a_module_is_on_the_page(module):
    public = {name for name in module.__all__ if not name.isupper()}
    assert public - {"callbacks"} <= NAMED


X, y = load_iris(return_X_y=True)
X = X.astype("float32")
BATCH = torch.tensor(X), torch.tensor(y)

#: what the page says of ``net_``, as calls whose result is not None
ON_NET = {
    "forward": lambda net: net.forward(X),
    "forward_iter": lambda net: list(net.forward_iter(X)),
    "infer": lambda net: net.infer(BATCH[0]),
    "train_step": lambda net: net.train_step(BATCH),
    "train_step_single": lambda net: net.train_step_single(BATCH),
    "validation_step": lambda net: net.validation_step(BATCH),
    "evaluation_step": lambda net: net.evaluation_step(BATCH),
    "get_loss": lambda net: net.get_loss(net.infer(BATCH[0]), BATCH[1]),
    "get_iterator": lambda net: next(iter(net.get_iterator(net.get_dataset(X, y)))),
    "get_split_datasets": lambda net: net.get_split_datasets(X, y),
    "history": lambda net: net.history[-1, "train_loss"],
    "get_params_for": lambda net: net.get_params_for("module"),
    "get_params_for_optimizer": lambda net: net.get_params_for_optimizer(
        "optimizer", net.module_.named_parameters()
    ),
    "get_all_learnable_params": lambda net: list(net.get_all_learnable_params()),
    "SkorchDoctor": lambda net: skorch.helper.SkorchDoctor(net).fit(X, y),
}


@pytest.fixture(scope="module")
def fitted():
    return DeepMLPClassifier(max_iter=2, random_state=0, n_iter_no_change=9).fit(X, y)


@pytest.mark.parametrize("feature", ON_NET)
@pytest.mark.filterwarnings("ignore")
def test_the_net_of_an_estimator_has(feature, fitted):
    assert feature in NAMED
    assert ON_NET[feature](copy.deepcopy(fitted.net_)) is not None


def test_a_trimmed_net_predicts(fitted):
    net = copy.deepcopy(fitted.net_)
    net.trim_for_prediction()
    assert (net.predict_proba(X) == fitted.net_.predict_proba(X)).all()


def test_parameters_saved_by_the_net_are_loaded(fitted, tmp_path):
    path = str(tmp_path / "net.safetensors")
    net, other = copy.deepcopy(fitted.net_), copy.deepcopy(fitted.net_)
    net.save_params(f_params=path, use_safetensors=True)
    with torch.no_grad():
        next(other.module_.parameters()).zero_()
    other.load_params(f_params=path, use_safetensors=True)
    assert (net.predict_proba(X) == other.predict_proba(X)).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_slice_of_a_data_set_is_an_array(fitted):
    data = torch.utils.data.TensorDataset(*BATCH)
    model = DeepMLPClassifier(max_iter=2, random_state=0, n_iter_no_change=9)
    model.fit(SliceDataset(data, 0), SliceDataset(data, 1))
    assert (model.predict_proba(X) == fitted.predict_proba(X)).mean() > 0.99
    assert model.n_features_in_ == 4
    fewer = torch.utils.data.TensorDataset(BATCH[0][:, :3])
    with pytest.raises(ValueError, match="X has 3 features, but DeepMLPClassifier is expecting 4"):
        model.predict(SliceDataset(fewer))
