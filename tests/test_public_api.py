"""What users import, and that it is what scikit-learn users know."""

import inspect
import re
from importlib import metadata
from pathlib import Path

import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

import sknn
from sknn._optional import EXTRAS, require
from sknn.exceptions import OptionalDependencyError

ROOT = Path(__file__).parents[1]
PAIRS = [(sknn.DeepMLPClassifier, MLPClassifier), (sknn.DeepMLPRegressor, MLPRegressor)]


@pytest.mark.parametrize("name", sknn.__all__)
def test_public_names_load(name):
    assert getattr(sknn, name) is not None
    assert name in dir(sknn)


def test_unknown_name_says_what_there_is():
    with pytest.raises(AttributeError, match=r"no attribute 'MLPClassifier'.*DeepMLPClassifier"):
        sknn.MLPClassifier  # noqa: B018


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_parameters_of_scikit_learn_come_first_in_its_order_with_its_defaults(ours, theirs):
    own = inspect.signature(ours).parameters
    for (name, mine), (their_name, their) in zip(
        own.items(), inspect.signature(theirs).parameters.items(), strict=False
    ):
        assert (name, mine.default, mine.kind) == (their_name, their.default, their.kind)
    added = list(own)[len(inspect.signature(theirs).parameters) :]
    assert {"device", "dtype"} <= set(added)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_methods_of_scikit_learn_have_its_arguments(ours, theirs):
    for name in ("fit", "partial_fit", "predict", "score"):
        wanted = list(inspect.signature(getattr(theirs, name)).parameters)
        assert list(inspect.signature(getattr(ours, name)).parameters)[: len(wanted)] == wanted


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"solver": "lbfgs"}])
def test_fitted_attributes_of_scikit_learn_are_there(ours, theirs, params):
    X, y = [[0.0, 1.0], [1.0, 0.0]] * 20, [0, 1] * 20
    fitted = [cls(max_iter=2, random_state=0, **params).fit(X, y) for cls in (ours, theirs)]
    for name in (n for n in vars(fitted[1]) if n.endswith("_") and not n.startswith("_")):
        mine, their = getattr(fitted[0], name), getattr(fitted[1], name)
        assert isinstance(mine, type(their)) or isinstance(their, type(mine)), name


def test_installed_version_is_the_version():
    assert metadata.version("sknn") == sknn.__version__, "another version is installed; reinstall"


def test_changelog_names_the_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert sknn.__version__.partition(".dev")[0] in text


def test_old_package_in_the_same_folder_is_noticed(tmp_path):
    sknn._warn_if_mixed_with_old_package(tmp_path)  # silent
    for name in ("mlp.py", "nn.py"):
        (tmp_path / name).touch()
    with pytest.warns(UserWarning, match="old package 'scikit-neuralnetwork'.*pip uninstall"):
        sknn._warn_if_mixed_with_old_package(tmp_path)


def test_optional_package_that_is_missing_names_its_extra(monkeypatch):
    assert require("math", "a test") is __import__("math")
    monkeypatch.setitem(EXTRAS, "no_such_package", "plot")
    with pytest.raises(OptionalDependencyError, match=re.escape("pip install 'sknn[plot]'")):
        require("no_such_package.module", "LossCurveDisplay.plot")


def test_extras_exist():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package, extra in EXTRAS.items():
        assert re.search(rf"^{extra} = .*{package}", text, re.MULTILINE | re.IGNORECASE)
