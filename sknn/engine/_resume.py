"""Going on where training was interrupted, as if it had not been."""

from dataclasses import dataclass, replace
from typing import Any

from sknn._saved import saved
from sknn._specs import TrainConfig, TrainPlan

#: may change between the interruption and going on
FREE = ("max_iter", "verbose", "callbacks", "max_fun", "n_processes")


@saved
@dataclass(frozen=True)
class Resume:
    """State that an interrupted run leaves to the next one.

    Attributes
    ----------
    config : TrainConfig
        Configuration of the training, without the user's callbacks.
    n_samples : int
        Training samples.
    state : dict
        State that `sknn.engine._run.TrainingRun.get_state` returned.
    """

    config: TrainConfig
    n_samples: int
    state: dict[str, Any]


def get_resume(plan: TrainPlan) -> Resume | None:
    """Return what to go on from if a plan continues an interrupted fit of the same kind."""
    resume = plan.previous.resume if plan.previous else None
    if resume is None or plan.incremental or resume.n_samples != plan.n_samples:
        return None
    same = {name: getattr(plan.config, name) for name in FREE}
    return resume if replace(resume.config, **same) == plan.config else None
