"""scikit-learn's callbacks (1.9 and later), told of each epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sknn._specs import Progress

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sknn.deep.parts._preparation import FitData
    from sknn.engine import Net


class CallbackWatcher:
    """A `sknn._specs.Watcher` that hands epochs on to the callbacks of an estimator.

    Parameters
    ----------
    estimator : DeepEstimator
        Estimator in `fit`.
    data : FitData
        Data that the user gave to `fit`.
    fitted_at : callable
        ``fitted_at(net, progress)`` returns the attributes of an estimator whose training ended
        there; called only if a callback asks for it.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        data: FitData,
        fitted_at: Callable[[Net, Progress], dict[str, Any]],
    ):
        weight = data.sample_weight
        metadata = None if weight is None else {"sample_weight": weight}
        self.estimator, self.fitted_at = estimator, fitted_at
        self.context = estimator._init_callback_context(max_subtasks=estimator.max_iter)
        self.data = {"X": data.X, "y": data.y, "metadata": metadata}

    def fit_begins(self) -> None:
        """Tell that training begins."""
        self.context.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def fit_ends(self) -> None:
        """Tell that the estimator is fitted."""
        self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=dict, **self.data
        )

    def begin_epoch(self) -> None:
        """Tell that an epoch begins."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_epoch(self, net: Net, progress: Progress) -> bool:
        """Tell that an epoch ended; return True if a callback wants to stop."""
        return self.epoch.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.fitted_at(net, progress),
            **self.data,
        )
