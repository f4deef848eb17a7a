"""Files that run no code when they are loaded: what skops needs to know of this package.

Pickle, joblib and cloudpickle need nothing from here. With skops [1]_ a file holds arrays, numbers
and names of classes, and `trusted_types` are the classes of ours.

References
----------
.. [1] A. Jalali et al., "skops: Share your scikit-learn based models", https://skops.readthedocs.io

Examples
--------
>>> import skops.io  # doctest: +SKIP
>>> from sknn.persistence import trusted_types
>>> skops.io.dump(model, "model.skops")  # doctest: +SKIP
>>> again = skops.io.load("model.skops", trusted=trusted_types())  # doctest: +SKIP
"""

import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils.validation import check_is_fitted

from sknn._sklearn import PassthroughScorer

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

#: a class with its decorators, a line each, and the words of its bases; or a decorated function
DEFINITION = re.compile(
    r"^((?:@.*\n)*)class (\w+)(?:\(([^)]*)\))?|^((?:@.*\n)+)def (\w+)", re.MULTILINE
)
#: classes whose descendants are estimators, which write plain values and versions
ROOTS = ("DeepEstimator", "SavedState")
#: what fitted searches hold, and skops does not know
OF_SCIKIT_LEARN = (KFold, PassthroughScorer, StratifiedKFold)
#: module -> classes that networks and estimators are made of, where torch has them
OF_TORCH = {
    "torch.nn.modules.activation": "ELU GELU LeakyReLU ReLU SELU SiLU Sigmoid Softplus Tanh",
    "torch.nn.modules.batchnorm": "BatchNorm1d",
    "torch.nn.modules.container": "ModuleList ParameterList Sequential",
    "torch.nn.modules.linear": "Identity Linear",
    "torch.nn.modules.normalization": "LayerNorm",
    "torch.optim.adadelta": "Adadelta",
    "torch.optim.adagrad": "Adagrad",
    "torch.optim.adam": "Adam",
    "torch.optim.adamax": "Adamax",
    "torch.optim.adamw": "AdamW",
    "torch.optim.asgd": "ASGD",
    "torch.optim.lr_scheduler": (
        "ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts ExponentialLR LinearLR "
        "MultiStepLR OneCycleLR PolynomialLR ReduceLROnPlateau StepLR"
    ),
    "torch.optim.nadam": "NAdam",
    "torch.optim.radam": "RAdam",
    "torch.optim.rmsprop": "RMSprop",
    "torch.optim.rprop": "Rprop",
    "torch.optim.sgd": "SGD",
}


def trusted_types(*more: str | type) -> list[str | type]:
    """Return what to trust when a file with estimators of this package is loaded with skops.

    Classes of scikit-learn's own skops knows. What a user adds to an estimator, a module of one's
    own, a loss, a callback or a scoring function, is code that skops asks for by name: have a
    look at ``skops.io.get_untrusted_types(file=path)``, and give those you know as `more`.

    Parameters
    ----------
    *more : str or type
        Further classes or functions, by dotted name or themselves.

    Returns
    -------
    list of str or type
        For the argument `trusted` of ``skops.io.load``.

    Notes
    -----
    None of them runs code that comes from the file: networks are kept as arrays, attributes and
    names of classes of torch, not as torch's pickles. A file is a zip archive that is not
    compressed by default; ``dump(..., compression=zipfile.ZIP_DEFLATED)`` makes those of small
    networks about eight times smaller.

    Examples
    --------
    >>> from sknn.persistence import trusted_types
    >>> "sknn.deep.mlp._classifier.DeepMLPClassifier" in trusted_types()
    True
    >>> trusted_types("my_package.MyModule")[-1]
    'my_package.MyModule'
    """
    of_scikit_learn = [f"{kind.__module__}.{kind.__name__}" for kind in OF_SCIKIT_LEARN]
    of_torch = [f"{module}.{name}" for module, names in OF_TORCH.items() for name in names.split()]
    return ["numpy.dtype", *_find_saved(), *of_scikit_learn, *of_torch, *more]


def make_predictor(estimator: "BaseEstimator") -> "BaseEstimator":
    """Return a copy of a fitted network for prediction alone, whose file is smaller.

    Parameters
    ----------
    estimator : estimator
        Fitted network, such as `DeepMLPClassifier`; it stays as it is.

    Returns
    -------
    estimator
        Copy without the state of the optimizer, which is two thirds of the file of a network that
        Adam has trained. Its predictions are equal to the bit. `partial_fit`, and `fit` with
        ``warm_start=True``, raise ValueError.

    Raises
    ------
    TypeError
        If `estimator` is no network of this package.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> import pickle
    >>> from sklearn.datasets import load_iris
    >>> from sknn import DeepMLPClassifier
    >>> from sknn.persistence import make_predictor
    >>> model = DeepMLPClassifier(max_iter=5, random_state=0).fit(*load_iris(return_X_y=True))
    >>> len(pickle.dumps(make_predictor(model))) < 0.7 * len(pickle.dumps(model))
    True
    """
    drop = getattr(estimator, "_drop_training_state", None)
    if drop is None:
        raise TypeError(
            "make_predictor takes a fitted network such as DeepMLPClassifier; got "
            f"{type(estimator).__name__}. Give the network itself, such as a step of a pipeline."
        )
    check_is_fitted(estimator)
    return drop()


@cache
def _find_saved() -> tuple[str, ...]:
    """Return the classes marked by `sknn._saved.saved`, and those derived from one of `ROOTS`."""
    # Sources are read, not imported: a file of a perceptron does not need torch.
    definitions = {}
    for module, source in _read_sources(Path(__file__).parent, "sknn"):
        for marks, name, bases, *function in DEFINITION.findall(source):
            marks, name = (marks, name) if name else function
            definitions[f"{module}.{name}"] = "@saved\n" in marks, re.findall(r"\w+", bases)
    found, before = set(ROOTS), 0
    while len(found) > before:  # until no class is added that derives from one found
        before = len(found)
        found |= {
            dotted.rpartition(".")[2]
            for dotted, (_, bases) in definitions.items()
            if not found.isdisjoint(bases)
        }
    return tuple(
        sorted(
            dotted
            for dotted, (is_marked, bases) in definitions.items()
            if is_marked or not found.isdisjoint(bases)
        )
    )


def _read_sources(folder: Path, package: str) -> Iterator[tuple[str, str]]:
    """Yield dotted name and source of the modules of a package and of those in it."""
    for info in pkgutil.iter_modules([str(folder)]):
        name = f"{package}.{info.name}"
        if info.ispkg:
            yield from _read_sources(folder / info.name, name)
        else:
            spec = cast("ModuleSpec", info.module_finder.find_spec(info.name, None))
            yield name, cast("InspectLoader", spec.loader).get_source(info.name) or ""
