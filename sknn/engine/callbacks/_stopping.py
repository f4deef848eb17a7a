"""Stopping rules: the best weights so far, and whether another epoch follows."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from sknn._specs import Progress, TrainPlan
from sknn.engine.net._net import Net
from sknn.engine.optimizers._schedules import Schedule
from sknn.exceptions import warn_user

#: an entry of a ``state_dict``
Value = TypeVar("Value")
#: name in the net's history -> name in `Progress.history`
COLUMNS = {
    "train_loss": "loss",
    "train_score": "score",
    "valid_loss": "validation_loss",
    "valid_score": "validation_score",
    "dur": "time",
}


class StoppingRule:
    """Keeps count, keeps the best weights, and applies scikit-learn's rules for going on.

    Parameters
    ----------
    plan : TrainPlan
        Its config says when to stop.
    progress : Progress
        Changed in place.

    Attributes
    ----------
    by_epochs : bool
        Whether epochs are what is counted, and not iterations of L-BFGS.
    keeps_best : bool
        Whether the weights of the best epoch are to be kept.
    best_weights : dict or None
        They, once there are any.
    """

    def __init__(self, plan: TrainPlan, progress: Progress):
        self.plan, self.config, self.progress = plan, plan.config, progress
        self.by_epochs = plan.config.solver != "lbfgs"
        self.keeps_best = plan.config.early_stopping and self.by_epochs
        self.best_weights: dict[str, Any] | None = None
        self._spare: dict[str, Any] | None = None

    def take_note(self, net: Net, row: Mapping[str, float], n_samples_seen: int) -> None:
        """Count an epoch, and keep the weights that the net has after it if they are the best."""
        if self.count_epoch(row, n_samples_seen):
            self.keep_weights(net)

    def count_epoch(self, row: Mapping[str, float], n_samples_seen: int) -> bool:
        """Count an epoch and compare it with the best one.

        Parameters
        ----------
        row : mapping
            Entries of the epoch, with the names of ``Progress.history``.
        n_samples_seen : int
            Samples that went through the network in it.

        Returns
        -------
        bool
            Whether its weights are the best, and best ones are to be kept.
        """
        progress = self.progress
        progress.n_epochs += 1
        progress.loss = row["loss"]
        progress.loss_curve.append(progress.loss)
        progress.note(row)
        if self.plan.validation is not None:
            cast("list[float]", progress.validation_losses).append(row["validation_loss"])
            cast("list[float]", progress.validation_scores).append(row["validation_score"])
        if not self.by_epochs:
            progress.best_loss, progress.best_epoch = progress.loss, progress.n_epochs
            return False
        progress.n_samples_seen += n_samples_seen
        if self.keeps_best:
            return self._compare_score(row["validation_score"])
        self._compare_loss(progress.loss)
        return False

    def _compare_score(self, score: float) -> bool:
        progress, best = self.progress, cast("float", self.progress.best_score)
        # scikit-learn's rules: an epoch counts as stalled unless the score is better by tol, but
        # any better score, however little, is kept.
        stalled = score < best + self.config.tol
        progress.n_stalled = progress.n_stalled + 1 if stalled else 0
        if score > best:
            progress.best_score, progress.best_epoch = score, progress.n_epochs
        return score > best

    def _compare_loss(self, loss: float) -> None:
        progress, best = self.progress, cast("float", self.progress.best_loss)
        progress.best_loss, progress.n_stalled = compare_loss(
            loss, best, progress.n_stalled, self.config.tol
        )
        progress.best_epoch = progress.n_epochs

    def take_note_of_many(
        self, losses: list[float], seconds: float, rate: float, n_samples: int
    ) -> None:
        """Count epochs, of `seconds` each, whose losses were compared where they were computed."""
        progress, n = self.progress, len(losses)
        progress.n_epochs += n
        progress.best_epoch = progress.n_epochs
        progress.n_samples_seen += n * n_samples
        progress.loss = losses[-1]
        progress.loss_curve += losses
        progress.note_many({"loss": losses, "time": [seconds] * n, "learning_rate": [rate] * n}, n)

    def count_sure_epochs(self) -> float:
        """Return how many epochs there are of which none but the last can be the one to stop at.

        Of the training loss this is not asked: it is compared where it is computed.
        """
        if not self.keeps_best:
            return np.inf
        progress, config = self.progress, self.config
        patience = max(config.n_iter_no_change, config.patience_share * progress.best_epoch)
        return np.floor(patience) - progress.n_stalled + 1

    def keep_weights(self, net: Net) -> None:
        """Copy the present weights to `best_weights`."""
        # The copy is written beside the one before and takes its place in one assignment, so that
        # an interruption finds either the old weights or the new ones.
        state = net.module_.state_dict()
        spare = self._spare
        if spare is None:
            spare = {name: clone_value(value) for name, value in state.items()}
        else:
            for name, value in state.items():
                if isinstance(value, torch.Tensor):
                    spare[name].copy_(value)
                else:
                    spare[name] = value
        self._spare, self.best_weights = self.best_weights, spare

    def find_reason_to_stop(self, net: Net) -> str:
        """Return why no epoch is to follow, or '' if one is; lower the rate instead if it can.

        The schedule is moved on.
        """
        progress, config = self.progress, self.config
        if not np.isfinite(progress.loss):
            return "diverged"
        if not self.by_epochs:
            return ""
        watched = progress.loss
        if self.keeps_best:
            watched = net.history[-1, "valid_loss" if config.stop_on_loss else "valid_score"]
        cast("Schedule", net.schedule).end_epoch(net.optimizer_, progress, watched)
        # The later the best epoch, the longer the next one may take: where networks learn slowly, a
        # fixed patience would stop them between two improvements.
        patience = config.patience_share * progress.best_epoch
        if progress.n_stalled <= max(config.n_iter_no_change, patience):
            return ""
        return self._slow_down_or_stop(net)

    def _slow_down_or_stop(self, net: Net) -> str:
        watched = "Validation score" if self.config.early_stopping else "Training loss"
        message = (
            f"{watched} did not improve more than tol={self.config.tol:f} for "
            f"{self.config.n_iter_no_change} consecutive epochs."
        )
        slower = cast("Schedule", net.schedule).lower_rate(net.optimizer_)
        if slower is not None:
            self.progress.n_stalled = 0
            self._say(f"{message} Setting learning rate to {slower:f}")
            return ""
        if self.config.solver == "sgd" and self.config.learning_rate == "adaptive":
            message += " Learning rate too small."
        self._say(f"{message} Stopping.")
        return "converged"

    def conclude(self, net: Net) -> None:
        """Go back to the best weights, and say why training ended if the user should know."""
        progress, best = self.progress, self.best_weights
        if best is not None:
            net.module_.load_state_dict(best)
        if progress.stopped_because == "diverged" and best and progress.best_epoch:
            warn_user(
                f"The training loss is not finite after epoch {progress.n_epochs}; the weights of "
                f"epoch {progress.best_epoch}, the best on the validation samples, are kept. "
                "Scale X, or lower learning_rate_init.",
                ConvergenceWarning,
            )
        if progress.stopped_because or self.plan.incremental:
            return
        progress.stopped_because = "max_iter"
        if not self.config.runs_to_the_end:
            warn_user(
                f"Stochastic Optimizer: Maximum iterations ({self.config.max_iter}) reached and "
                "the optimization hasn't converged yet.",
                ConvergenceWarning,
            )

    def _say(self, message: str) -> None:
        if self.config.verbose:
            print(message)  # noqa: T201


def compare_loss(loss: float, best_loss: float, n_stalled: int, tol: float) -> tuple[float, int]:
    """Return the best loss with that of a new epoch, and the epochs without an improvement."""
    n_stalled = n_stalled + 1 if loss > best_loss - tol else 0
    return best_loss if best_loss < loss else loss, n_stalled


def clone_value(value: Value) -> Value:
    """Return a copy of an entry of a ``state_dict``, which may be any object."""
    return cast("Value", value.clone()) if isinstance(value, torch.Tensor) else value


def make_row(last: Mapping[str, Any], rate: float | None) -> dict[str, float]:
    """Return an epoch of a net's history in the words of `Progress.history`."""
    row = {name: last[key] for key, name in COLUMNS.items() if key in last}
    if rate is not None:
        row["learning_rate"] = rate
    return row
