"""Entries of the tables of losses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
from sklearn.metrics import d2_pinball_score, r2_score

from sknn._saved import saved
from sknn.losses._array import Array
from sknn.losses._outputs import IDENTITY, OutputActivation
from sknn.losses._settings import Setting


@saved
@dataclass(frozen=True)
class LossFunction:
    """A loss and its gradient, written for arrays of NumPy and of torch alike.

    Samples lie along the last axis and outputs along the axis before; further axes in front, such
    as one of several networks, are broadcast.

    Attributes
    ----------
    value : callable
        ``value(xp, z, y, **settings)`` returns the loss per sample, of shape (..., n_samples), for
        logits or raw predictions z of shape (..., n_outputs, n_samples) and encoded targets y of
        shape (..., n_columns, n_samples); classes are one-hot. `xp` is an
        `~sknn.losses._array.ArrayNamespace`.
    gradient : callable
        ``gradient(xp, z, y, out, **settings)`` overwrites `out`, of the shape of z, by the
        derivative of the loss per sample with respect to z. It leaves z and y as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import NUMPY, VALUE_LOSSES
    >>> huber = VALUE_LOSSES["huber"].function
    >>> z, y = np.array([[0.5, 3.0]]), np.zeros((1, 2))
    >>> huber.value(NUMPY, z, y, delta=1.0)
    array([0.125, 2.5  ])
    >>> gradient = np.empty_like(z)
    >>> huber.gradient(NUMPY, z, y, gradient, delta=1.0)
    >>> gradient
    array([[0.5, 1. ]])
    """

    value: Callable[..., Array]
    gradient: Callable[..., Array | None]


@saved
@dataclass(frozen=True)
class Score:
    """Score of predictions of encoded y: larger is better, 1 is perfect.

    Attributes
    ----------
    name : str
        Name in displays.
    function : callable
        ``function(y, predicted, sample_weight, settings)``.
    """

    name: str
    function: Callable[
        [np.ndarray, np.ndarray, np.ndarray | None, Mapping[str, float | tuple[float, ...] | None]],
        float,
    ]


def _score_r2(y: np.ndarray, predicted: np.ndarray, sample_weight, settings) -> float:
    """Return R² of predictions of shape (n_samples, n_columns)."""
    return r2_score(y, predicted, sample_weight=sample_weight)


def _score_d2(y: np.ndarray, predicted: np.ndarray, sample_weight, settings) -> float:
    """Return D², averaged over levels, of quantiles (n_samples, n_columns, n_levels)."""
    scores = [
        d2_pinball_score(y, predicted[..., k], alpha=level, sample_weight=sample_weight)
        for k, level in enumerate(settings["quantiles"])
    ]
    return float(np.mean(scores))


R2, D2 = Score("R²", _score_r2), Score("D²", _score_d2)


@saved
@dataclass(frozen=True)
class ValueLoss:
    """Loss of numbers, as regressors take it for ``loss``.

    Attributes
    ----------
    name : str
        Name of the loss.
    function : LossFunction or None
        Formulas; None for a user-defined function, which autograd differentiates.
    output : OutputActivation, default=IDENTITY
        Inverse link, from raw predictions to predictions of encoded y, with the number of raw
        predictions per column of y.
    standardizes : bool, default=True
        Whether y may be shifted and scaled; then the network learns standardised numbers.
    scales : bool, default=False
        Whether y may be divided by its mean without a change of the loss; then training starts
        from predictions of that size.
    lowest : {'', '>= 0', '> 0'}, default=''
        Range of y.
    settings : mapping of str to Setting, default={}
        Settings that a user may give as ``loss__<name>``.
    score : Score, default=R2
        Default score of predictions.
    variance_power : float, default=0.0
        Power of the mean to which the variance of y is proportional: 0 if it is the same for
        all samples. Prediction intervals are as wide as its root.
    is_bounded : bool, default=False
        Whether y lies in a range, the setting ``y_range`` (None is that of the training samples),
        which is encoded as 0 to 1.
    in_range : str, default=''
        Name of the loss that takes the place of this one where predictions are to stay in a range.
    scores_loss : bool, default=False
        Whether early stopping uses the loss of held-out samples, because the score ignores a part
        of what is learned.

    Examples
    --------
    The logarithm of cosh(e) is e²/2 near 0 and abs(e) - log 2 far away, and its slope is tanh(e):

    >>> import numpy as np
    >>> from sknn import DeepMLPRegressor
    >>> from sknn.losses import LossFunction, ValueLoss
    >>> def log_cosh(xp, z, y):
    ...     error = xp.abs(z - y)
    ...     return xp.sum(error + xp.softplus(-2 * error) - np.log(2), axis=-2)
    >>> def log_cosh_gradient(xp, z, y, out):
    ...     out[...] = 2 * xp.sigmoid(2 * (z - y)) - 1
    >>> loss = ValueLoss("log_cosh", LossFunction(log_cosh, log_cosh_gradient))
    >>> X = np.linspace(-1, 1, 100)[:, None]
    >>> y = np.sin(3 * X[:, 0])
    >>> model = DeepMLPRegressor(loss, (16,), solver="lbfgs", random_state=0).fit(X, y)
    >>> round(model.score(X, y), 2)
    1.00
    """

    name: str
    function: LossFunction | None
    output: OutputActivation = IDENTITY
    standardizes: bool = True
    scales: bool = False
    lowest: Literal["", ">= 0", "> 0"] = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    score: Score = R2
    scores_loss: bool = False
    variance_power: float = 0.0
    is_bounded: bool = False
    in_range: str = ""


@saved
@dataclass(frozen=True)
class ClassLoss:
    """Loss of classes, as classifiers take it for ``loss``.

    Attributes
    ----------
    name : str
        Name of the loss.
    per_class : LossFunction or None
        Formulas for three classes and more, with a logit for each; None for a function of the
        user's, which autograd differentiates.
    per_label : LossFunction or None
        Formulas for two classes and for label sets, with a logit for each label, y of 0 and 1.
    gives_probabilities : bool, default=True
        Whether softmax or sigmoid of the logits are probabilities.
    settings : mapping of str to Setting, default={}
        Settings that a user may give as ``loss__<name>``.

    Examples
    --------
    >>> from sknn.losses import CLASS_LOSSES
    >>> [name for name, loss in CLASS_LOSSES.items() if loss.gives_probabilities]
    ['log_loss', 'focal']
    """

    name: str
    per_class: LossFunction | None
    per_label: LossFunction | None
    gives_probabilities: bool = True
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def out_activation(self, has_several_classes: bool) -> str:
        """Return the name of the output activation, 'identity' if there are no probabilities.

        Parameters
        ----------
        has_several_classes : bool
            Whether there is a logit per class, of three classes and more, rather than per label.

        Returns
        -------
        {'softmax', 'logistic', 'identity'}
        """
        if not self.gives_probabilities:
            return "identity"
        return "softmax" if has_several_classes else "logistic"


Entry = TypeVar("Entry", ValueLoss, ClassLoss)


#: a key of `CLASS_LOSSES` or `VALUE_LOSSES`, an entry of one's own, or ``loss(output, target)``
Loss = str | ClassLoss | ValueLoss | Callable


def find_loss(loss: object, table: Mapping[str, Entry], of_user: Entry) -> Entry:
    """Return the entry of a loss in a table; a callable is `of_user`, an entry is itself."""
    if isinstance(loss, type(of_user)):
        return loss
    if isinstance(loss, str) and loss in table:
        return table[loss]
    if isinstance(loss, type):
        raise ValueError(
            f"loss must be an instance, got the class {loss.__name__}. Write {loss.__name__}(...); "
            "for a loss of torch with reduction='none', as the mean is taken here."
        )
    if not isinstance(loss, str) and callable(loss):
        return of_user
    raise ValueError(
        f"loss must be one of {sorted(table)}, a {type(of_user).__name__} of sknn.losses, or a "
        "function loss(output, target) of tensors that returns the loss per sample; got "
        f"{loss!r}."
    )
