"""Online epochs without a penalty: row by row in meaning, block by block in time."""

from typing import Any

import numpy as np
from sklearn.utils.extmath import safe_sparse_dot

from sknn.threshold._linear_base import Rows
from sknn.threshold.perceptron._online_epochs import Epochs
from sknn.threshold.perceptron._state import Course, LearningConfig, Units, decide

#: rows of a block, at least (and at first) and at most
_SMALLEST, _LARGEST = 32, 1024
#: a block is easy up to so many rounds and misclassified rows, and hard beyond twice as many
_ROUNDS, _LEARNERS = 4, 48


class BlockEpochs(Epochs):
    """Rows in blocks.

    A row's margin is its margin before the block, plus what each misclassified row before it in
    the block has added: a step times the product of the two rows, an entry of the block's Gram
    matrix. Which rows are misclassified is first guessed from the margins before the block, and
    settles in rounds: where the guess is right for the first k rows, the margins computed from it
    are right for k + 1 rows, and so is the next guess. Its fixed point is a pass row by row.

    Parameters
    ----------
    rows : Rows
    course : Course
        To go on from; it is left as it is.
    config : LearningConfig
    """

    def __init__(self, rows: Rows, course: Course, config: LearningConfig) -> None:
        super().__init__(rows, course, config)
        # The sum of the weights over all steps is the number of steps times the weights now,
        # less each update times the steps before it; the latter is kept.
        self.late = self._now().plus(course.total, -1.0)
        self.size = _SMALLEST

    def _now(self) -> Units:
        return Units(self.n_steps[:, None] * self.coef, self.n_steps * self.intercept)

    def _total(self) -> Units:
        return self._now().plus(self.late, -1.0)

    def run(self, order: np.ndarray | None) -> np.ndarray:
        """Go over all rows once; see `Epochs.run`."""
        loss, first, n_rows = np.zeros(len(self.coef)), 0, len(self.steps)
        while first < n_rows:
            stop = min(first + self.size, n_rows)
            chosen = slice(first, stop) if order is None else order[first:stop]
            loss += self._learn(self.rows.X[chosen], self.rows.signs[chosen], self.steps[chosen])
            if self.config.average:
                self.n_steps += (stop - first) * self.active
            first = stop
        return loss

    def _learn(self, X: Any, signs: np.ndarray, steps: np.ndarray) -> np.ndarray:
        margins = signs * decide(X, Units(self.coef, self.intercept))
        wrong = (margins <= 0) & self.active
        if not wrong.any():
            self._resize(0, 0)
            return np.zeros(len(self.coef))
        wrong, margins = self._settle(X, (margins, wrong), signs, steps)
        learners = np.flatnonzero(wrong.any(axis=1))
        self._move(X[learners], np.where(wrong, steps, 0.0)[learners], learners)
        self.n_updates += wrong.sum(axis=0)
        return -np.sum(margins, axis=0, where=wrong)

    def _settle(
        self, X: Any, guess: tuple[np.ndarray, np.ndarray], signs: np.ndarray, steps: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return who is misclassified, and all margins at their turn."""
        before, wrong = guess
        known = np.flatnonzero(wrong.any(axis=1))
        effect, rounds = self._effect(X, known), 0
        while True:
            rounds += 1
            margins = before + signs * (effect @ np.where(wrong, steps, 0.0)[known])
            again = (margins <= 0) & self.active
            if np.array_equal(again, wrong):
                self._resize(rounds, len(known))
                return wrong, margins
            wrong = again
            fresh = wrong.any(axis=1)
            fresh[known] = False
            if fresh.any():
                fresh = np.flatnonzero(fresh)
                known = np.concatenate([known, fresh])
                effect = np.hstack([effect, self._effect(X, fresh)])

    def _effect(self, X: Any, learners: np.ndarray) -> np.ndarray:
        """Return what a step of 1 along each learner adds to the rows after it."""
        products = safe_sparse_dot(X, X[learners].T, dense_output=True) + self.intercept_rate
        return np.where(np.arange(X.shape[0])[:, None] > learners, products, 0.0)

    def _resize(self, rounds: int, n_learners: int) -> None:
        if rounds <= _ROUNDS and n_learners <= _LEARNERS:
            self.size = min(2 * self.size, _LARGEST)
        elif rounds > 2 * _ROUNDS or n_learners > 2 * _LEARNERS:
            self.size = max(self.size // 2, _SMALLEST)

    def _move(self, X: Any, factors: np.ndarray, places: np.ndarray) -> None:
        self.coef += safe_sparse_dot(X.T, factors, dense_output=True).T
        self.intercept += self.intercept_rate * factors.sum(axis=0)
        if self.config.average:
            factors = factors * (self.n_steps + places[:, None])
            self.late.coef += safe_sparse_dot(X.T, factors, dense_output=True).T
            self.late.intercept += self.intercept_rate * factors.sum(axis=0)
