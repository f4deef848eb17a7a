"""Suggestions for parameters and values by the names of other packages, or with slips."""

import inspect
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache, wraps
from typing import Any, cast

import numpy as np
from sklearn.base import BaseEstimator

from sknn._refusals import show
from sknn._sklearn import (
    InvalidParameterError,
    Method,
    StrOptions,
    validate_parameter_constraints,
)

#: parameter -> its names elsewhere; where a class lacks the first of two, the other is meant
PARAMETERS = {
    "max_iter": ("epochs", "n_epochs", "num_epochs", "nb_epoch", "max_epochs", "n_iter"),
    "learning_rate_init": ("lr", "learning_rate", "eta", "eta0", "step_size"),
    "solver": ("optimizer", "optim", "algorithm", "learning_rule"),
    "loss": ("criterion", "objective", "loss_fn", "loss_function"),
    "hidden_layer_sizes": (
        *("layers", "hidden_layers", "hidden_units", "hidden_sizes", "hidden_size", "hidden_dims"),
        *("units", "n_units", "n_hidden", "num_hidden", "neurons", "layer_sizes", "architecture"),
    ),
    "hidden_width": ("width", "d_hidden", "units", "n_units", "hidden_units", "hidden_size"),
    "n_hidden_layers": ("depth", "num_layers", "n_layers", "layers"),
    "activation": ("nonlinearity", "act", "activation_function", "hidden_activation"),
    "batch_size": ("batchsize", "minibatch_size", "mini_batch_size"),
    "n_iter_no_change": ("patience", "n_stable", "early_stopping_rounds"),
    "validation_fraction": ("validation_split", "train_split", "valid_size", "test_size"),
    "random_state": ("seed", "random_seed", "rng", "manual_seed"),
    "alpha": ("l2", "reg_lambda", "weight_decay", "regularization", "l2_reg"),
    "dropout": ("dropout_rate", "drop_rate", "p_dropout", "hidden_dropout"),
    "normalization": ("batch_norm", "batchnorm", "use_bn", "norm"),
    "initializer": ("init", "kernel_initializer", "weight_init", "init_method"),
    "scoring": ("eval_metric", "metric", "metrics"),
    "class_weight": ("class_weights", "scale_pos_weight"),
    "categorical_features": ("cat_features", "categorical_columns", "cat_cols"),
    "max_grad_norm": ("clipnorm", "clip_grad", "gradient_clip", "grad_clip"),
    "n_members": ("n_estimators", "ensemble_size", "n_models"),
    "n_components": ("latent_dim", "latent_size", "code_size", "encoding_dim", "bottleneck"),
    "n_filters": ("filters", "num_filters", "n_kernels", "channels", "out_channels"),
    "kernel_size": ("filter_size", "kernel_width", "motif_length"),
    "device": ("cuda", "gpu", "use_gpu"),
    "alphabet": ("letters", "vocabulary"),
}
#: value -> its names elsewhere, without regard to case, hyphens and underscores
VALUES = {
    "log_loss": (
        *("cross_entropy", "categorical_crossentropy", "sparse_categorical_crossentropy"),
        *("binary_crossentropy", "bce", "ce", "nll", "nll_loss", "log", "softmax"),
    ),
    "squared_error": ("mse", "mse_loss", "mean_squared_error", "l2", "ls", "squared_loss"),
    "absolute_error": ("mae", "mean_absolute_error", "l1", "lad"),
    "huber": ("smooth_l1", "huber_loss"),
    "gaussian_nll": ("gaussian", "normal", "nll"),
    "quantile": ("pinball", "quantile_loss"),
    "silu": ("swish",),
    "identity": ("linear", "none"),
    "batch": ("bn", "batchnorm"),
    "layer": ("ln", "layernorm"),
    "glorot_uniform": ("xavier", "xavier_uniform", "glorot"),
    "glorot_normal": ("xavier_normal",),
    "he_uniform": ("kaiming", "kaiming_uniform", "he"),
    "he_normal": ("kaiming_normal",),
    "float32": ("float", "single", "fp32"),
    "float64": ("double", "fp64"),
    "bfloat16": ("bf16",),
    "standard": ("zscore", "standardize", "standard_scaler"),
    "cosine": ("cosine_annealing", "cosine_annealing_lr"),
    "one_cycle": ("one_cycle_lr",),
    "plateau": ("reduce_on_plateau", "reduce_lr_on_plateau"),
    "lbfgs": ("l_bfgs_b", "bfgs"),
    "online": ("sgd", "stochastic"),
    "accuracy": ("acc",),
    "roc_auc": ("auc", "auroc"),
    "r2": ("r_squared", "rsquared"),
    "neg_log_loss": ("log_loss", "logloss", "cross_entropy"),
    "neg_mean_squared_error": ("mse", "mean_squared_error"),
    "neg_root_mean_squared_error": ("rmse", "root_mean_squared_error"),
    "neg_mean_absolute_error": ("mae", "mean_absolute_error"),
}
#: kinds of defaults that are compared
_PLAIN = (bool, int, float, str, type(None))
#: how alike two names must be, of 1, for one to be taken for a slip of the other
ALIKE = 0.75


