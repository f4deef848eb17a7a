"""Public docstrings are complete numpydoc."""

import inspect
import re
from importlib import import_module
from itertools import combinations

import pytest
from sklearn.base import clone
from sklearn.utils._param_validation import StrOptions

import sknn
from sknn._old_names import TRANSLATIONS
from sknn.model_selection import (
    BatchedGridSearchCV,
    BatchedHalvingGridSearchCV,
    BatchedHalvingRandomSearchCV,
    BatchedRandomizedSearchCV,
    batched_cross_validate,
)
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


def read_words(cls, title):
    """Return name -> description in a section, without line breaks and numbers of references."""
    text = section(inspect.getdoc(cls), title)
    entries = re.findall(
        r"^(\S[^:\n]*) : (?:.*\\\n)*.*\n((?: +.*\n|\n)*)", text + "\n", re.MULTILINE
    )
    words = {names: re.sub(r" \[\d+\]_", "", " ".join(entry.split())) for names, entry in entries}
    return {name.strip(): words[names] for names in words for name in names.split(",")}


def parameters_of(cls):
    """Return the parameters with a name of their own."""
    parameters = inspect.signature(cls).parameters.items()
    return {name: p for name, p in parameters if p.kind is not p.VAR_KEYWORD}


MLP, CNN, TABULAR, AUTOENCODER = "DeepMLP", "SequenceCNN", "TabularMLP", "Autoencoder"
PERCEPTRON, THRESHOLD, ENSEMBLE = "Perceptron", "ThresholdLogic", "DeepEnsemble"
PSEUDO = "PseudoLabel"
#: parameter -> estimators whose words differ from those of `DeepMLP*`, as the meaning does
OWN_WORDS = {
    "**nested": {CNN: "there is no module", AUTOENCODER: "there is neither module nor loss"},
    "alpha": {PERCEPTRON: "it is not divided by weights, and `penalty` says of what"},
    "batch_size": {CNN: "'auto' is another number", TABULAR: "'auto' is another; no 'lbfgs'"},
    "activation": {AUTOENCODER: "it is for both sides of the code"},
    "callbacks": {PERCEPTRON: "functions alone, of an entry with other keys"},
    "class_weight": {
        PERCEPTRON: "no list of dicts, as multilabel y has no classes to weigh",
        THRESHOLD: "no multilabel y",
    },
    "dropout": {CNN: "pooled values are dropped too, and there is 'auto'"},
    "dtype": {CNN: "'auto' is for strings, too", TABULAR: "'auto' depends on the samples"},
    "estimator": {PSEUDO: "it is any classifier"},
    "early_stopping": {CNN: "there is 'auto'", PERCEPTRON: "it also chooses the pocket"},
    "hidden_layer_sizes": {
        CNN: "these layers come after pooling",
        AUTOENCODER: "these layers are those of the encoder",
    },
    "hidden_width": {TABULAR: "it is the width itself"},
    "initializer": {AUTOENCODER: "there is 'pca'"},
    "l1_ratio": {PERCEPTRON: "it is for one `penalty`, whose formula is scikit-learn's"},
    "learning_rate_init": {TABULAR: "there is no schedule"},
    "loss": {TABULAR: "it has no losses of the user's own"},
    "max_iter": {
        TABULAR: "there is no 'lbfgs'",
        PERCEPTRON: "there is no 'lbfgs'",
        THRESHOLD: "an epoch is a series of line searches",
    },
    "n_hidden_layers": {TABULAR: "it is the number itself"},
    "n_iter_no_change": {
        TABULAR: "it looks at held-out samples alone, and waits longer after long training",
        PERCEPTRON: "there is 'auto'",
        THRESHOLD: "it counts errors",
    },
    "n_jobs": {PERCEPTRON: "it counts threads for units, not for networks"},
    "n_members": {
        ENSEMBLE: "members hold out no samples",
        CNN: "they share the filters, and there is 'auto'",
    },
    "n_neighbors": {PSEUDO: "their probabilities are mixed, and no distances averaged"},
    "pretrained": {CNN: "it is for filters, which no autoencoder has"},
    "random_state": {
        PERCEPTRON: "there are no first weights",
        THRESHOLD: "it draws line searches",
        ENSEMBLE: "it draws the members' seeds",
        PSEUDO: "it draws those of classifiers",
    },
    "scale": {AUTOENCODER: "losses are in its units"},
    "scoring": {CNN: "None is the loss", TABULAR: "None is the loss of calibrated probabilities"},
    "shuffle": {PERCEPTRON: "it is for one `update`"},
    "solver": {TABULAR: "the defaults are for two of them"},
    "standardize_target": {CNN: "counts of reads are of any size, so 'poisson' scales them, too"},
    "tol": {PERCEPTRON: "it is a share of the samples under one `update`"},
    "validation_fraction": {PERCEPTRON: "classes keep their shares, whatever y"},
    "verbose": {PERCEPTRON: "there is no bar and no runner"},
    "warm_start": {PERCEPTRON: "a fit that was interrupted is not completed"},
}


def has_own_words(name, cls):
    """Return whether the table says that a class describes a parameter in words of its own."""
    return any(cls.__name__.startswith(family) for family in OWN_WORDS.get(name, ()))


