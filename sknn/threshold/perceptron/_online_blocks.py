"""Online epochs without a penalty: sample by sample in meaning, block by block in time."""

import numpy as np
from sklearn.utils.extmath import safe_sparse_dot

from sknn.threshold._inputs import FeatureMatrix
from sknn.threshold._linear_base import TrainingSet
from sknn.threshold.perceptron._monitor import WeightHistory
from sknn.threshold.perceptron._online_epochs import PlainEpochs
from sknn.threshold.perceptron._state import (
    LearningConfig,
    LinearUnits,
    PerceptronState,
    compute_margins,
)

#: samples of a block, at least (and at first) and at most
_SMALLEST, _LARGEST = 32, 1024
#: a block is easy up to so many rounds and misclassified samples, and hard beyond twice as many
_ROUNDS, _LEARNERS = 4, 48


class BlockEpochs(PlainEpochs):
    """Samples in blocks.

    A sample's margin is its margin before the block, plus what each misclassified sample before it
    in the block has added: a step times the product of the two, an entry of the block's Gram
    matrix. Which samples are misclassified is first guessed from the margins before the block, and
    settles in rounds: where the guess is right for the first k samples, the margins computed from
    it are right for k + 1, and so is the next guess. Its fixed point is a pass sample by sample.
    """

    def __init__(
        self,
        training: TrainingSet,
        state: PerceptronState,
        config: LearningConfig,
        history: WeightHistory,
    ) -> None:
        super().__init__(training, state, config, history)
        self.size = _SMALLEST

    def _visit(self, order: np.ndarray | None) -> np.ndarray:
        loss, first, n_samples = np.zeros(len(self.coef)), 0, len(self.steps)
        while first < n_samples:
            stop = min(first + self.size, n_samples)
            chosen = slice(first, stop) if order is None else order[first:stop]
            loss += self._learn(chosen)
            if self.config.average:
                self.n_steps += (stop - first) * self.active
            first = stop
        return loss

    def _learn(self, chosen: np.ndarray | slice) -> np.ndarray:
        X, signs, steps = self.training.X[chosen], self.training.signs[chosen], self.steps[chosen]
        margins = signs * compute_margins(X, LinearUnits(self.coef, self.intercept))
        wrong = (margins <= 0) & self.active
        if not wrong.any():
            self._resize(0, 0)
            return np.zeros(len(self.coef))
        wrong, margins = self._settle(X, (margins, wrong), signs, steps)
        learners = np.flatnonzero(wrong.any(axis=1))
        factors = np.where(wrong, steps, 0.0)[learners]
        if self.records_updates:
            numbers = np.arange(len(self.steps))[chosen][learners]
            self._record_updates(X[learners], factors, numbers)
        self._move(X[learners], factors, learners)
        self.n_updates += wrong.sum(axis=0)
        return -np.sum(margins, axis=0, where=wrong)

    def _settle(
        self,
        X: FeatureMatrix,
        guess: tuple[np.ndarray, np.ndarray],
        signs: np.ndarray,
        steps: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which samples are misclassified, and all margins at their turn."""
        before, wrong = guess
        known = np.flatnonzero(wrong.any(axis=1))
        effect, rounds = self._compute_effect(X, known), 0
        # A sample at its turn sees the steps of all misclassified samples before it, and whether
        # these are misclassified depends on steps before them. The first guess is that nothing
        # changes; each round settles at least one more sample, the first that is wrong, for good,
        # so that it ends, and mostly after a few rounds, as few samples learn.
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
                effect = np.hstack([effect, self._compute_effect(X, fresh)])

    def _compute_effect(self, X: FeatureMatrix, learners: np.ndarray) -> np.ndarray:
        """Return what a step of 1 along each learner adds to the samples after it."""
        # A step t x_j moves the margin of x_i by t (x_j·x_i + r), r being what the intercept
        # learns; samples before j have had their turn.
        products = safe_sparse_dot(X, X[learners].T, dense_output=True) + self.intercept_rate
        return np.where(np.arange(X.shape[0])[:, None] > learners, products, 0.0)

    # Larger blocks put more work into fast products of matrices, but the more samples learn, the
    # more rounds and the wider effects a block needs: it doubles while it is easy, and halves where
    # hard.
    def _resize(self, rounds: int, n_learners: int) -> None:
        if rounds <= _ROUNDS and n_learners <= _LEARNERS:
            self.size = min(2 * self.size, _LARGEST)
        elif rounds > 2 * _ROUNDS or n_learners > 2 * _LEARNERS:
            self.size = max(self.size // 2, _SMALLEST)

    def _move(self, X: FeatureMatrix, factors: np.ndarray, places: np.ndarray) -> None:
        self.coef += safe_sparse_dot(X.T, factors, dense_output=True).T
        self.intercept += self.intercept_rate * factors.sum(axis=0)
        if self.config.average:
            # `late` is the sum of each update times the steps before it, see `PlainEpochs`: of a
            # block those before it, and the places inside it.
            factors = factors * (self.n_steps + places[:, None])
            self.late.coef += safe_sparse_dot(X.T, factors, dense_output=True).T
            self.late.intercept += self.intercept_rate * factors.sum(axis=0)

    def _record_updates(self, X: FeatureMatrix, factors: np.ndarray, samples: np.ndarray) -> None:
        """Take the steps of a block one by one, for the history alone."""
        coef, intercept = self.coef, self.intercept
        for i, (step, sample) in enumerate(zip(factors, samples, strict=True)):
            coef = coef + safe_sparse_dot(X[[i]].T, step[None, :], dense_output=True).T
            intercept = intercept + self.intercept_rate * step
            self._record(sample, coef, intercept)
