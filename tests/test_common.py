"""scikit-learn's estimator checks on every class."""

import pytest
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import sknn
from sknn import model_selection
from tests.instances import FLOOR, INSTANCES, expected_failures

ALL = [instance for instances in INSTANCES.values() for instance in instances]


@parametrize_with_checks(ALL, expected_failed_checks=expected_failures)
def test_estimator_check(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_enough_checks_run_and_none_fails(cls):
    """A check that stops being collected must be noticed as much as one that fails."""
    results = check_estimator(INSTANCES[cls][0], on_skip=None, on_fail="raise")
    passed = [result["check_name"] for result in results if result["status"] == "passed"]
    assert len(passed) >= FLOOR[cls]
    skipped = {result["check_name"] for result in results if result["status"] == "skipped"}
    assert skipped <= {"check_array_api_input"}  # needs SCIPY_ARRAY_API=1 for any estimator
    wanted = {"check_sample_weight_equivalence_on_dense_data", "check_classifiers_train"}
    if "class_weight" in cls().get_params():
        wanted.add("check_class_weight_classifiers")
    if not issubclass(cls, tuple(c for c in INSTANCES if "Classifier" in c.__name__)):
        wanted = {"check_sample_weight_equivalence_on_dense_data", "check_regressors_train"}
    assert wanted <= set(passed)


def test_every_public_estimator_is_checked():
    public = {name for name in sknn.__all__ if name[0].isupper()}
    public |= {name for name in model_selection.__all__ if name.startswith("Deep")}
    assert public == {cls.__name__ for cls in INSTANCES}
