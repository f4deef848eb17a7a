"""Parameters that have no effect beside others are named in a warning.

Those of scikit-learn's `MLPClassifier` that another one makes useless, such as `momentum` beside
``solver='adam'``, are ignored, as there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from sknn.deep._params import make_comparable
from sknn.exceptions import warn_user

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


@dataclass(frozen=True)
class Effect:
    """Condition under which a parameter has an effect.

    Attributes
    ----------
    needs : str
        Condition on other parameters, in words.
    is_there : callable
        Function that returns whether an estimator has what is needed.
    """

    needs: str
    is_there: Callable[[BaseEstimator], bool]


def _has_hidden_layers(estimator: BaseEstimator) -> bool:
    """Return whether there are layers between inputs and outputs; filters of sequences are some."""
    if getattr(estimator, "n_hidden_layers", None) is not None or hasattr(estimator, "n_filters"):
        return getattr(estimator, "n_hidden_layers", None) != 0
    return make_comparable(estimator.hidden_layer_sizes) != ()


def _uses_hidden_matrices(estimator: BaseEstimator) -> bool:
    """Return whether the solver is another than Muon, or there are matrices that it moves."""
    # What leads to the codes of an autoencoder is hidden, too.
    has_codes = hasattr(estimator, "n_components")
    return estimator.solver != "muon" or has_codes or _has_hidden_layers(estimator)


_HIDDEN = Effect("hidden layers", _has_hidden_layers)
_DISTANCES = Effect(
    "criterion='both' or 'distance'", lambda estimator: estimator.criterion != "reconstruction"
)
#: parameter -> what it needs; one that is not at its default and lacks it is warned of
EFFECTS: dict[str, Effect] = {
    "weight_decay": Effect(
        "solver='adamw' or 'muon' (other solvers have the penalty alpha)",
        lambda estimator: getattr(estimator, "solver", "adamw") in ("adamw", "muon"),
    ),
    "solver": Effect("hidden layers, the weights of which Muon is for", _uses_hidden_matrices),
    "l1_ratio": Effect("alpha above 0", lambda estimator: estimator.alpha > 0),
    "noise": Effect("kind='denoising'", lambda estimator: estimator.kind == "denoising"),
    "mask_fraction": Effect(
        "kind='denoising' or 'masked'", lambda estimator: estimator.kind in ("denoising", "masked")
    ),
    "kl_weight": Effect("kind='variational'", lambda estimator: estimator.kind == "variational"),
    "n_neighbors": _DISTANCES,
    "trim_fraction": _DISTANCES,
    "embedding_width": Effect(
        "a numerical_embedding", lambda estimator: estimator.numerical_embedding is not None
    ),
    "dropout": _HIDDEN,
    "normalization": _HIDDEN,
    "hidden_width": _HIDDEN,
}


_SCORED = "held-out samples, by early_stopping=True or X_val and y_val in fit"


def check_effects(estimator: BaseEstimator, *, has_held_out: bool) -> None:
    """Warn of parameters that were set and have no effect beside the others.

    `has_held_out` is whether samples are scored, by early stopping or as the user gave some.
    """
    name = type(estimator).__name__
    for parameter in list_useless(estimator, has_held_out=has_held_out):
        needs = EFFECTS[parameter].needs if parameter in EFFECTS else _SCORED
        warn_user(
            f"{name}({parameter}={getattr(estimator, parameter)!r}) has no effect: "
            f"{parameter} needs {needs}. Set that, or leave {parameter} at its default."
        )


@cache
def _get_defaults(cls: type[BaseEstimator]) -> dict[str, object]:
    """Return parameter -> default; a signature takes longer to read than a small step to train."""
    parameters = inspect.signature(cls).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def list_useless(estimator: BaseEstimator, *, has_held_out: bool) -> list[str]:
    """Return the parameters that are not at their defaults, and have no effect."""
    cls = cast("Hashable", type(estimator))  # mypy takes hash() of a class for that of instances
    defaults = _get_defaults(cls)
    found = [
        name
        for name, effect in EFFECTS.items()
        if name in defaults
        and (value := getattr(estimator, name)) is not defaults[name]
        and make_comparable(value) != make_comparable(defaults[name])
        and not effect.is_there(estimator)
    ]
    if "scoring" in defaults and estimator.scoring is not None and not has_held_out:
        found.append("scoring")
    return found