def suggest_parameter(name: str, known: Iterable[str]) -> str:
    """Return a sentence that says which of the parameters `known` is meant, or ''."""
    meant = find_parameter(name, known)
    return f" Write {meant!r} for {name!r}." if meant else ""


def find_parameter(name: str, known: Iterable[str]) -> str:
    """Return which of the parameters `known` is meant by another name, or ''."""
    known = list(known)
    meant = [ours for ours, others in PARAMETERS.items() if name in others and ours in known]
    meant = meant or get_close_matches(name, known, n=1, cutoff=ALIKE)
    return meant[0] if meant else ""


def suggest_value(value: object, options: Iterable[str]) -> str:
    """Return a sentence that says which of the strings `options` is meant, or ''.

    >>> suggest_value("ReLU", ["relu", "tanh"])
    " Write 'relu'."
    """
    if not isinstance(value, str):
        return ""
    plain = {_simplify(option): option for option in options}
    name = _simplify(value)
    meant = [plain[name]] if name in plain else []
    meant += [
        ours
        for ours, others in VALUES.items()
        if ours in plain.values() and name in map(_simplify, others)
    ]
    meant += [plain[key] for key in get_close_matches(name, plain, n=1, cutoff=ALIKE)]
    return f" Write {meant[0]!r}." if meant else ""


def _simplify(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).casefold()


def validate_params(estimator: BaseEstimator) -> None:
    """Check parameters as scikit-learn does; errors say what to write, and name nothing private.

    It is the method ``_validate_params`` of estimators. Defaults are right, and not checked.
    """
    defaults = read_defaults(cast("Hashable", type(estimator)))
    changed = {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if type(value) is not type(default := defaults.get(name, ...))
        or value is ...
        or value != default
    }
    try:
        validate_parameter_constraints(
            estimator._parameter_constraints, changed, caller_name=type(estimator).__name__
        )
    except InvalidParameterError as error:
        raise InvalidParameterError(_explain_value(str(error), estimator)) from None


@cache
def read_defaults(cls: Hashable) -> Mapping[str, object]:
    """Return the defaults of a class's parameters that are plain numbers, text or None."""
    parameters = inspect.signature(cast("type", cls)).parameters.values()
    return {p.name: p.default for p in parameters if type(p.default) in _PLAIN}


def _explain_value(text: str, estimator: BaseEstimator) -> str:
    """Return scikit-learn's words on a wrong value with what to write."""
    found = re.match(r"The '(\w+)' parameter of ", text)
    if found is not None:
        value = estimator.get_params(deep=False).get(found[1])
        constraints = type(estimator)._parameter_constraints.get(found[1], [])
        options = {o for c in constraints if isinstance(c, StrOptions) for o in c.options}
        text = text.replace(repr(value), show(value)) + suggest_value(value, options)
        if np.ndim(value) == 2:
            text += " Samples and targets are arguments of fit(X, y)."
    return re.sub(r"'sknn\.(?:deep\.[\w.]*\.|(\w+\.)_[\w.]*\.)(\w+)'", r"'sknn.\1\2'", text)


def check_no_class(estimator: object, taker: str) -> None:
    """Raise TypeError for a class where `taker` takes an estimator."""
    if isinstance(estimator, type):
        name = estimator.__name__
        raise TypeError(f"{taker} takes an estimator; got the class {name}. Write {name}().")


@contextmanager
def explain_invalid_names(known: Iterable[str]) -> Iterator[None]:
    """Let scikit-learn's error about a parameter that is not there say which one is meant."""
    try:
        yield
    except ValueError as error:
        if (found := re.match(r"Invalid parameter '(\w+)' for", str(error))) is None:
            raise
        raise ValueError(f"{error}{suggest_parameter(found[1], known)}") from None


def explain_unknown_parameters(
    remedies: Mapping[str, str] | None = None,
) -> Callable[[Method], Method]:
    """Let a constructor say what to do in place of a parameter that it does not have.

    `remedies` are sentences by the names of parameters that other estimators have; of other names
    it is said which parameter is meant.
    """

    def decorate(init: Method) -> Method:
        known = [name for name in inspect.signature(init).parameters if name != "self"]

        @wraps(init)
        def call(self: BaseEstimator, *args: Any, **kwargs: Any) -> None:
            for unknown in kwargs:
                if unknown in known:
                    continue
                advice = (remedies or {}).get(unknown)
                advice = f" {advice}" if advice else suggest_parameter(unknown, known)
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                    f"{unknown!r}.{advice}"
                )
            init(self, *args, **kwargs)

        return cast(Method, call)

    return decorate
