"""Online epochs: what all have in common, and those with a penalty, sample by sample."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from importlib import import_module

import numpy as np

from sknn._jit import HAS_NUMBA, explain_not_kept
from sknn._targets import SPARSE
from sknn.threshold._linear_base import TrainingSet
from sknn.threshold.perceptron._monitor import WeightHistory
from sknn.threshold.perceptron._state import LearningConfig, LinearUnits, PerceptronState

#: scikit-learn moves the intercept this much more slowly on sparse samples
_SPARSE_INTERCEPT_RATE = 0.01
#: numbers of X times units from which loading compiled code, 0.2 s once in a process, pays
_COMPILED_FROM = 2**18


class Epochs(ABC):
    """All units going over the samples together, each until its own end.

    Parameters
    ----------
    training : TrainingSet
    state : PerceptronState
        State from which the rule goes on; it is not changed.
    config : LearningConfig
    history : WeightHistory
        Gets the weights after each update, if the configuration asks for them.

    Attributes
    ----------
    active : ndarray of bool of shape (n_units,)
        Units that still learn; the caller switches them off.
    """

    def __init__(
        self,
        training: TrainingSet,
        state: PerceptronState,
        config: LearningConfig,
        history: WeightHistory,
    ) -> None:
        self.training, self.config, self.history = training, config, history
        self.coef, self.intercept = state.units.coef.copy(), state.units.intercept.copy()
        self.active = np.ones(len(self.coef), dtype=bool)
        rate = _SPARSE_INTERCEPT_RATE if isinstance(training.X, SPARSE) else 1.0
        self.intercept_rate = rate if config.fit_intercept else 0.0
        self.steps = config.eta0 * training.weights[:, None] * training.signs
        self.n_steps, self.n_updates = state.n_steps.copy(), state.n_updates.copy()
        self.records_updates = config.record_weights == "update"
        self.epoch = 0

    def run(self, order: np.ndarray | None) -> np.ndarray:
        """Go over all samples, in an order or as they come; return the criterion, (n_units,)."""
        self.epoch += 1
        return self._visit(order)

    @abstractmethod
    def _visit(self, order: np.ndarray | None) -> np.ndarray:
        """Go over the samples in this order; see `run`."""

    @abstractmethod
    def _get_total(self) -> LinearUnits:
        """Return the weights, summed over the steps."""

    def get_state(self) -> PerceptronState:
        """Return where learning stands, in copies."""
        units = LinearUnits(self.coef.copy(), self.intercept.copy())
        return PerceptronState(units, self._get_total(), self.n_steps.copy(), self.n_updates.copy())

    def _record(self, sample: int, coef: np.ndarray, intercept: np.ndarray) -> None:
        number = int(self.training.numbers[sample])
        self.history.add(self.epoch, number, LinearUnits(coef, intercept))


class PlainEpochs(Epochs):
    """Without a penalty, so that weights change at errors alone."""

    def __init__(
        self,
        training: TrainingSet,
        state: PerceptronState,
        config: LearningConfig,
        history: WeightHistory,
    ) -> None:
        super().__init__(training, state, config, history)
        # The sum of the weights over all steps is the number of steps times the weights now,
        # less each update times the steps before it; the latter is kept.
        # With updates u_j after n_j of N steps, w after step n is w_0 + Σ u_j over n_j < n, and the
        # sum over steps is N w_0 + Σ (N - n_j) u_j = N w_N - Σ n_j u_j: an update costs two
        # additions, and a step without one nothing.
        self.late = self._scale_units().plus(state.total, -1.0)

    def _scale_units(self) -> LinearUnits:
        return LinearUnits(self.n_steps[:, None] * self.coef, self.n_steps * self.intercept)

    def _get_total(self) -> LinearUnits:
        return self._scale_units().plus(self.late, -1.0)


class CompiledEpochs(PlainEpochs):
    """Samples one by one, in compiled code; dense ones in C order, sparse ones in CSR."""

    @classmethod
    def supports(cls, training: TrainingSet, config: LearningConfig) -> bool:
        """Return whether compiled code can go over the samples, and pays."""
        X = training.X
        is_sparse = isinstance(X, SPARSE)
        work = (X.nnz if isinstance(X, SPARSE) else X.size) * training.signs.shape[1]
        if not HAS_NUMBA or work < _COMPILED_FROM or config.record_weights == "update":
            return False
        if not is_sparse and not X.flags.c_contiguous:
            return False
        return explain_not_kept(cls._load(is_sparse)) is None

    @staticmethod
    def _load(is_sparse: bool) -> Callable[..., None]:
        """Return the compiled function; numba is loaded here."""
        passes = import_module("sknn.threshold.perceptron._online_passes")
        return passes.visit_sparse if is_sparse else passes.visit_dense

    def _visit(self, order: np.ndarray | None) -> np.ndarray:
        passes = import_module("sknn.threshold.perceptron._online_passes")
        X, n = self.training.X, len(self.steps)
        arrays: tuple[np.ndarray, ...] = (X,)
        if isinstance(X, SPARSE):
            arrays = X.data, X.indices.view(f"u{X.indices.itemsize}"), X.indptr
        loss, averages = np.zeros(len(self.coef)), self.config.average
        visits = passes.Visits(
            np.arange(n) if order is None else order,
            np.ascontiguousarray(self.training.signs, dtype=np.float64),
            np.ascontiguousarray(self.steps, dtype=np.float64),
        )
        units = passes.Learners(
            self.coef,
            self.late.coef,
            self.intercept,
            self.late.intercept,
            self.n_steps,
            self.n_updates,
            self.active,
            loss,
            np.array([self.intercept_rate, 1.0 if averages else 0.0]),
        )
        self._load(len(arrays) > 1)(*arrays, visits, units)
        if averages:
            self.n_steps += n * self.active
        return loss


class SampleEpochs(Epochs):
    """Samples one by one, as a penalty changes the weights at every sample."""

    def __init__(
        self,
        training: TrainingSet,
        state: PerceptronState,
        config: LearningConfig,
        history: WeightHistory,
    ) -> None:
        super().__init__(training, state, config, history)
        self.total = state.total.plus(state.total, 0.0)
        # A step against eta0 l1 |v| at every sample would touch all weights. Owed is what each
        # weight should have moved so far, paid what it did move; it catches up when its column
        # comes, see `_pay_l1`.
        # cumulative L1 penalty (Tsuruoka et al. 2009): owed by each weight, and paid already
        self.owed, self.paid = 0.0, np.zeros_like(self.coef)

    def _get_total(self) -> LinearUnits:
        return LinearUnits(self.total.coef.copy(), self.total.intercept.copy())

    def _visit(self, order: np.ndarray | None) -> np.ndarray:
        loss, active = np.zeros(len(self.active)), self.active
        shrink = max(0.0, 1 - self.config.eta0 * self.config.l2)
        order = np.arange(len(self.steps)) if order is None else order
        for sample, (columns, values) in zip(order, self._read_samples(order), strict=True):
            margin = self.coef[:, columns] @ values + self.intercept
            margin = margin * self.training.signs[sample]
            wrong = (margin <= 0) & active
            if shrink < 1:
                self.coef[active] *= shrink
            if wrong.any():
                loss -= np.where(wrong, margin, 0.0)
                step = np.where(wrong, self.steps[sample], 0.0)
                self.coef[:, columns] += np.outer(step, values)
                self.intercept += step * self.intercept_rate
                self.n_updates += wrong
            if self.config.l1:
                self._pay_l1(columns)
            if wrong.any() and self.records_updates:
                self._record(sample, self.coef, self.intercept)
            if self.config.average:
                self.total.coef[active] += self.coef[active]
                self.total.intercept[active] += self.intercept[active]
                self.n_steps += active
        return loss

    def _read_samples(self, order: np.ndarray) -> Iterator[tuple[np.ndarray | slice, np.ndarray]]:
        """Yield the columns and values of each sample."""
        X = self.training.X
        if not isinstance(X, SPARSE):
            for sample in order:
                yield slice(None), X[sample]
            return
        for sample in order:
            stored = slice(X.indptr[sample], X.indptr[sample + 1])
            yield X.indices[stored], X.data[stored]

    def _pay_l1(self, columns: np.ndarray | slice) -> None:
        """Let the weights of a sample pay what they owe since they were last visited."""
        # A weight owes eta0 * l1 for every sample gone by, and pays it when one of its column
        # comes: so a sample costs what it stores, and no weight is ever moved across 0.
        self.owed += self.config.eta0 * self.config.l1
        at = np.ix_(self.active, np.arange(self.paid.shape[1])[columns])
        before, paid = self.coef[at], self.paid[at]
        # What has been paid is the sum of moves, negative downwards: a positive weight still has to
        # go down by owed + paid, a negative one up by owed - paid, and both stop at 0.
        lowered = np.maximum(0.0, before - (self.owed + paid))
        raised = np.minimum(0.0, before + (self.owed - paid))
        after = np.select([before > 0, before < 0], [lowered, raised], before)
        self.coef[at] = after
        self.paid[at] = paid + after - before