def test_a_shared_parameter_has_the_same_words_in_all_estimators():
    """Shared words change in all classes at once; `OWN_WORDS` has those that mean another thing."""
    described_by = {}
    for cls in INSTANCES:
        for name, words in read_words(cls, "Parameters").items():
            # What trains and what is trained are of a task.
            task = cls.__name__[-10:] if name in ("loss", "estimator") else ""
            described_by.setdefault((name, task), {})[cls] = words
    assert {"solver", "device", "class_weight", "n_members"} <= {name for name, _ in described_by}
    for (name, _), by_class in described_by.items():
        shared = {cls: words for cls, words in by_class.items() if not has_own_words(name, cls)}
        assert len(set(shared.values())) <= 1, (name, shared)


@pytest.mark.parametrize(("name", "family"), [(n, f) for n, of in OWN_WORDS.items() for f in of])
def test_own_words_are_no_shared_ones_and_the_same_for_both_tasks(name, family):
    descriptions = {cls: read_words(cls, "Parameters").get(name) for cls in INSTANCES}
    own = {w for cls, w in descriptions.items() if cls.__name__.startswith(family)}
    (words,) = own - {None}  # a regressor alone may have it
    assert words not in {w for cls, w in descriptions.items() if not has_own_words(name, cls)}


GRIDS = BatchedGridSearchCV, BatchedRandomizedSearchCV
HALVINGS = BatchedHalvingGridSearchCV, BatchedHalvingRandomSearchCV
#: parameter -> how many wordings searches have of it, and why
WORDINGS_OF_SEARCHES = {
    "scoring": (2, "halving takes one metric alone"),
    "refit": (2, "halving takes one metric alone"),
    "random_state": (3, "it draws candidates, samples, or both"),
}


def test_a_shared_parameter_has_the_same_words_in_all_searches():
    wordings = {}
    for item in (*GRIDS, *HALVINGS, batched_cross_validate):
        words = read_words(item, "Parameters")
        assert [name for name in words if not name.startswith("**")] == list(parameters_of(item))
        for name in words:
            wordings.setdefault(name, []).append(words[name])
    shared = {name for name, words in wordings.items() if len(words) > 1}
    assert {"estimator", "cv", "n_jobs", "verbose", "checkpoint", "error_score"} <= shared
    different = {name: len(set(wordings[name])) for name in shared if len(set(wordings[name])) > 1}
    assert different == {name: n for name, (n, _) in WORDINGS_OF_SEARCHES.items()}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cls", [*GRIDS, *HALVINGS], ids=lambda cls: cls.__name__)
def test_each_fitted_attribute_of_a_search_is_described_in_the_words_of_others(cls):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"a": [0.0, 1.0] * 12, "b": [1.0, 0.0] * 12})
    member = sknn.DeepMLPClassifier((2,), max_iter=2, random_state=0)
    search = cls(member, {"alpha": [0.1, 1.0]}, cv=2)
    if "n_iter" in search.get_params():
        search.set_params(n_iter=2)
    fitted = search.fit(X, [0, 1] * 12)
    names = {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")}
    words = read_words(cls, "Attributes")
    assert names <= {*words, "classes_"}
    for other in (*GRIDS, *HALVINGS):
        theirs = read_words(other, "Attributes")
        shared = (words.keys() & theirs.keys()) - {"best_estimator_"}  # of the last round
        assert len(shared) >= 9
        assert {name: words[name] for name in shared} == {name: theirs[name] for name in shared}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pair
        for pair in combinations(INSTANCES, 2)
        if len({re.sub("Classifier|Regressor", "", cls.__name__) for cls in pair}) == 1
    ],
    ids=lambda cls: cls.__name__,
)
def test_a_fitted_attribute_has_the_same_words_in_classifier_and_regressor(one, other):
    """The output activations differ, and what tabular estimators score."""
    first, second = (read_words(cls, "Attributes") for cls in (one, other))
    shared = (first.keys() & second.keys()) - {"out_activation_"}
    assert len(shared) >= 3
    differing = {name for name in shared if first[name] != second[name]}
    assert differing == ({"history_"} if one.__name__.startswith(TABULAR) else set())


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


def list_options():
    """Return estimator, parameter and its options by name, for each that has such options."""
    return [
        pytest.param(cls, name, set().union(*known), id=f"{cls.__name__}-{name}")
        for cls in INSTANCES
        for name, constraints in getattr(cls, "_parameter_constraints", {}).items()
        if (known := [c.options for c in constraints if isinstance(c, StrOptions)])
    ]


@pytest.mark.parametrize(("cls", "name", "options"), list_options())
def test_each_option_of_a_parameter_is_in_its_description(cls, name, options):
    text = section(inspect.getdoc(cls), "Parameters")
    kind = re.search(rf"^{name} : ((?:.*\\\n)*.*)$", text, re.MULTILINE).group(1)
    listed = set(re.findall(r"'([\w-]+)'", kind.partition("default=")[0]))
    if not listed:  # many options stand in braces in the text of one class, others say what differs
        text = section(inspect.getdoc(sknn.DeepMLPClassifier), "Parameters")
        braces = re.search(rf"^{name} : .*?(\{{.*?\}})", text, re.MULTILINE | re.DOTALL).group(1)
        listed, options = set(re.findall(r"'([\w-]+)'", braces)), options - {"auto", "pca"}
    assert listed == options
