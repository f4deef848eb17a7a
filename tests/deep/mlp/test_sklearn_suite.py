"""scikit-learn's own tests of its MLP, run on our classes in place of its."""

import pytest

from sknn import DeepMLPClassifier, DeepMLPRegressor
from tests.helpers import load_tests_of_sklearn

#: tests that reach into private attributes of scikit-learn's classes -> which
PRIVATE = {
    "test_fit": "sets coefs_ and a dozen private buffers of an object that was never fitted; its "
    "worked example is test_one_sgd_step_equals_the_worked_example",
    "test_gradient": "calls _loss_grad_lbfgs; see tests/engine/test_lbfgs.py",
    "test_learning_rate_warmstart": "reads _optimizer.learning_rate; see "
    "test_learning_rate_schedules_go_on_as_in_scikit_learn",
    "test_adaptive_learning_rate": "reads _optimizer.learning_rate; see "
    "test_learning_rate_schedules_go_on_as_in_scikit_learn",
    "test_n_iter_no_change": "reads _no_improvement_count; see "
    "test_training_stops_in_the_same_epoch_as_scikit_learn",
    "test_n_iter_no_change_inf": "reads _no_improvement_count; see "
    "test_training_stops_in_the_same_epoch_as_scikit_learn",
}
#: tests whose tolerance rounding may pass by -> why
ROUNDING = {
    "test_mlp_regressor_dtypes_casting": "compares predictions of float32 and float64 after 150 "
    "epochs within a relative 5e-4; of five random states this one, whose units pass a kink of the "
    "ReLU, differs by an absolute 3e-4 and the others by at most 4e-6, as the targets are "
    "standardised here",
}


SUITE = load_tests_of_sklearn(
    "sklearn.neural_network.tests.test_mlp",
    {
        "sklearn.neural_network.MLPClassifier": DeepMLPClassifier,
        "sklearn.neural_network.MLPRegressor": DeepMLPRegressor,
    },
)
for _name, _test in SUITE.items():
    if _name in PRIVATE:
        _test = pytest.mark.skip(reason=f"private: {PRIVATE[_name]}")(_test)
    if _name in ROUNDING:
        _test = pytest.mark.xfail(reason=ROUNDING[_name], strict=True)(_test)
    globals()[_name] = _test


def test_suite_is_whole_and_every_exclusion_exists():
    assert len(SUITE) >= 40
    assert {*PRIVATE, *ROUNDING} <= set(SUITE)
