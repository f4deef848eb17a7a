"""scikit-learn's own tests of its searches and cross-validation, with ours in their place."""

import sys
from inspect import unwrap
from types import SimpleNamespace

import pytest
import sklearn.experimental.enable_halving_search_cv  # noqa: F401

import sknn.model_selection as ours
from tests.helpers import load_tests_of_sklearn

PACKAGE = "sklearn.model_selection"
SEARCHES = {
    f"{PACKAGE}.{name.removeprefix('Batched')}": getattr(ours, name)
    for name in ours.__all__
    if name.startswith("Batched")
}
CROSS_VALIDATION = {f"{PACKAGE}.cross_validate": ours.batched_cross_validate}
#: module -> what stands in for what
SWAPS = {
    "test_search": SEARCHES,
    "test_successive_halving": SEARCHES,
    "test_validation": CROSS_VALIDATION,
}
#: module -> the fewest tests that it must have
MODULES = {"test_search": 80, "test_successive_halving": 15, "test_validation": 70}
#: test -> why it does not hold for ours
DIFFERENT = {
    "test_validation_functions_routing": "records the name of the function that calls, which is "
    "scikit-learn's cross_validate also where ours was called",
}
try:
    SUITES = {
        module: load_tests_of_sklearn(f"{PACKAGE}.tests.{module}", swaps)
        for module, swaps in SWAPS.items()
    }
except ImportError:  # some distributions leave tests out
    pytest.skip("scikit-learn is installed without its tests", allow_module_level=True)

for _module, _suite in SUITES.items():
    for _name, _test in _suite.items():
        if _module == "test_validation" and "cross_validate" not in unwrap(_test).__code__.co_names:
            continue
        if _name in DIFFERENT:
            _test = pytest.mark.skip(reason=DIFFERENT[_name])(_test)
        if _module != "test_search":
            _test = pytest.mark.full(_test)
        globals()[f"{_name}__{_module.removeprefix('test_')}"] = _test


@pytest.fixture(autouse=True)
def _is_found_by_pickle(request, monkeypatch):
    """Let classes of the module be pickled, which was loaded beside the one that is imported."""
    names = request.function.__globals__
    if names["__name__"].startswith(PACKAGE):
        monkeypatch.setitem(sys.modules, names["__name__"], SimpleNamespace(**names))


@pytest.mark.parametrize("module", SWAPS)
def test_ours_stand_in_the_suite(module):
    names = next(iter(SUITES[module].values())).__globals__.values()
    assert any(item is swap for item in names for swap in SWAPS[module].values())


def test_suites_are_whole_and_every_difference_exists():
    assert {module for module, suite in SUITES.items() if len(suite) < MODULES[module]} == set()
    assert set(DIFFERENT) <= set().union(*SUITES.values())
