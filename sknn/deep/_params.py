"""Parameters of deep estimators: what training takes, once; and those of a parameter.

A parameter of training is one entry in `TRAINING_PARAMS`, and a field of
`sknn._specs.TrainConfig` if the engine reads it. ``module__width=64`` is a parameter of the class
given as `module`; such a nested parameter is an attribute like all others, so that ``set_params``,
``clone`` and grid searches know it. A final class says in ``_nested`` which may have some.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._sklearn import Interval, Options, StrOptions
from sknn._specs import TrainConfig
from sknn._suggestions import suggest_parameter
from sknn.engine import SCHEDULES, SOLVERS
from sknn.losses import CLASS_LOSSES, VALUE_LOSSES, ClassLoss, ValueLoss

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


class LossName(StrOptions):
    """Names of losses, for a parameter that stands where others have the layers."""

    def __str__(self) -> str:
        """Return what is expected, for scikit-learn's error."""
        return (
            f"{super().__str__()} (loss is the first parameter, as in scikit-learn's MLPRegressor; "
            "layers are given by name: hidden_layer_sizes=(32, 8))"
        )


class ScheduleName(StrOptions):
    """Names of schedules, for a parameter whose name is that of a number elsewhere."""

    def __str__(self) -> str:
        """Return what is expected, for scikit-learn's error."""
        return f"{super().__str__()} (a schedule; the rate itself is learning_rate_init)"


@dataclass(frozen=True)
class TrainingParam:
    """A parameter of training that estimators share.

    Attributes
    ----------
    constraint : list
        Values that it accepts, in scikit-learn's form.
    shapes_preparation : bool, default=True
        Whether it matters before training begins. Where it does not, a search prepares the data
        and the network once for all of its values.
    is_fixed : bool, default=False
        Whether a network that exists cannot follow a change (``warm_start``, ``partial_fit``).
    """

    constraint: list
    shapes_preparation: bool = True
    is_fixed: bool = False


def _in_epochs(*constraint: Any) -> TrainingParam:
    """Return a parameter that is not read before the first epoch."""
    return TrainingParam(list(constraint), shapes_preparation=False)


_AT_LEAST_0 = Interval(Real, 0, None, closed="left")
_ABOVE_0 = Interval(Real, 0, None, closed="neither")
_BELOW_1 = Interval(Real, 0, 1, closed="left")
_SHARE = Interval(Real, 0, 1, closed="both")
_COUNT = Interval(Integral, 1, None, closed="left")

TRAINING_PARAMS: dict[str, TrainingParam] = {
    "solver": TrainingParam([StrOptions(set(SOLVERS)), type]),
    "alpha": _in_epochs(_AT_LEAST_0),
    "batch_size": _in_epochs(StrOptions({"auto"}), _COUNT),
    "learning_rate": TrainingParam([ScheduleName(set(SCHEDULES)), type]),
    "learning_rate_init": _in_epochs(_ABOVE_0),
    "power_t": _in_epochs(_AT_LEAST_0),
    "max_iter": _in_epochs(_COUNT),
    "shuffle": TrainingParam(["boolean"]),
    "random_state": TrainingParam(["random_state"]),
    "tol": _in_epochs(_AT_LEAST_0),
    "verbose": TrainingParam(["verbose"]),
    "warm_start": TrainingParam(["boolean"]),
    "momentum": _in_epochs(_SHARE),
    "nesterovs_momentum": _in_epochs("boolean"),
    "early_stopping": TrainingParam(["boolean"]),
    "validation_fraction": TrainingParam([_BELOW_1]),
    "beta_1": _in_epochs(_BELOW_1),
    "beta_2": _in_epochs(_BELOW_1),
    "epsilon": _in_epochs(_ABOVE_0),
    "n_iter_no_change": _in_epochs(_COUNT, Options(Real, {np.inf})),
    "max_fun": TrainingParam([_COUNT]),
    "l1_ratio": _in_epochs(_SHARE),
    "weight_decay": _in_epochs(_AT_LEAST_0),
    "warmup_epochs": _in_epochs(_AT_LEAST_0),
    "max_grad_norm": _in_epochs(_ABOVE_0, None),
    "time_limit": TrainingParam([_ABOVE_0, None]),
    "scoring": TrainingParam([str, callable, None]),
    "callbacks": TrainingParam([list, tuple, None]),
    "device": TrainingParam([str], is_fixed=True),
    "dtype": TrainingParam(
        [StrOptions({"auto", "float32", "float64", "tf32", "bfloat16"})], is_fixed=True
    ),
    "compile": TrainingParam(["boolean"]),
    "checkpoint": TrainingParam([str, os.PathLike, None]),
    "checkpoint_every": TrainingParam([_COUNT, str, timedelta, None]),
    "n_processes": _in_epochs(_COUNT, StrOptions({"world", "shards"}), None),
}

