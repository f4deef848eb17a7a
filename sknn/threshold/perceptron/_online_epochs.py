"""Online epochs: what all have in common, and those with a penalty, row by row."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from sknn.threshold._linear_base import Rows
from sknn.threshold.perceptron._state import Course, LearningConfig, Units

#: scikit-learn moves the intercept this much more slowly on sparse rows
_SPARSE_INTERCEPT_RATE = 0.01


class Epochs(ABC):
    """All units going over the rows together, each until its own end.

    Parameters
    ----------
    rows : Rows
    course : Course
        To go on from; it is left as it is.
    config : LearningConfig

    Attributes
    ----------
    active : ndarray of bool of shape (n_units,)
        Units that still learn; the caller switches them off.
    """

    def __init__(self, rows: Rows, course: Course, config: LearningConfig) -> None:
        self.rows, self.config = rows, config
        self.coef, self.intercept = course.units.coef.copy(), course.units.intercept.copy()
        self.active = np.ones(len(self.coef), dtype=bool)
        rate = _SPARSE_INTERCEPT_RATE if sparse.issparse(rows.X) else 1.0
        self.intercept_rate = rate if config.fit_intercept else 0.0
        self.steps = config.eta0 * rows.weights[:, None] * rows.signs
        self.n_steps, self.n_updates = course.n_steps.copy(), course.n_updates.copy()

    @abstractmethod
    def run(self, order: np.ndarray | None) -> np.ndarray:
        """Go over all rows once.

        Parameters
        ----------
        order : ndarray of int of shape (n_rows,) or None
            Row numbers; None means as they come.

        Returns
        -------
        ndarray of shape (n_units,)
            The perceptron criterion, summed along the way.
        """

    @abstractmethod
    def _total(self) -> Units:
        """Return the weights, summed over the steps."""

    def course(self) -> Course:
        """Return where learning stands.

        Returns
        -------
        Course
        """
        units = Units(self.coef.copy(), self.intercept.copy())
        return Course(units, self._total(), self.n_steps.copy(), self.n_updates.copy())


class RowEpochs(Epochs):
    """Rows one by one, as a penalty changes the weights at every row.

    Parameters
    ----------
    rows : Rows
    course : Course
        To go on from; it is left as it is.
    config : LearningConfig
    """

    def __init__(self, rows: Rows, course: Course, config: LearningConfig) -> None:
        super().__init__(rows, course, config)
        self.total = course.total.plus(course.total, 0.0)
        # cumulative L1 penalty (Tsuruoka et al. 2009): owed by each weight, and paid already
        self.owed, self.paid = 0.0, np.zeros_like(self.coef)

    def _total(self) -> Units:
        return Units(self.total.coef.copy(), self.total.intercept.copy())

    def run(self, order: np.ndarray | None) -> np.ndarray:
        """Go over all rows once; see `Epochs.run`."""
        loss, active = np.zeros(len(self.active)), self.active
        shrink = max(0.0, 1 - self.config.eta0 * self.config.l2)
        order = np.arange(len(self.steps)) if order is None else order
        for row, (columns, values) in zip(order, self._visited(order), strict=True):
            margin = (self.coef[:, columns] @ values + self.intercept) * self.rows.signs[row]
            wrong = (margin <= 0) & active
            if shrink < 1:
                self.coef[active] *= shrink
            if wrong.any():
                loss -= np.where(wrong, margin, 0.0)
                step = np.where(wrong, self.steps[row], 0.0)
                self.coef[:, columns] += np.outer(step, values)
                self.intercept += step * self.intercept_rate
                self.n_updates += wrong
            if self.config.l1:
                self._pay_l1(columns)
            if self.config.average:
                self.total.coef[active] += self.coef[active]
                self.total.intercept[active] += self.intercept[active]
                self.n_steps += active
        return loss

    def _visited(self, order: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
        """Yield the columns and values of each row."""
        X = self.rows.X
        if not sparse.issparse(X):
            for row in order:
                yield slice(None), X[row]
            return
        for row in order:
            stored = slice(X.indptr[row], X.indptr[row + 1])
            yield X.indices[stored], X.data[stored]

    def _pay_l1(self, columns: Any) -> None:
        self.owed += self.config.eta0 * self.config.l1
        at = np.ix_(self.active, np.arange(self.paid.shape[1])[columns])
        before, paid = self.coef[at], self.paid[at]
        lowered = np.maximum(0.0, before - (self.owed + paid))
        raised = np.minimum(0.0, before + (self.owed - paid))
        after = np.select([before > 0, before < 0], [lowered, raised], before)
        self.coef[at] = after
        self.paid[at] = paid + after - before
