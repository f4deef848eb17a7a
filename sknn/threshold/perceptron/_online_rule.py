"""Rosenblatt's learning rule, row by row."""

from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed

from sknn.threshold._linear_base import Rows
from sknn.threshold.perceptron._online_blocks import BlockEpochs
from sknn.threshold.perceptron._online_epochs import Epochs, RowEpochs
from sknn.threshold.perceptron._state import Course, LearningConfig, Units, Watch, decide, fires


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


class Teams:
    """Units in teams, which go over the same rows in the same order.

    Units do not know of each other, so the teams change nothing but the time. It has the methods
    and the attribute of `Epochs` that `learn_online` needs.

    Parameters
    ----------
    kind : subclass of Epochs
        How a team goes over the rows.
    rows : Rows
    course : Course
        To go on from; it is left as it is.
    config : LearningConfig
        Its ``n_jobs`` says how many teams; fewer if there are fewer units.
    """

    def __init__(
        self, kind: type[Epochs], rows: Rows, course: Course, config: LearningConfig
    ) -> None:
        n_units = rows.signs.shape[1]
        self.members = np.array_split(np.arange(n_units), min(config.n_jobs, n_units))
        self.teams = [
            kind(replace(rows, signs=rows.signs[:, units]), course.part(units), config)
            for units in self.members
        ]

    @property
    def active(self) -> np.ndarray:
        """Units that still learn, of shape (n_units,)."""
        return np.concatenate([team.active for team in self.teams])

    @active.setter
    def active(self, active: np.ndarray) -> None:
        for team, units in zip(self.teams, self.members, strict=True):
            team.active = active[units]

    def run(self, order: np.ndarray | None) -> np.ndarray:
        """Go over all rows once; see `Epochs.run`."""
        if len(self.teams) == 1:
            return self.teams[0].run(order)
        losses = Parallel(n_jobs=len(self.teams), backend="threading")(
            delayed(team.run)(order) for team in self.teams
        )
        return np.concatenate(losses)

    def course(self) -> Course:
        """Return where learning stands."""
        return Course.joined([team.course() for team in self.teams])
