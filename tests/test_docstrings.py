"""Public docstrings are complete numpydoc."""

import inspect
import re
from importlib import import_module

import pytest
from sklearn.base import clone

import sknn
from sknn._old_names import TRANSLATIONS
from tests.helpers import ROOT
from tests.instances import INSTANCES

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "sknn").rglob("*.py"))
    if path.name != "__init__.py" and path.stem not in TRANSLATIONS
]
METHODS = ("fit", "partial_fit", "predict", "predict_proba", "decision_function")


def section(text, title):
    """Return the text of a numpydoc section."""
    parts = re.split(r"^(\S[^\n]*)\n-{3,}\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(title, "")


def described(text, title):
    """Return the names that a section describes."""
    entries = re.findall(r"^([\w*][\w*, ]*) :", section(text, title), re.MULTILINE)
    return [name.strip() for entry in entries for name in entry.split(",")]


def parameters_of(cls):
    """Return the parameters with a name of their own."""
    parameters = inspect.signature(cls).parameters.items()
    return {name: p for name, p in parameters if p.kind is not p.VAR_KEYWORD}


@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_each_parameter_is_described_in_order_with_its_default(cls):
    text = inspect.getdoc(cls)
    parameters = parameters_of(cls)
    names = described(text, "Parameters")
    assert [name for name in names if not name.startswith("**")] == list(parameters)
    joined = " ".join(section(text, "Parameters").split())
    for name, parameter in parameters.items():
        entry = re.search(rf"\b{name}\b[\w, ]* : .*?default=", joined)
        assert entry, f"{name} has no default= in the docstring ({parameter.default!r})"


@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_each_parameter_has_a_constraint(cls):
    assert set(cls._parameter_constraints) == set(parameters_of(cls))


@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_class_docstring_has_attributes_references_and_a_doctest(cls):
    text = inspect.getdoc(cls)
    assert "classes_" in described(text, "Attributes") or not hasattr(cls, "predict_proba")
    assert re.search(r"doi:|arXiv:", section(text, "References"))
    assert ">>> " in section(text, "Examples")
    assert "See Also\n--------" in text


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_each_fitted_attribute_is_described(cls):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"a": [0.0, 1.0] * 10, "b": [1.0, 0.0] * 10})
    estimator = clone(INSTANCES[cls][0])
    if "max_iter" in estimator.get_params():
        estimator.set_params(max_iter=2)
    fitted = estimator.fit(X, [0, 1] * 10)
    names = {n for n in (*vars(fitted), *dir(cls)) if n.endswith("_") and not n.startswith("_")}
    assert names <= set(described(inspect.getdoc(cls), "Attributes"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("cls", INSTANCES, ids=lambda cls: cls.__name__)
def test_methods_describe_arguments_shapes_and_results(cls, method):
    if not hasattr(cls, method):
        pytest.skip(f"no {method}")
    text = inspect.getdoc(getattr(cls, method))
    arguments = [n for n in inspect.signature(getattr(cls, method)).parameters if n != "self"]
    assert described(text, "Parameters") == arguments
    assert "of shape (n_samples" in section(text, "Parameters")
    assert section(text, "Returns").strip()


def public_items(module):
    """Return dotted name -> item of a module itself and of what it defines."""
    home = import_module(module)
    own = {
        f"{module}.{name}": item
        for name, item in vars(home).items()
        if not name.startswith("_") and getattr(item, "__module__", None) == module
    }
    return {module: home} | {
        name: item
        for name, item in own.items()
        if inspect.isclass(item) or inspect.isfunction(item)
    }


def test_public_functions_and_classes_have_docstrings():
    items = {name: item for module in MODULES for name, item in public_items(module).items()}
    assert "sknn.deep.mlp._classifier.DeepMLPClassifier" in items
    assert not [name for name, item in items.items() if not inspect.getdoc(item)]


def test_package_docstring_is_there():
    assert sknn.__doc__
