"""scikit-learn's callbacks (1.9 and later), told of each epoch."""

from collections.abc import Callable
from typing import Any

from sknn._specs import Progress


class CallbackWatcher:
    """A `sknn._specs.Watcher` that hands epochs on to the callbacks of an estimator.

    Parameters
    ----------
    estimator : DeepEstimator
        In fit.
    context : sklearn.callback.CallbackContext
        Of this call of fit.
    data : dict
        ``X``, ``y`` and ``metadata`` for the hooks, as the user gave them.
    fitted_at : callable
        ``fitted_at(net, progress)`` returns the attributes of an estimator whose training ended
        there; called only if a callback asks for it.
    """

    def __init__(
        self,
        estimator: Any,
        context: Any,
        data: dict[str, Any],
        fitted_at: Callable[[Any, Progress], dict[str, Any]],
    ):
        self.estimator, self.context, self.data = estimator, context, data
        self.fitted_at = fitted_at

    def fit_begins(self) -> None:
        """Tell that training begins."""
        self.context.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def fit_ends(self) -> None:
        """Tell that the estimator is fitted."""
        self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=dict, **self.data
        )

    def epoch_begins(self) -> None:
        """Tell that an epoch begins."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def epoch_ends(self, net: Any, progress: Progress) -> bool:
        """Tell that an epoch ended; return True if a callback wants to stop."""
        return self.epoch.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.fitted_at(net, progress),
            **self.data,
        )