#: parameters that matter only once a network is prepared, from the first epoch on
FOR_TRAINING_ALONE = frozenset(
    name for name, param in TRAINING_PARAMS.items() if not param.shapes_preparation
)

#: parameters of a task that a network follows when it is trained further
FOLLOWED = ("class_weight", "contamination", "criterion", "n_neighbors", "trim_fraction")
#: parameters whose arguments, ``solver__momentum`` for instance, it follows too
FOLLOWED_PREFIXES = ("solver", "learning_rate")

#: name -> constraint of the parameters that belong to a task
CLASSIFIER_CONSTRAINTS: dict[str, list] = {
    "loss": [StrOptions(set(CLASS_LOSSES)), ClassLoss, callable],
    "label_smoothing": [_BELOW_1],
    "class_weight": [dict, list, StrOptions({"balanced"}), None],
}
REGRESSOR_CONSTRAINTS: dict[str, list] = {
    "loss": [LossName(set(VALUE_LOSSES)), ValueLoss, callable],
    "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like", None],
    "standardize_target": ["boolean"],
}


#: name -> constraint of the parameters that say what columns of a table are
TABLE_CONSTRAINTS: dict[str, list] = {
    "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
    "text_features": [StrOptions({"auto"}), list, tuple, np.ndarray, None],
}
#: that of means of y for the levels of categories, which autoencoders have no y for
TARGET_ENCODING: dict[str, list] = {
    "target_encoding": [Interval(Integral, 0, None, closed="left"), None]
}


def training_constraints(*names: str, but: tuple[str, ...] = ()) -> dict[str, list]:
    """Return the constraints of parameters of training: of all, or of those named."""
    kept = names or [name for name in TRAINING_PARAMS if name not in but]
    return {name: TRAINING_PARAMS[name].constraint for name in kept}


#: stands for a parameter that an estimator does not have
_MISSING = object()


