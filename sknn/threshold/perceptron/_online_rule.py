"""Rosenblatt's learning rule, sample by sample."""

from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed

from sknn.threshold._linear_base import TrainingSet
from sknn.threshold.perceptron._monitor import ErrorMonitor, WeightHistory
from sknn.threshold.perceptron._online_blocks import BlockEpochs
from sknn.threshold.perceptron._online_epochs import CompiledEpochs, Epochs, SampleEpochs
from sknn.threshold.perceptron._state import (
    LearningConfig,
    LinearUnits,
    PerceptronState,
    compute_margins,
    fires,
)


def learn_online(
    monitor: ErrorMonitor,
    state: PerceptronState,
    config: LearningConfig,
    random_state: np.random.RandomState,
) -> PerceptronState:
    """Update on each misclassified sample in turn, as `sklearn.linear_model.Perceptron` does.

    `random_state` gives the order of the samples.
    """
    # A sample x with target t = ±1 and weight w is misclassified where t (v·x + c) <= 0. Then v +=
    # eta0 w t x and c += eta0 w t, which raises t (v·x + c) by eta0 w (|x|² + 1) > 0.
    # That this ends for separable samples is Novikoff's bound. Let u be a unit vector with t u·x >=
    # g for all samples, and R their largest norm (inputs with the intercept's 1 appended, eta0 = w
    # = 1, from v = 0). Each update raises u·v by at least g, and |v|² by at most R², as 2 t v·x <=
    # 0: after k of them k g <= u·v <= |v| <= sqrt(k) R, and so k <= (R / g)², whatever the number
    # of samples.
    # A. B. J. Novikoff, "On convergence proofs on perceptrons", Symposium on the Mathematical
    # Theory of Automata 12, 1962.
    training = monitor.training
    n_samples, n_units = training.signs.shape
    kind: type[Epochs] = BlockEpochs
    if config.l1 > 0 or config.l2 > 0:
        kind = SampleEpochs
    elif CompiledEpochs.supports(training, config):
        kind = CompiledEpochs
    epochs = UnitGroups(kind, training, state, config, monitor.history)
    best, n_stalled = np.full(n_units, np.inf), np.zeros(n_units, dtype=int)
    monitor.begin(state.units)
    with monitor.catch_interrupt():
        for _ in range(config.max_iter):
            order = random_state.permutation(n_samples) if config.shuffle else None
            # The mean of max(0, -t m) with margins at each sample's turn, as scikit-learn sums it.
            loss = epochs.run(order) / n_samples
            state = epochs.get_state()
            units = state.get_answer(config)
            margins = compute_margins(training.X, units)
            stop = monitor.end_epoch(state, state.units, units, margins)
            if config.tol is not None:
                if monitor.held_out is not None:
                    loss = -_score_units(monitor.held_out, units)
                # Each unit stops by itself, as it would if it were trained alone.
                n_stalled = np.where(loss > best - config.tol, n_stalled + 1, 0)
                best = np.minimum(best, loss)
                epochs.active = epochs.active & (n_stalled < config.patience)
            if stop or not epochs.active.any():
                monitor.converged = True
                break
    return monitor.outcome.state


def _score_units(held_out: TrainingSet, units: LinearUnits) -> np.ndarray:
    """Return the share of held-out samples that each unit gets right."""
    right = fires(compute_margins(held_out.X, units)) == (held_out.signs > 0)
    return held_out.weights @ right / held_out.weights.sum()


class UnitGroups:
    """Groups of units, a thread each, which go over the same samples in the same order.

    Units do not know of each other, so that groups change nothing but the time. The methods and the
    attribute are those of `Epochs` that `learn_online` needs. There are `n_jobs` groups, fewer if
    there are fewer units, and one where single updates of all units are recorded.
    """

    def __init__(
        self,
        kind: type[Epochs],
        training: TrainingSet,
        state: PerceptronState,
        config: LearningConfig,
        history: WeightHistory,
    ) -> None:
        n_units = training.signs.shape[1]
        n_groups = 1 if config.record_weights == "update" else min(config.n_jobs, n_units)
        self.members = np.array_split(np.arange(n_units), n_groups)
        self.groups = [
            kind(
                replace(training, signs=training.signs[:, units]),
                state.select(units),
                config,
                history,
            )
            for units in self.members
        ]

    @property
    def active(self) -> np.ndarray:
        """Units that still learn, of shape (n_units,)."""
        return np.concatenate([group.active for group in self.groups])

    @active.setter
    def active(self, active: np.ndarray) -> None:
        for group, units in zip(self.groups, self.members, strict=True):
            group.active = active[units]

    def run(self, order: np.ndarray | None) -> np.ndarray:
        """Go over all samples once; see `Epochs.run`."""
        if len(self.groups) == 1:
            return self.groups[0].run(order)
        losses = Parallel(n_jobs=len(self.groups), backend="threading")(
            delayed(group.run)(order) for group in self.groups
        )
        return np.concatenate(losses)

    def get_state(self) -> PerceptronState:
        """Return where learning stands."""
        return PerceptronState.join([group.get_state() for group in self.groups])
