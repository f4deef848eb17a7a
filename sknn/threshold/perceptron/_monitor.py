"""Errors of a perceptron, epoch by epoch: when to stop, and which weights answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from sknn.exceptions import NonFiniteLossError
from sknn.threshold._linear_base import TrainingSet
from sknn.threshold.perceptron._state import (
    LearningConfig,
    LinearUnits,
    PerceptronState,
    compute_margins,
    fires,
)

#: margins closer to 0 than this share of the largest are rounding errors of 0
ROUNDING = 1e-12


@dataclass
class WeightHistory:
    """Weights after the steps of learning, in lists of equal length.

    Attributes
    ----------
    epoch : list of int
        Number of the epoch, from 1; 0 for the weights at the start.
    sample : list of int
        Position in X of the sample that changed the weights; -1 for all of an epoch.
    units : list of LinearUnits
    """

    epoch: list[int] = field(default_factory=list)
    sample: list[int] = field(default_factory=list)
    units: list[LinearUnits] = field(default_factory=list)

    def add(self, epoch: int, sample: int, units: LinearUnits) -> None:
        """Append a copy of the weights."""
        self.epoch.append(epoch)
        self.sample.append(sample)
        self.units.append(LinearUnits(units.coef.copy(), units.intercept.copy()))

    def as_arrays(self, n_epochs: int) -> dict[str, np.ndarray]:
        """Return epochs, samples, weights and intercepts of the first `n_epochs` epochs."""
        n_entries = int(np.searchsorted(self.epoch, n_epochs, side="right"))
        return {
            "epoch": np.array(self.epoch[:n_entries], dtype=int),
            "sample": np.array(self.sample[:n_entries], dtype=int),
            "coef": np.array([units.coef for units in self.units[:n_entries]]),
            "intercept": np.array([units.intercept for units in self.units[:n_entries]]),
        }


@dataclass(frozen=True)
class Outcome:
    """Result of the epochs so far, which is replaced as a whole.

    Attributes
    ----------
    state : PerceptronState
        State from which the rule goes on, in its coordinates.
    units : LinearUnits
        Units that predict.
    margins : ndarray of shape (n_samples, n_units)
        Margins of these units on the training samples.
    n_epochs : int
    """

    state: PerceptronState
    units: LinearUnits
    margins: np.ndarray
    n_epochs: int


class ErrorMonitor:
    """Count errors after each epoch, say when progress ends, and keep the units to answer with.

    Parameters
    ----------
    training, held_out : TrainingSet, TrainingSet or None
        The errors on the held-out samples tell progress, if there are any.
    config : LearningConfig
    before : LinearUnits or None
        The answer of the fit before; the pocket begins with it.

    Attributes
    ----------
    errors : list of float
        Misclassified weight of each epoch.
    history : WeightHistory
        Empty unless weights are recorded.
    outcome : Outcome
        Set at the end of the first epoch.
    converged, interrupted : bool
        Why learning ended; both are False where `max_iter` was reached.
    """

    outcome: Outcome

    def __init__(
        self,
        training: TrainingSet,
        held_out: TrainingSet | None,
        config: LearningConfig,
        before: LinearUnits | None,
    ) -> None:
        self.training, self.held_out, self.config = training, held_out, config
        self.errors: list[float] = []
        self.history = WeightHistory()
        self.total = (training if held_out is None else held_out).weights.sum()
        self.least = self.reference = np.inf
        self.kept: tuple[LinearUnits, np.ndarray] | None = None
        self.n_stalled, self.interrupted = 0, False
        self.converged = config.tol is None
        if before is not None and config.pocket:
            self._keep(before, compute_margins(training.X, before))
            self.reference = self.least

    def begin(self, units: LinearUnits) -> None:
        """Record the weights at the start."""
        if self.config.record_weights is not None:
            self.history.add(0, -1, units)

    def end_epoch(
        self, state: PerceptronState, last: LinearUnits, answer: LinearUnits, margins: np.ndarray
    ) -> bool:
        """Take note of an epoch, and return whether a callback asks to stop.

        `last` are the weights after it, `answer` those to answer with, and `margins` theirs.
        """
        if not answer.is_finite():
            raise NonFiniteLossError(
                f"The weights became infinite or not a number in epoch {len(self.errors) + 1}. "
                "Scale X (with StandardScaler, for instance), use a smaller eta0, or sample and "
                "class weights that are closer to 1."
            )
        wrong = count_errors(self.training, margins)
        kept = self._keep(answer, margins, wrong)
        n_epochs = len(self.errors) + 1
        if self.config.record_weights == "epoch":
            self.history.add(n_epochs, -1, last)
        self.errors.append(wrong)
        self.outcome = Outcome(state, *kept, n_epochs)
        if self.config.verbose:
            print(f"epoch {n_epochs}: {wrong:g} misclassified")  # noqa: T201
        return self._call_callbacks(n_epochs, last)

    def _call_callbacks(self, epoch: int, last: LinearUnits) -> bool:
        """Return whether one of them returns True; a list, so that all are called."""
        row: dict[str, float | np.ndarray] = {"epoch": epoch, "errors": self.errors[-1]}
        row |= {"coef": last.coef, "intercept": last.intercept}
        stops = [callback(dict(row)) for callback in self.config.callbacks]
        return any(isinstance(stop, bool | np.bool_) and bool(stop) for stop in stops)

    def _keep(
        self, units: LinearUnits, margins: np.ndarray, wrong: float | None = None
    ) -> tuple[LinearUnits, np.ndarray]:
        """Return the units to answer with, these or earlier ones, and their margins."""
        if self.held_out is not None:
            wrong = count_errors(self.held_out, compute_margins(self.held_out.X, units))
        elif wrong is None:
            wrong = count_errors(self.training, margins)
        better = wrong < self.least - ROUNDING * self.total
        if better or self.kept is None or not self.config.pocket:
            self.kept = units, margins
        self.least = wrong if better else self.least
        return self.kept

    def has_stalled(self) -> bool:
        """Return whether the errors have not fallen by ``tol`` for too many epochs."""
        if self.config.tol is None:
            return False
        progress = self.least < self.reference - self.config.tol * self.total
        self.reference = self.least if progress else self.reference
        self.n_stalled = 0 if progress else self.n_stalled + 1
        return self.n_stalled >= self.config.patience

    @contextmanager
    def catch_interrupt(self) -> Iterator[None]:
        """Let Ctrl-C end learning with the last whole epoch, if there is one."""
        try:
            yield
        except KeyboardInterrupt:
            if not hasattr(self, "outcome"):
                raise
            self.interrupted = True


def count_errors(samples: TrainingSet, margins: np.ndarray) -> float:
    """Return the weight of the samples, or of the single labels, that are misclassified."""
    if samples.codes is None or margins.shape[1] == 1:
        wrong = np.sum(fires(margins) != (samples.signs > 0), axis=1)
    else:
        wrong = margins.argmax(axis=1) != samples.codes
    return float(samples.weights @ wrong)
