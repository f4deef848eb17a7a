"""Parameters of deep estimators: what training takes, once; and those of a parameter.

A parameter of training is one entry in `TRAINING_PARAMS`, and a field of
`sknn._specs.TrainConfig` if the engine reads it. ``module__width=64`` is a parameter of the class
given as `module`, see `NestedParams`.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any

import numpy as np

from sknn._sklearn import Interval, Options, StrOptions
from sknn._specs import TrainConfig
from sknn.losses import CLASS_LOSSES, VALUE_LOSSES, ClassLoss, ValueLoss


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
    """

    constraint: list
    shapes_preparation: bool = True


def _in_epochs(*constraint: Any) -> TrainingParam:
    """Return a parameter that is not read before the first epoch."""
    return TrainingParam(list(constraint), shapes_preparation=False)


_AT_LEAST_0 = Interval(Real, 0, None, closed="left")
_ABOVE_0 = Interval(Real, 0, None, closed="neither")
_BELOW_1 = Interval(Real, 0, 1, closed="left")
_SHARE = Interval(Real, 0, 1, closed="both")
_COUNT = Interval(Integral, 1, None, closed="left")

TRAINING_PARAMS: dict[str, TrainingParam] = {
    "solver": TrainingParam(
        [StrOptions({"lbfgs", "sgd", "adam", "adamw", "nadam", "rmsprop"}), type]
    ),
    "alpha": _in_epochs(_AT_LEAST_0),
    "batch_size": _in_epochs(StrOptions({"auto"}), _COUNT),
    "learning_rate": TrainingParam(
        [
            StrOptions({"constant", "invscaling", "adaptive", "cosine", "one_cycle", "plateau"}),
            type,
        ]
    ),
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
    "device": TrainingParam([str]),
    "dtype": TrainingParam([StrOptions({"auto", "float32", "float64", "tf32", "bfloat16"})]),
    "compile": TrainingParam(["boolean"]),
}

#: parameters that matter only once a network is prepared, from the first epoch on
FOR_TRAINING_ALONE = frozenset(
    name for name, param in TRAINING_PARAMS.items() if not param.shapes_preparation
)

#: name -> constraint of the parameters that belong to a task
CLASSIFIER_CONSTRAINTS: dict[str, list] = {
    "loss": [StrOptions(set(CLASS_LOSSES)), ClassLoss, callable],
    "label_smoothing": [_BELOW_1],
    "class_weight": [dict, list, StrOptions({"balanced"}), None],
}
REGRESSOR_CONSTRAINTS: dict[str, list] = {
    "loss": [StrOptions(set(VALUE_LOSSES)), ValueLoss, callable],
    "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like", None],
    "standardize_target": ["boolean"],
}


def training_constraints(*names: str, but: tuple[str, ...] = ()) -> dict[str, list]:
    """Return the constraints of parameters of training: of all, or of those named."""
    kept = names or [name for name in TRAINING_PARAMS if name not in but]
    return {name: TRAINING_PARAMS[name].constraint for name in kept}


def read_training_params(estimator: Any) -> dict[str, Any]:
    """Return the fields of `TrainConfig` that an estimator has parameters for."""
    known = {field.name for field in fields(TrainConfig)}
    names = [name for name in TRAINING_PARAMS if name in known and hasattr(estimator, name)]
    return {name: plain_number(getattr(estimator, name)) for name in names}


def plain_number(value: Any) -> Any:
    """Return Python's number for NumPy's, which torch does not always take."""
    return value.item() if isinstance(value, np.generic) else value


class NestedParams:
    """Let an estimator take keyword arguments ``<name>__<argument>`` for some parameters.

    They are attributes and parameters like all others, so that ``set_params``, ``clone`` and grid
    searches know them. A final class says which parameters may have some in ``_nested``.
    """

    _nested: tuple[str, ...] = ()
    #: names in the signature, read once: scikit-learn reads it anew for each clone
    _shown: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any):
        """Leave ``**nested`` out of the signature: it is no parameter, but names of some."""
        super().__init_subclass__(**kwargs)
        signature = inspect.signature(cls.__init__)
        _, *shown = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        cls.__signature__ = signature.replace(parameters=shown)
        cls._shown = tuple(sorted(p.name for p in shown))

    def _set_nested(self, arguments: Mapping[str, object]) -> None:
        for name in arguments:
            if name.partition("__")[0] not in self._nested or "__" not in name:
                prefixes = ", ".join(f"'{prefix}__'" for prefix in self._nested)
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                    f"{name!r}. Further arguments begin with one of {prefixes}."
                )
        vars(self).update(arguments)

    def _nested_arguments(self, name: str) -> dict[str, Any]:
        """Return the arguments that begin with ``<name>__``, without it."""
        prefix = f"{name}__"
        return {
            key.removeprefix(prefix): value
            for key, value in vars(self).items()
            if key.startswith(prefix)
        }

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Also return those of nested estimators.

        Returns
        -------
        dict
        """
        params: dict[str, Any] = {}
        for name in self._shown:
            params[name] = value = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                inner = value.get_params(deep=True)
                params.update({f"{name}__{key}": item for key, item in inner.items()})
        prefixes = tuple(f"{name}__" for name in self._nested)
        params.update({k: v for k, v in vars(self).items() if k.startswith(prefixes)})
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Names and values; also ``<name>__<argument>`` as in the constructor.

        Returns
        -------
        self : object
        """
        prefixes = tuple(f"{name}__" for name in self._nested)
        nested = {key: value for key, value in params.items() if key.startswith(prefixes)}
        super().set_params(**{key: params[key] for key in params if key not in nested})
        vars(self).update(nested)
        return self
