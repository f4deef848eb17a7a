"""Going on where training was interrupted, as if it had not been."""

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sknn._saved import saved
from sknn._specs import TrainConfig, TrainPlan
from sknn.engine.net._serialization import plain, restored

#: may change between the interruption and going on
FREE = ("max_iter", "verbose", "callbacks", "max_fun")


@saved
@dataclass(frozen=True)
class Resume:
    """What training needs beside the net, the optimizer and the progress.

    Attributes
    ----------
    config : TrainConfig
        How it was trained.
    n_rows : int
        Training rows.
    random_state : numpy.random.RandomState
        That of the batches.
    order : ndarray of shape (n_rows,) or None
        Of the epoch that ran last, if there was one.
    cut_short : bool
        Whether it did not end.
    best_weights, last_weights : dict or None
        With early stopping, the weights of the best epoch and those reached when interrupted.
    """

    config: TrainConfig
    n_rows: int
    random_state: np.random.RandomState
    order: np.ndarray | None
    cut_short: bool
    best_weights: dict | None
    last_weights: dict | None

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes with arrays for tensors, which need no device."""
        return plain(dict(vars(self)))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set attributes, weights on the CPU."""
        vars(self).update(restored(state))


def make_resume(net: Any, plan: TrainPlan, best_weights: dict | None) -> Resume:
    """Return what `resumes` will look at.

    Parameters
    ----------
    net : Net
        Interrupted, its weights as they are.
    plan : TrainPlan
        What was carried out.
    best_weights : dict or None
        See `Resume`.

    Returns
    -------
    Resume
    """
    last = None if best_weights is None else copy.deepcopy(net.module_.state_dict())
    return Resume(
        config=replace(plan.config, callbacks=()),  # a user's, free to change
        n_rows=len(plan.y),
        random_state=plan.random_state,
        order=None if net.batches is None else net.batches.order,
        cut_short=net.batches is not None and net.batches.cut_short,
        best_weights=best_weights,
        last_weights=last,
    )


def resumes(plan: TrainPlan) -> Resume | None:
    """Return what to go on from if a plan continues an interrupted fit of the same kind."""
    resume = plan.previous.resume if plan.previous else None
    if resume is None or plan.incremental or resume.n_rows != len(plan.y):
        return None
    same = {name: getattr(plan.config, name) for name in FREE}
    return resume if replace(resume.config, **same) == plan.config else None
