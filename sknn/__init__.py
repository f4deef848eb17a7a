"""Neural networks as plain scikit-learn estimators.

Names are loaded on first use: ``import sknn`` loads neither torch nor matplotlib, and the NumPy
models of `sknn.threshold` never load torch. Public subpackages such as `sknn.threshold` are loaded
on first use, too.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from sknn import _old_names
from sknn._version import __version__

if TYPE_CHECKING:  # what `__getattr__` loads, for mypy and pyright
    from sknn import activations as activations
    from sknn import datasets as datasets
    from sknn import discovery as discovery
    from sknn import exceptions as exceptions
    from sknn import export as export
    from sknn import genomics as genomics
    from sknn import inspection as inspection
    from sknn import losses as losses
    from sknn import model_selection as model_selection
    from sknn import motifs as motifs
    from sknn import persistence as persistence
    from sknn import playground as playground
    from sknn import preprocessing as preprocessing
    from sknn import semi_supervised as semi_supervised
    from sknn import threshold as threshold
    from sknn._versions import show_versions as show_versions
    from sknn.deep import AutoencoderOutlierDetector as AutoencoderOutlierDetector
    from sknn.deep import AutoencoderTransformer as AutoencoderTransformer
    from sknn.deep import DeepMLPClassifier as DeepMLPClassifier
    from sknn.deep import DeepMLPRegressor as DeepMLPRegressor
    from sknn.deep import SequenceCNNClassifier as SequenceCNNClassifier
    from sknn.deep import SequenceCNNRegressor as SequenceCNNRegressor
    from sknn.deep import TabularMLPClassifier as TabularMLPClassifier
    from sknn.deep import TabularMLPRegressor as TabularMLPRegressor
    from sknn.threshold import PerceptronClassifier as PerceptronClassifier
    from sknn.threshold import ThresholdLogicClassifier as ThresholdLogicClassifier

#: public name -> module that defines it
_HOMES = {
    "AutoencoderOutlierDetector": "sknn.deep",
    "AutoencoderTransformer": "sknn.deep",
    "DeepMLPClassifier": "sknn.deep",
    "DeepMLPRegressor": "sknn.deep",
    "PerceptronClassifier": "sknn.threshold",
    "SequenceCNNClassifier": "sknn.deep",
    "SequenceCNNRegressor": "sknn.deep",
    "TabularMLPClassifier": "sknn.deep",
    "TabularMLPRegressor": "sknn.deep",
    "ThresholdLogicClassifier": "sknn.threshold",
    "show_versions": "sknn._versions",
}
#: public modules, which are attributes of this one without having been imported
_MODULES = (
    "activations",
    "datasets",
    "discovery",
    "exceptions",
    "export",
    "genomics",
    "inspection",
    "losses",
    "model_selection",
    "motifs",
    "persistence",
    "playground",
    "preprocessing",
    "semi_supervised",
    "threshold",
)

__all__ = ["__version__", *sorted(_HOMES)]

if not TYPE_CHECKING:  # type checkers take `__getattr__` as leave for any name

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            return getattr(import_module(_HOMES[name]), name)
        if name in _MODULES:
            return import_module(f"sknn.{name}")
        raise AttributeError(_old_names.explain_missing(name, [*__all__, *_MODULES]))


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})


_old_names.warn_if_mixed(__path__[0])
