import pytest
from sklearn.base import BaseEstimator, is_classifier, is_regressor

import sknn
from sknn.discovery import all_estimators


def test_all_estimators_are_found():
    names = [name for name, _ in all_estimators()]
    assert names == sorted(name for name in sknn.__all__ if name[0].isupper())
    assert all(issubclass(cls, BaseEstimator) for _, cls in all_estimators())


@pytest.mark.parametrize(
    ("kind", "check"), [("classifier", is_classifier), ("regressor", is_regressor)]
)
def test_filter_gives_exactly_those_of_a_kind(kind, check):
    found = dict(all_estimators(kind))
    assert found == {name: cls for name, cls in all_estimators() if check(cls())}
    assert found
    assert set(all_estimators([kind, "cluster"])) == set(found.items())


def test_unknown_kind_is_an_error():
    with pytest.raises(ValueError, match="type_filter must be None, one of"):
        all_estimators("neuron")
    with pytest.raises(ValueError, match="got \\['classifier', 'neuron'\\]"):
        all_estimators(["classifier", "neuron"])
