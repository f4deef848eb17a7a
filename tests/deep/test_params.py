"""Parameters of training are one table, which constraints, configuration and searches read."""

from dataclasses import fields

import numpy as np
import pytest

from sknn import DeepMLPRegressor
from sknn._specs import TrainConfig
from sknn.deep._params import FOR_TRAINING_ALONE, TRAINING_PARAMS, read_training_params
from tests.instances import INSTANCES

#: fields of the configuration that an estimator fills in from several parameters, or by itself
CHOSEN = {
    "precision",
    "stop_on_loss",
    "auto_batch_size",
    "runs_to_the_end",
    "n_restarts",
    "averaged_epochs",
    "patience_share",
    "scores_training_samples",
    "score_name",
    "scores_start",
    "solver_params",
    "learning_rate_params",
}
#: a constraint of an estimator's own in place of that of the table -> why
OWN_CONSTRAINTS = {
    ("SequenceCNNClassifier", "early_stopping"): "'auto' follows the number of samples",
    ("SequenceCNNRegressor", "early_stopping"): "'auto' follows the number of samples",
    ("TabularMLPClassifier", "n_iter_no_change"): "it always stops early, so never inf",
    ("TabularMLPRegressor", "n_iter_no_change"): "it always stops early, so never inf",
    ("TabularMLPClassifier", "solver"): "the defaults of the others are for these two",
    ("TabularMLPRegressor", "solver"): "the defaults of the others are for these two",
}


def is_deep(cls):
    return cls.__module__.startswith("sknn.deep")


def test_each_field_of_the_configuration_is_a_parameter_or_chosen_by_estimators():
    names = {field.name for field in fields(TrainConfig)}
    assert names - set(TRAINING_PARAMS) == CHOSEN


@pytest.mark.parametrize("cls", [*filter(is_deep, INSTANCES)], ids=lambda cls: cls.__name__)
def test_constraints_of_shared_parameters_are_those_of_the_table(cls):
    own = {
        name
        for name, constraint in cls._parameter_constraints.items()
        if name in TRAINING_PARAMS and constraint is not TRAINING_PARAMS[name].constraint
    }
    assert own == {name for of, name in OWN_CONSTRAINTS if of == cls.__name__}


def test_configuration_has_the_values_of_the_estimator_as_plain_numbers():
    read = read_training_params(DeepMLPRegressor(max_grad_norm=np.float32(0.5), max_iter=7))
    assert read["max_grad_norm"] == 0.5
    assert type(read["max_grad_norm"]) is float
    assert read["max_iter"] == 7
    assert "random_state" not in read  # of the estimator, not of the engine


def test_parameters_that_a_search_may_change_after_preparation_are_fields_of_the_configuration():
    assert {field.name for field in fields(TrainConfig)} >= FOR_TRAINING_ALONE
    assert "early_stopping" not in FOR_TRAINING_ALONE
