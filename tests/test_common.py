"""scikit-learn's estimator checks on every class."""

from unittest import SkipTest

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import has_fit_parameter

import sknn
from sknn import model_selection, semi_supervised
from tests.instances import FLOOR, INSTANCES, expected_failures

#: checks that need SCIPY_ARRAY_API=1: tests/deep/test_array_api.py runs them
ARRAY_API = "check_array_api"
#: of so many checks, one at most is made for each instance of a class but the first
N_TURNS = 8
#: end of the name of a class -> a check that must be among those of its kind
TYPICAL = {
    "Classifier": "check_classifiers_train",
    "Regressor": "check_regressors_train",
    "Transformer": "check_transformer_general",
    "OutlierDetector": "check_outliers_train",
}


def list_checks(estimator):
    """Return estimator, check and the mark of a failure that is expected, for each check."""
    failures = expected_failures(estimator)
    checks = estimator_checks_generator(estimator, expected_failed_checks=failures, mark="xfail")
    params = [check if hasattr(check, "marks") else pytest.param(*check) for check in checks]
    return [param for param in params if not name_of(param.values[1]).startswith(ARRAY_API)]


def choose_pairs():
    """Return all checks of the first instance of a class, and some for each other instance.

    Other instances take turns, `N_TURNS` of them at least; the rest is marked as ``full``.
    """
    for first, *others in INSTANCES.values():
        yield from list_checks(first)
        for place, instance in enumerate(others):
            for number, (values, marks, _) in enumerate(list_checks(instance)):
                is_its_turn = number % max(len(others), N_TURNS) == place
                rest = [] if is_its_turn else [pytest.mark.full]
                yield pytest.param(*values, marks=[*marks, *rest])


def name_of(value):
    """Return the name of a check, or an estimator as it is written."""
    return getattr(getattr(value, "func", None), "__name__", None) or repr(value)


@pytest.mark.parametrize(("estimator", "check"), list(choose_pairs()), ids=name_of)
def test_estimator_check(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        raise AssertionError("every check must run") from reason


@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_enough_checks_are_collected(cls):
    """A check that stops being collected must be noticed as much as one that fails."""
    names = [name_of(check.values[1]) for check in list_checks(INSTANCES[cls][0])]
    assert len(names) >= FLOOR[cls]
    has_weights = has_fit_parameter(cls, "sample_weight")
    expected = {"check_sample_weight_equivalence_on_dense_data"} if has_weights else set()
    expected.add(next(check for end, check in TYPICAL.items() if cls.__name__.endswith(end)))
    if "class_weight" in cls().get_params():
        expected.add("check_class_weight_classifiers")
    assert expected <= set(names)


def test_every_public_estimator_is_checked():
    public = {name for name in sknn.__all__ if name[0].isupper()}
    public |= {name for name in model_selection.__all__ if name.startswith("Deep")}
    public |= {name for name in semi_supervised.__all__ if name[0].isupper()}
    assert public == {cls.__name__ for cls in INSTANCES}
