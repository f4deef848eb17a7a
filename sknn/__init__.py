"""Neural networks as plain scikit-learn estimators.

Names are loaded on first use: ``import sknn`` loads neither torch nor matplotlib, and the NumPy
models of `sknn.threshold` never load torch.
"""

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from sknn._version import __version__

#: public name -> module that defines it
_HOMES = {
    "DeepMLPClassifier": "sknn.deep",
    "DeepMLPRegressor": "sknn.deep",
    "PerceptronClassifier": "sknn.threshold",
    "SequenceCNNClassifier": "sknn.deep",
    "SequenceCNNRegressor": "sknn.deep",
    "TabularMLPClassifier": "sknn.deep",
    "TabularMLPRegressor": "sknn.deep",
    "ThresholdLogicClassifier": "sknn.threshold",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sknn' has no attribute {name!r}; it has {sorted(_HOMES)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def _warn_if_mixed_with_old_package(folder: Path) -> None:
    """Warn if files of scikit-neuralnetwork, which is also imported as sknn, lie in this folder."""
    if (folder / "mlp.py").exists() and (folder / "nn.py").exists():
        warnings.warn(
            "The folder of 'sknn' also holds files of the old package 'scikit-neuralnetwork', "
            "which is imported under the same name. Remove it, then install this one again: "
            "pip uninstall scikit-neuralnetwork; pip install --force-reinstall --no-deps sknn",
            stacklevel=3,
        )


_warn_if_mixed_with_old_package(Path(__file__).parent)
