"""State of the learning of a perceptron: its units, sums for averages, and settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.extmath import safe_sparse_dot

from sknn._saved import saved
from sknn.threshold._inputs import FeatureMatrix

#: epochs without progress before the end: an epoch is a single step of the batch rule
_PATIENCE = {"batch": 10, "online": 5}

#: gets the row of an epoch, and returns True to stop
EpochCallback = Callable[[Mapping[str, float | np.ndarray]], bool | None]


@dataclass(frozen=True)
class LearningConfig:
    """Settings of learning; see the parameters of `PerceptronClassifier`.

    Attributes
    ----------
    eta0 : float
        Step size.
    l2, l1 : float
        Strength of each penalty, ``alpha`` shared out by ``l1_ratio``.
    patience : int
        Epochs without progress before the end.
    pocket : bool
        Whether the weights with the fewest errors answer, not the last ones.
    n_jobs : int
        Threads that share the units of the online rule among them.
    """

    eta0: float
    l2: float
    l1: float
    fit_intercept: bool
    max_iter: int
    tol: float | None
    patience: int
    shuffle: bool
    average: bool
    pocket: bool
    n_jobs: int
    verbose: int
    record_weights: Literal["epoch", "update"] | None
    callbacks: tuple[EpochCallback, ...]


def make_config(params: Mapping[str, Any], one_epoch: bool = False) -> LearningConfig:
    """Return the settings that parameters of `PerceptronClassifier` mean."""
    get = params.__getitem__
    l1_share = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": get("l1_ratio")}[get("penalty")]
    alpha = 0.0 if get("penalty") is None else get("alpha")
    patience, pocket = get("n_iter_no_change"), get("pocket")
    if pocket == "auto":
        pocket = get("update") == "batch"
    kept = ("eta0", "fit_intercept", "shuffle", "average", "verbose", "record_weights")
    return LearningConfig(
        l2=alpha * (1 - l1_share),
        l1=alpha * l1_share,
        max_iter=1 if one_epoch else get("max_iter"),
        tol=None if one_epoch else get("tol"),
        patience=_PATIENCE[get("update")] if patience == "auto" else patience,
        pocket=pocket and not one_epoch,
        n_jobs=effective_n_jobs(get("n_jobs")),
        callbacks=_check_callbacks(get("callbacks") or ()),
        **{name: get(name) for name in kept},
    )


def _check_callbacks(callbacks: Sequence[EpochCallback]) -> tuple[EpochCallback, ...]:
    for callback in callbacks:
        if not callable(callback) or isinstance(callback, type):
            raise TypeError(
                "An item of callbacks must be a function of an epoch's entry that may return True "
                f"to stop; got {callback!r}. Callbacks of skorch need a network of PyTorch, such "
                "as DeepMLPClassifier."
            )
    return tuple(callbacks)


@saved
@dataclass
class LinearUnits:
    """Weights of shape (n_units, n_features) and intercepts of shape (n_units,)."""

    coef: np.ndarray
    intercept: np.ndarray

    @classmethod
    def join(cls, parts: list["LinearUnits"]) -> "LinearUnits":
        """Return the units of several sets in one."""
        return cls(
            np.concatenate([part.coef for part in parts]),
            np.concatenate([part.intercept for part in parts]),
        )

    def select(self, units: np.ndarray) -> "LinearUnits":
        """Return some of the units, by their numbers."""
        return LinearUnits(self.coef[units], self.intercept[units])

    def plus(self, other: "LinearUnits", factor: float = 1.0) -> "LinearUnits":
        """Return ``self + factor * other``."""
        coef, intercept = factor * other.coef, factor * other.intercept
        return LinearUnits(self.coef + coef, self.intercept + intercept)

    def is_finite(self) -> bool:
        """Return whether no weight is infinite or not a number."""
        return bool(np.all(np.isfinite(self.coef)) and np.all(np.isfinite(self.intercept)))


@saved
@dataclass
class PerceptronState:
    """State of learning, from which it goes on.

    Attributes
    ----------
    units : LinearUnits
        Weights after the last step.
    total : LinearUnits
        Weights summed over steps (epochs of the batch rule, samples of the online rule), kept if
        averages are asked for.
    n_steps, n_updates : ndarray of int of shape (n_units,)
        Number of steps, and of those that changed a unit because of an error.
    """

    units: LinearUnits
    total: LinearUnits
    n_steps: np.ndarray
    n_updates: np.ndarray

    @classmethod
    def start(cls, n_units: int, n_features: int) -> "PerceptronState":
        """Return the state before the first step, where all weights are 0."""
        zeros = LinearUnits(np.zeros((n_units, n_features)), np.zeros(n_units))
        none = np.zeros(n_units, dtype=int)
        return cls(zeros, zeros, none, none)

    @classmethod
    def join(cls, parts: list["PerceptronState"]) -> "PerceptronState":
        """Return the state of all units of several states."""
        return cls(
            LinearUnits.join([part.units for part in parts]),
            LinearUnits.join([part.total for part in parts]),
            np.concatenate([part.n_steps for part in parts]),
            np.concatenate([part.n_updates for part in parts]),
        )

    def select(self, units: np.ndarray) -> "PerceptronState":
        """Return the state of some units, by their numbers."""
        return PerceptronState(
            self.units.select(units),
            self.total.select(units),
            self.n_steps[units],
            self.n_updates[units],
        )

    def get_answer(self, config: LearningConfig) -> LinearUnits:
        """Return the units to answer with: those of the last step, or the mean over all steps."""
        if not config.average:
            return self.units
        n_steps = np.maximum(self.n_steps, 1)
        return LinearUnits(self.total.coef / n_steps[:, None], self.total.intercept / n_steps)


def compute_margins(X: FeatureMatrix, units: LinearUnits) -> np.ndarray:
    """Return ``X @ coef.T + intercept``, of shape (n_samples, n_units)."""
    return safe_sparse_dot(X, units.coef.T, dense_output=True) + units.intercept


def fires(margins: np.ndarray) -> np.ndarray:
    """Return where margins are above 0: 0 itself is no answer, as in scikit-learn."""
    return margins > 0
