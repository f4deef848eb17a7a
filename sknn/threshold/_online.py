"""Rosenblatt's learning rule, row by row."""

import numpy as np

from sknn.threshold._one_unit_per_class import Rows
from sknn.threshold._online_blocks import BlockEpochs
from sknn.threshold._online_rows import RowEpochs
from sknn.threshold._online_teams import Teams
from sknn.threshold._rosenblatt import Course, LearningConfig, Units, Watch, decide, fires


def learn_online(
    watch: Watch, course: Course, config: LearningConfig, random_state: np.random.RandomState
) -> Course:
    """Update on each misclassified row in turn, as `sklearn.linear_model.Perceptron` does.

    Parameters
    ----------
    watch : Watch
        With the rows; keeps the units to answer with.
    course : Course
        To go on from.
    config : LearningConfig
    random_state : numpy.random.RandomState
        Gives the order of the rows.

    Returns
    -------
    Course
    """
    rows = watch.rows
    n_rows, n_units = rows.signs.shape
    penalised = config.l1 > 0 or config.l2 > 0
    epochs = Teams(RowEpochs if penalised else BlockEpochs, rows, course, config)
    best, stalled = np.full(n_units, np.inf), np.zeros(n_units, dtype=int)
    for _ in range(config.max_iter):
        order = random_state.permutation(n_rows) if config.shuffle else None
        loss = epochs.run(order) / n_rows
        units = epochs.course().answer(config)
        watch.see(units, decide(rows.X, units))
        if config.tol is not None:
            if watch.held is not None:
                loss = -_scores(watch.held, units)
            stalled = np.where(loss > best - config.tol, stalled + 1, 0)
            best = np.minimum(best, loss)
            epochs.active = epochs.active & (stalled < config.patience)
        if not epochs.active.any():
            watch.converged = True
            break
    return epochs.course()


def _scores(held: Rows, units: Units) -> np.ndarray:
    """Return the share of held-out rows that each unit gets right."""
    right = fires(decide(held.X, units)) == (held.signs > 0)
    return held.weights @ right / held.weights.sum()