def read_training_params(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the fields of `TrainConfig` that an estimator has parameters for."""
    return {
        # Python's number for NumPy's, which torch does not always take
        name: value.item() if isinstance(value, np.generic) else value
        for name in _list_config_names()
        if (value := getattr(estimator, name, _MISSING)) is not _MISSING
    }


@cache
def _list_config_names() -> tuple[str, ...]:
    """Return the parameters of training that are fields of `TrainConfig`."""
    known = {field.name for field in fields(TrainConfig)}
    return tuple(name for name in TRAINING_PARAMS if name in known)


def is_by_loss(scoring: str | Callable | None, scores_loss: bool) -> bool:
    """Return whether held-out samples are scored by the loss; `scores_loss` is the default."""
    return scores_loss if scoring is None else isinstance(scoring, str) and scoring == "loss"


def name_score(scoring: str | Callable | None) -> str:
    """Return the name of a score for what is shown: 'score' where scikit-learn says no more."""
    if isinstance(scoring, str) and scoring != "loss":
        return scoring
    return getattr(scoring, "__name__", "score")


@cache
def is_fixed(name: str) -> bool:
    """Return whether a network that exists cannot follow a change of a parameter."""
    # That is so for all parameters but those of training, so that one that nobody thought of is
    # refused and not ignored.
    prefix, _, argument = name.partition("__")
    if argument:
        return prefix not in FOLLOWED_PREFIXES
    known = TRAINING_PARAMS.get(name)
    return name not in FOLLOWED if known is None else known.is_fixed


def read_fixed_params(estimator: BaseEstimator, of_network: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that a network, shaped by `of_network`, cannot change any more."""
    params = {n: v for n, v in estimator.get_params(deep=False).items() if is_fixed(n)}
    return {
        name: make_comparable(value) if isinstance(value, _CONTAINERS) else value
        for name, value in {**params, **of_network}.items()
    }


def check_fixed_params(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise ValueError if a parameter changed that the network of an earlier call cannot follow."""
    changes = [
        f"{name} was {_show(before, name)} and is {_show(now, name)} now"
        for name in {**before, **now}
        if name not in before or name not in now or not _is_same(before[name], now[name])
    ]
    if changes:
        raise ValueError(
            "warm_start and partial_fit go on training the network of the earlier call, but "
            f"{', '.join(changes)}. Set it back, or fit with warm_start=False."
        )


def check_no_new_processes(estimator: BaseEstimator) -> None:
    """Raise ValueError if an estimator in ``partial_fit`` is to start processes, or has shards."""
    n_processes = getattr(estimator, "n_processes", None)
    if isinstance(n_processes, Integral) and int(n_processes) > 1:
        raise ValueError(
            f"partial_fit would start n_processes={n_processes} processes anew in each call. Set "
            "n_processes=None, or start the script with torchrun and set n_processes='world'."
        )
    if n_processes == "shards":
        raise ValueError(
            "partial_fit takes no shards: n_processes='shards' joins classes, levels and scales of "
            "all samples before training. Call fit, or set n_processes='world' and give all "
            "processes the same chunk."
        )


#: values that the user can change, or that hold such values
_CONTAINERS = (np.ndarray, list, tuple, dict)


def make_comparable(value: Any) -> Any:
    """Return a value that `==` compares as a whole, and that the user cannot change any more."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(map(make_comparable, value))
    return dict(value) if isinstance(value, dict) else value


def _is_same(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except ValueError:  # an array within something else
        return False


def _show(params: dict[str, Any], name: str) -> str:
    return repr(params[name]) if name in params else "not set"


def set_signature(cls: type[BaseEstimator]) -> None:
    """Leave ``**nested`` out of the signature of a class: it is no parameter, but names of some."""
    signature = inspect.signature(cls.__init__)
    _, *shown = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    cls.__signature__ = signature.replace(parameters=shown)
    cls._prefixes = tuple(f"{name}__" for name in cls._nested)
    cls._shown = tuple(sorted(p.name for p in shown))
    cls._shown_names = frozenset(cls._shown)


def check_nested_names(cls: type[BaseEstimator], names: Iterable[str]) -> None:
    """Raise TypeError unless names begin with one of the prefixes that a class takes."""
    for name in names:
        if name.partition("__")[0] not in cls._nested or "__" not in name:
            prefixes = ", ".join(f"'{prefix}__'" for prefix in cls._nested)
            further = f" Further arguments begin with one of {prefixes}."
            raise TypeError(
                f"{cls.__name__}.__init__() got an unexpected keyword argument {name!r}."
                f"{suggest_parameter(name, cls._shown) or further}"
            )


def nested_arguments(estimator: BaseEstimator, name: str) -> dict[str, Any]:
    """Return the arguments of an estimator that begin with ``<name>__``, without it."""
    prefix, found = f"{name}__", {}
    for key, value in vars(estimator).items():
        if "__" in key and key.startswith(prefix):  # the first is faster, and mostly enough
            found[key.removeprefix(prefix)] = value
    return found
