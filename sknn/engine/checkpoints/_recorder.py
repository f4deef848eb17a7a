"""Writes the checkpoints of a run, and lets it go on from the last one."""

import time
import zlib
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from sknn._specs import Progress, TrainPlan
from sknn.engine.callbacks._user import UserCallbacks
from sknn.engine.checkpoints._folder import CheckpointFile, CheckpointSpec
from sknn.exceptions import warn_user

#: where the user does not say how often: seconds between two at least, and times as long as
#: writing takes, which so costs at most 2 % of the time
SECONDS, TIMES = 1.0, 50
#: bytes of gradients that are kept for L-BFGS to pass by its points again
EVALUATION_BYTES = 2**28


class Recorded(Protocol):
    """What recording asks of a `sknn.engine._run.TrainingRun`."""

    plan: TrainPlan
    progress: Progress
    callbacks: UserCallbacks
    runner_name: str
    by_epochs: bool
    deadline: float | None

    def get_state(self) -> dict[str, Any]:
        """Return the state of the run."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""


class Recorder:
    """Writes the state of a run from time to time.

    Between epochs the state is all that is needed to go on. SciPy keeps that of L-BFGS to itself;
    there loss and gradient of each point are kept, so that the same points are passed by again
    without computing them.

    Parameters
    ----------
    run : Recorded
        Whose plan says where, if anywhere.
    warns : bool, default=True
        Whether to warn where there is the checkpoint of another fit alone.

    Attributes
    ----------
    spec : CheckpointSpec or None
        Where and how often.
    evaluations : list of tuple
        Key of a point, loss and gradient of L-BFGS, from the first on.
    """

    def __init__(self, run: Recorded, warns: bool = True):
        self.run = run
        self.spec: CheckpointSpec | None = run.plan.checkpoint
        self.file = None if self.spec is None else CheckpointFile(self.spec, warns)
        self.content = None if self.file is None else self.file.content
        self.began = self.latest = time.perf_counter()
        self.seconds_before = self.seconds_to_write = 0.0
        self.n_epochs = 0
        self.is_finished = self.has_warned = False
        self.evaluations: list[tuple[int, float, np.ndarray]] = []

    def resume(self) -> None:
        """Let the run go on from what its file holds, or write the first state."""
        if self.file is None:
            return
        content, run = self.content, self.run
        if content is not None:
            self.seconds_before = content["seconds"]
            if run.deadline is not None:
                run.deadline -= self.seconds_before
            if run.by_epochs:
                run.set_state(content["state"])
                run.progress.stopped_because = content["stopped_because"]
                self.n_epochs = run.progress.n_epochs
            else:
                self.evaluations = _split_evaluations(content["evaluations"])
            self.is_finished = content["is_finished"]
        else:
            self.write()

    def resume_callbacks(self) -> None:
        """Give callbacks the attributes that they had, once they know that training begins."""
        if self.content is not None and self.run.by_epochs:
            self.run.callbacks.set_state(self.content["callbacks"])

    def check_runner(self) -> None:
        """Warn if the epochs to come are computed in another way than those before."""
        before = "" if self.content is None else self.content["runner"]
        if before not in ("", self.run.runner_name) and not self.is_finished:
            warn_user(
                f"The epochs before the checkpoint were computed by {before!r}, those to come are "
                f"by {self.run.runner_name!r}: the result is that of one fit up to rounding. "
                "runner_reasons_ says why; install what was installed, to go on as before."
            )

    def limit_epochs(self, n_epochs: int) -> int:
        """Return how many of the coming epochs may be computed in one call, at least 1."""
        if self.file is None or self.is_finished:
            return n_epochs
        if isinstance(self.spec.every, int):
            left = self.spec.every - (self.run.progress.n_epochs - self.n_epochs)
        else:  # until it is known how long they take, one
            left = self._get_wait() / self.run.progress.history.get("time", [np.inf])[-1]
        return int(max(1, min(n_epochs, left)))

    def end_epoch(self) -> None:
        """Write the state if it is time, and at the end of training."""
        if self.file is None or self.is_finished:
            return
        progress = self.run.progress
        self.is_finished = bool(progress.stopped_because) or (
            self.run.by_epochs and progress.n_epochs >= self.run.plan.config.max_iter
        )
        if progress.stopped_because == "diverged":  # the next fit is to say so, too
            self.is_finished = False
        elif self.is_finished or self._is_due():
            self.write()

    def end_iterations(self) -> None:
        """Write all evaluations, as L-BFGS has come to its end."""
        if self.file is not None and not self.is_finished:
            self.is_finished = True
            self.write()

    def _is_due(self) -> bool:
        if isinstance(self.spec.every, int):
            return self.run.progress.n_epochs - self.n_epochs >= self.spec.every
        return time.perf_counter() - self.latest >= self._get_wait()

    def _get_wait(self) -> float:
        """Return the seconds from one checkpoint to the next."""
        if self.spec.every is None:
            return max(SECONDS, TIMES * self.seconds_to_write)
        return self.spec.every

    def write(self) -> None:
        """Write the state as it is now; only the first time must that go well."""
        if self.file is None:
            return
        began, run = time.perf_counter(), self.run
        content = {
            "seconds": self.seconds_before + began - self.began,
            "stopped_because": run.progress.stopped_because if self.is_finished else "",
            "runner": run.runner_name,
            "is_finished": self.is_finished,
        }
        if run.by_epochs:
            content |= {"state": run.get_state(), "callbacks": run.callbacks.get_state()}
        else:
            content["evaluations"] = _join_evaluations(self.evaluations)
        try:
            self.file.write(content, run.progress.n_epochs, self.is_finished)
        except OSError as error:
            if not self.n_epochs and self.content is None and not run.progress.n_epochs:
                raise
            self._warn_of(error)
        self.n_epochs, self.latest = run.progress.n_epochs, time.perf_counter()
        self.seconds_to_write = self.latest - began

    def _warn_of(self, error: OSError) -> None:
        if not self.has_warned:
            warn_user(f"{error}. Training goes on, and the checkpoint from before stays.")
        self.has_warned = True

    def evaluate(
        self,
        function: Callable[[np.ndarray], tuple[float, np.ndarray]],
        vector: np.ndarray,
        number: int,
    ) -> tuple[float, np.ndarray]:
        """Return loss and gradient of L-BFGS's point of this number, from the file if it can."""
        if self.file is None:
            return function(vector)
        key = _make_key(vector)
        if number < len(self.evaluations):
            known, loss, gradient = self.evaluations[number]
            if known == key:
                return loss, gradient.copy()
            del self.evaluations[number:]  # made with another SciPy: compute from here on
        loss, gradient = function(vector)
        if (number + 1) * gradient.nbytes <= EVALUATION_BYTES and number == len(self.evaluations):
            self.evaluations.append((key, loss, gradient.copy()))
        return loss, gradient

    def close(self) -> None:
        """Let other fits have the file."""
        if self.file is not None:
            self.file.close(self.is_finished)
            self.file = None


def _make_key(vector: np.ndarray) -> int:
    """Return a number by which a point is known again."""
    return zlib.crc32(vector.tobytes())


def _join_evaluations(evaluations: list[tuple[int, float, np.ndarray]]) -> dict[str, Any]:
    keys, losses, gradients = zip(*evaluations, strict=True) if evaluations else ((), (), ())
    return {"keys": list(keys), "losses": list(losses), "gradients": list(gradients)}


def _split_evaluations(joined: dict[str, Any]) -> list[tuple[int, float, np.ndarray]]:
    return list(zip(joined["keys"], joined["losses"], joined["gradients"], strict=True))
