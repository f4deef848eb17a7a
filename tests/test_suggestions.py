"""Errors about names and values that other packages have, or that are slips, say what to write."""

import inspect

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sknn import (
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    PerceptronClassifier,
    SequenceCNNClassifier,
    TabularMLPClassifier,
    ThresholdLogicClassifier,
)
from sknn._sklearn import validate_parameter_constraints
from sknn._suggestions import (
    PARAMETERS,
    VALUES,
    read_defaults,
    suggest_parameter,
    suggest_value,
)
from sknn.export import export_onnx
from sknn.inspection import NetworkDiagramDisplay, forward_pass
from sknn.model_selection import (
    BatchedGridSearchCV,
    DeepEnsembleClassifier,
    batched_cross_validate,
)
from sknn.preprocessing import DNAOneHotEncoder, TabularEncoder
from tests.instances import INSTANCES

X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 2

NAMES = [
    (DeepMLPClassifier, "lr", "learning_rate_init"),
    (DeepMLPClassifier, "epochs", "max_iter"),
    (DeepMLPClassifier, "optimizer", "solver"),
    (DeepMLPClassifier, "hiden_layer_sizes", "hidden_layer_sizes"),
    (DeepMLPRegressor, "criterion", "loss"),
    (TabularMLPClassifier, "patience", "n_iter_no_change"),
    (TabularMLPClassifier, "num_layers", "n_hidden_layers"),
    (SequenceCNNClassifier, "filters", "n_filters"),
    (AutoencoderTransformer, "latent_dim", "n_components"),
    (PerceptronClassifier, "seed", "random_state"),
    (ThresholdLogicClassifier, "threshhold", "threshold"),
    (DeepEnsembleClassifier, "n_estimators", "n_members"),
    (TabularEncoder, "cat_features", "categorical_features"),
    (DNAOneHotEncoder, "vocabulary", "alphabet"),
]


@pytest.mark.parametrize(("cls", "name", "meant"), NAMES)
def test_an_unknown_parameter_is_answered_by_the_one_that_is_meant(cls, name, meant):
    with pytest.raises(TypeError, match=rf"argument '{name}'\. Write '{meant}' for '{name}'\."):
        cls(**{name: 1})


def test_set_params_and_searches_answer_in_the_same_way():
    with pytest.raises(ValueError, match=r"Invalid parameter 'lr'.* Write 'learning_rate_init'"):
        DeepMLPClassifier().set_params(lr=0.1)
    search = BatchedGridSearchCV(DeepMLPClassifier(max_iter=1), {"max_epochs": [1]})
    with pytest.raises(ValueError, match=r"Write 'max_iter' for 'max_epochs'\."):
        search.fit(X, Y)
    with pytest.raises(ValueError, match=r"Invalid parameter 'zzz'.*\]\.$"):
        DeepMLPClassifier().set_params(zzz=1)


WRONG_VALUES = [
    (DeepMLPClassifier(activation="ReLU"), r"Got 'ReLU' instead\. Write 'relu'\."),
    (DeepMLPClassifier(loss="cross_entropy"), r"'sknn.losses.ClassLoss'.* Write 'log_loss'\."),
    (DeepMLPClassifier(initializer="xavier"), r"Write 'glorot_uniform'\."),
    (DeepMLPClassifier(solver="L-BFGS"), r"Write 'lbfgs'\."),
    (DeepMLPClassifier(learning_rate=0.1), r"a schedule; the rate itself is learning_rate_init"),
    (DeepMLPClassifier(class_weight="balance"), r"Write 'balanced'\."),
    (DeepMLPRegressor(loss="mse"), r"Write 'squared_error'\."),
    (DeepMLPClassifier(pretrained="x"), r"an instance of 'sknn.AutoencoderTransformer' or None"),
    (AutoencoderTransformer(kind="denoise"), r"\{'denoising', .*Write 'denoising'\."),
    (AutoencoderTransformer(np.ones((99, 9))), r"\.\.\. instead\. Samples .* arguments of fit"),
    (DeepMLPClassifier(np.ones((99, 9))), r"layer; got array\(.* in array\(.*\.\.\.\.$"),
    (PerceptronClassifier(update="SGD"), r"Write 'online'\."),
    (DeepEnsembleClassifier(n_members=0), "n_members' parameter of DeepEnsembleClassifier"),
    (TabularEncoder(scale="standart"), r"Write 'standard'\."),
]


@pytest.mark.parametrize(
    ("estimator", "message"), WRONG_VALUES, ids=lambda v: v if isinstance(v, str) else None
)
def test_a_wrong_value_is_answered_by_the_one_that_is_meant(estimator, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, Y)


@pytest.mark.parametrize("ours", PARAMETERS)
def test_each_parameter_of_the_table_exists_and_is_found(ours):
    known = {name for cls in [*INSTANCES, TabularEncoder] for name in cls().get_params(deep=False)}
    assert ours in known
    for name in PARAMETERS[ours]:
        assert suggest_parameter(name, [ours]) == f" Write {ours!r} for {name!r}."


@pytest.mark.parametrize("ours", VALUES)
def test_each_value_of_the_table_is_found(ours):
    for name in VALUES[ours]:
        assert suggest_value(name.upper(), [ours, "other"]) == f" Write {ours!r}."


def test_what_resembles_nothing_is_answered_by_nothing():
    assert suggest_parameter("zzz", ["max_iter"]) == ""
    assert suggest_value("zzz", ["relu"]) == ""
    assert suggest_value(3, ["relu"]) == ""


TAKERS = {
    "a cross-validation": lambda cls: batched_cross_validate(cls, X, Y),
    "an ensemble": lambda cls: DeepEnsembleClassifier(cls).fit(X, Y),
    "an export": lambda cls: export_onnx(cls),
    "a Display": lambda cls: NetworkDiagramDisplay.from_estimator(cls, draw=False),
    "a forward pass": lambda cls: forward_pass(cls, X),
}


@pytest.mark.parametrize("taker", TAKERS)
def test_a_class_in_place_of_an_estimator_is_named(taker):
    pytest.importorskip("onnx", reason="sknn[onnx] is not installed")
    with pytest.raises(TypeError, match=r"got the class DeepMLPC.*Write DeepMLPClassifier\(\)\."):
        TAKERS[taker](DeepMLPClassifier)


#: methods that make, train or describe, and are therefore called before fit
BEFORE_FIT = {"get_params", "set_params", "get_metadata_routing", "set_output", "set_callbacks"}


def list_readers(cls):
    """Return the public methods of a class that need nothing but X, or nothing, after fit."""
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        own = method.__module__.startswith("sknn.") and not name.startswith(("_", "fit", "set_"))
        if own and name not in BEFORE_FIT | {"partial_fit"}:
            yield name


@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_what_is_called_before_fit_says_so(cls):
    letters = cls.__name__.startswith("Sequence")
    given = {"X": ["ACGT" * 8] if letters else X, "y": Y[:1] if letters else Y}
    for name in list_readers(cls):
        method = getattr(cls(), name, None)
        if method is None:  # there after some fits alone
            continue
        needed = [
            p.name
            for p in inspect.signature(method).parameters.values()
            if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        ]
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            method(**{key: given.get(key, X) for key in needed})


@pytest.mark.parametrize("cls", sorted(INSTANCES, key=lambda cls: cls.__name__))
def test_defaults_that_validation_does_not_look_at_are_right(cls):
    defaults = dict(read_defaults(cls))
    assert defaults
    validate_parameter_constraints(cls._parameter_constraints, defaults, caller_name=cls.__name__)
