"""What users import, and that it is what scikit-learn users know."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from importlib import import_module, metadata
from pathlib import Path

import pytest
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor

import sknn
from sknn._old_names import TRANSLATIONS, explain_module, warn_if_mixed
from sknn._optional import EXTRAS, require
from sknn._versions import find_version, list_ways
from sknn.engine._runners import RUNNERS
from sknn.engine.graphs._runner import CudaGraphRunner
from sknn.exceptions import OptionalDependencyError
from tests.helpers import PUBLIC_MODULES, ROOT

PAIRS = [(sknn.DeepMLPClassifier, MLPClassifier), (sknn.DeepMLPRegressor, MLPRegressor)]


def test_public_names_load_on_use():
    """`__getattr__` is asked itself: a name that was imported before is found without it."""
    for name in [*sknn._HOMES, *PUBLIC_MODULES]:
        assert sknn.__getattr__(name) is getattr(sknn, name)


def test_dir_shows_public_names_alone():
    assert dir(sknn) == sorted({*sknn.__all__, *PUBLIC_MODULES})


def test_type_checkers_see_every_public_name():
    """The imports for type checkers and the table that is used at run time are the same."""
    (block,) = (
        node
        for node in ast.parse(Path(sknn.__file__).read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    imported = {
        (node.module, alias.name, alias.asname) for node in block.body for alias in node.names
    }
    estimators = {(home, name, name) for name, home in sknn._HOMES.items()}
    assert imported == estimators | {("sknn", name, name) for name in PUBLIC_MODULES}


def test_unknown_name_says_what_there_is():
    with pytest.raises(AttributeError, match=r"no attribute 'MLPClassifier'.*DeepMLPClassifier"):
        sknn.MLPClassifier  # noqa: B018
    assert not hasattr(sknn, "mlp")


@pytest.mark.parametrize(
    ("name", "ours"),
    [("mlp", "DeepMLPClassifier"), ("ae", "AutoencoderTransformer"), ("platform", "device='cuda'")],
)
def test_names_of_the_old_package_are_translated_in_three_lines(name, ours):
    match = rf"'sknn.{name}' belongs to scikit-neuralnetwork(.|\n)*{ours}"
    with pytest.raises(ImportError, match=match) as error:
        import_module(f"sknn.{name}")
    assert len(str(error.value).splitlines()) == 3
    with pytest.raises(AttributeError, match=match):
        getattr(sknn, name)


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_what_the_translations_name_exists(name):
    text = explain_module(name)
    estimators = re.findall(r"sknn\.(\w+MLP\w+)", text)
    assert all(hasattr(sknn, estimator) for estimator in estimators)
    known = set(inspect.signature(sknn.DeepMLPClassifier).parameters)
    assert set(re.findall(r"(\w+)=", text)) - {"layers", "units"} <= known


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


def test_changelog_and_citation_name_the_version():
    changelog, citation = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "CITATION.cff")
    )
    assert f"## {sknn.__version__.partition('.dev')[0]}" in changelog
    assert f"\nversion: {sknn.__version__}\n" in citation


def test_old_package_in_the_same_folder_is_noticed(tmp_path):
    (tmp_path / "mlp.py").touch()  # as in this package
    warn_if_mixed(tmp_path)  # silent
    (tmp_path / "nn.py").touch()
    with pytest.warns(UserWarning, match="old package 'scikit-neuralnetwork'.*pip uninstall"):
        warn_if_mixed(tmp_path)


def test_report_of_versions_names_packages_devices_and_ways_of_training(capsys):
    sknn.show_versions()
    report = capsys.readouterr().out
    assert report.startswith(f"sknn {sknn.__version__}\n")
    for name in ("scikit-learn", "torch", "polars"):
        assert re.search(rf"^  {name} +{re.escape(metadata.version(name))}$", report, re.MULTILINE)
    assert re.search(r"^  cpu +\d+ cores", report, re.MULTILINE)
    ways = dict(re.findall(r"^  (\S.*?)  +(yes|no)\b", report, re.MULTILINE))
    assert list(ways) == [runner.name for runner in RUNNERS]
    assert ways["handwritten"] == "yes"
    assert (ways[CudaGraphRunner.name] == "yes") == torch.cuda.is_available()
    done = subprocess.run(
        [sys.executable, "-m", "sknn"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines()[0] == report.splitlines()[0]


def test_optional_package_that_is_missing_names_its_extra(monkeypatch):
    assert require("math", "a test") is __import__("math")
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with pytest.raises(OptionalDependencyError, match=re.escape("pip install 'sknn[plot]'")):
        require("rich.progress", "LossCurveDisplay.plot")


def test_extras_exist_and_all_has_them():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    for package, extra in EXTRAS.items():
        assert any(package.lower() in item for item in extras[extra])
    for items in extras.values():
        named = (re.findall(r"^sknn\[(.*)\]", item) for item in items)
        assert {name for (names,) in filter(None, named) for name in names.split(",")} <= {*extras}
    assert set(re.findall(r"\w+", extras["all"][0])) >= {"sknn", "skops", *EXTRAS.values()}


def test_what_users_look_for_is_in_the_sdist():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    included = tomllib.loads(text)["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {"CONTRIBUTING.md", "SECURITY.md", "CITATION.cff", "benchmarks"} <= set(included)
    assert all((ROOT / name).exists() for name in included)


def test_versions_say_which_extra_installs_what_is_missing():
    assert find_version("numpy", "plot") == metadata.version("numpy")
    missing = find_version("no-such-package", "plot")
    assert missing == "not installed; the extra 'plot' installs it"
    assert find_version("no-such-package") == "not installed"


def test_versions_say_which_ways_this_machine_lacks():
    without = list_ways("numba is not installed")
    assert without["compiled"] == without["compiled members"] == "no: numba is not installed"
    assert list_ways(None)["compiled"] == "yes"
    assert list_ways()["handwritten"] == "yes"
