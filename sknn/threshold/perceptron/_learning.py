"""Both learning rules behind one function, and the slope of the probabilities after them."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn.exceptions import NonFiniteLossError, warn_user
from sknn.threshold.perceptron._batch_rule import learn_batch
from sknn.threshold.perceptron._moments import Moments
from sknn.threshold.perceptron._monitor import ErrorMonitor
from sknn.threshold.perceptron._online_rule import learn_online
from sknn.threshold.perceptron._platt import fit_slopes
from sknn.threshold.perceptron._state import PerceptronState


def learn(
    update: str,
    monitor: ErrorMonitor,
    state: PerceptronState,
    moments: Moments,
    random_state: np.random.RandomState,
) -> tuple[PerceptronState, Moments]:
    """Learn by the rule that is named; the monitor keeps the units to answer with.

    Returned are the state after it, and the moments with those of the samples, if the rule needs
    them.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # an error follows
        if update == "batch":
            moments = moments.add(monitor.training.X, monitor.training.weights)
            state = learn_batch(monitor, state, moments, monitor.config)
        else:
            state = learn_online(monitor, state, monitor.config, random_state)
    if monitor.interrupted:
        warn_user(
            f"Training was interrupted after epoch {monitor.outcome.n_epochs}; the perceptron has "
            "the weights learned so far.",
        )
    elif not monitor.converged:
        warn_user(
            f"The perceptron was still learning after {monitor.config.max_iter} epochs. Raise "
            "max_iter, or standardise X.",
            ConvergenceWarning,
        )
    return state, moments


def fit_link(monitor: ErrorMonitor) -> float | np.ndarray:
    """Return the slopes of the inverse link for the units to answer with; see `fit_slopes`."""
    margins = monitor.outcome.margins
    with np.errstate(over="ignore", invalid="ignore"):
        slope = fit_slopes(margins, monitor.training)
    if not (np.all(np.isfinite(margins)) and np.all(np.isfinite(slope))):
        raise NonFiniteLossError(
            "The weighted sums of training samples are too large, or too close to 0, for float64. "
            "Scale X (with StandardScaler, for instance), or give sample and class weights that "
            "are closer to 1."
        )
    return slope
