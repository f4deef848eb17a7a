"""Parameters that have no effect beside others are named, in an error or a warning."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    SequenceCNNClassifier,
    TabularMLPRegressor,
)
from sknn.deep.parts._effects import EFFECTS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).randn(40, 3)
Y = np.repeat([0, 1], 20)
TABLE = {"n_members": 2, "max_iter": 1, "random_state": 0}
PLAIN = {"max_iter": 1, "random_state": 0}
#: parameters that lack something -> what a warning says
USELESS = {
    "weight_decay": (DeepMLPClassifier, {"weight_decay": 0.5}, "needs solver='adamw'"),
    "solver": (DeepMLPRegressor, {"solver": "muon", "hidden_layer_sizes": ()}, "hidden layers"),
    "l1_ratio": (DeepMLPRegressor, {"l1_ratio": 0.5, "alpha": 0.0}, "needs alpha above 0"),
    "noise": (AutoencoderTransformer, {"kind": "plain", "noise": 0.5}, "needs kind='denoising'"),
    "mask_fraction": (
        AutoencoderTransformer,
        {"kind": "variational", "mask_fraction": 0.9},
        "needs kind='denoising' or 'masked'",
    ),
    "kl_weight": (AutoencoderTransformer, {"kl_weight": 0.5, "kind": "plain"}, "'variational'"),
    "n_neighbors": (
        AutoencoderOutlierDetector,
        {"n_neighbors": 7, "criterion": "reconstruction"},
        "needs criterion='both' or 'distance'",
    ),
    "trim_fraction": (
        AutoencoderOutlierDetector,
        {"trim_fraction": 0.2, "criterion": "reconstruction"},
        "needs criterion='both' or 'distance'",
    ),
    "embedding_width": (
        TabularMLPRegressor,
        {"embedding_width": 3, "numerical_embedding": None, "n_members": 2},
        "needs a numerical_embedding",
    ),
    "dropout": (DeepMLPClassifier, {"dropout": 0.2, "hidden_layer_sizes": ()}, "hidden layers"),
    "normalization": (
        DeepMLPClassifier,
        {"normalization": "layer", "n_hidden_layers": 0},
        "needs hidden layers",
    ),
    "hidden_width": (
        TabularMLPRegressor,
        {"hidden_width": 8, "n_hidden_layers": 0, "n_members": 2},
        "needs hidden layers",
    ),
    "scoring": (DeepMLPClassifier, {"scoring": "accuracy"}, "needs held-out samples"),
}


def test_each_parameter_of_the_table_is_tried():
    assert {*USELESS} == {*EFFECTS, "scoring"}


@pytest.mark.parametrize("name", USELESS)
def test_a_parameter_without_effect_is_named(name):
    cls, params, match = USELESS[name]
    with pytest.warns(UserWarning, match=rf"{name}=.* has no effect: {name} .*{match}"):
        cls(**PLAIN, **params).fit(X, Y)


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (DeepMLPClassifier, {"weight_decay": 0.5, "solver": "adamw", "dropout": 0.1}),
        (DeepMLPClassifier, {"scoring": "accuracy", "early_stopping": True}),
        (DeepMLPRegressor, {"l1_ratio": 0.5, "momentum": 0.5, "beta_1": 0.5, "power_t": 0.1}),
        (DeepMLPRegressor, {"validation_fraction": 0.3}),  # as scikit-learn's
        (AutoencoderTransformer, {"kind": "masked", "mask_fraction": 0.1}),
        (TabularMLPRegressor, {"weight_decay": 0.1, "scoring": "r2", "n_members": 2}),
    ],
)
def test_parameters_with_an_effect_and_those_of_scikit_learn_are_not_named(cls, params):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cls(**PLAIN, **params).fit(X, Y)
    assert {warning.category for warning in caught} <= {ConvergenceWarning}


def test_dropout_of_filters_has_an_effect_without_hidden_layers():
    model = SequenceCNNClassifier(hidden_layer_sizes=(), dropout=0.1, kernel_size=2, **PLAIN)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(["ACGT", "TTTA"] * 10, [0, 1] * 10)
    assert not [warning for warning in caught if "has no effect" in str(warning.message)]
