"""Work that goes on in a thread of its own and can be played, paused, stepped and stopped."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sknn.playground._frames import (
    NetworkCopy,
    layer_sizes,
    make_pictures,
    pack_message,
    pack_weights,
)
from sknn.playground._problems import Problem

#: shortest time between two frames, in seconds
FRAME_SECONDS = 1 / 20
#: longest that stopping waits for the thread, in seconds
STOP_SECONDS = 10.0


class RunStopped(BaseException):
    """Ends a fit from inside; no handler of errors is to catch it."""


class Run(ABC):
    """A model that changes step by step in its own thread, seen through frames.

    Parameters
    ----------
    problem : Problem
        Problem over which the model is drawn.
    publish : callable
        ``publish(message)`` is called in the thread of the run with each frame, as bytes, or with
        a dict that tells of an error or of the end.
    speed : int
        Steps a second at most; 0 for no limit.
    """

    def __init__(
        self, problem: Problem, publish: Callable[[bytes | dict[str, Any]], None], speed: int = 0
    ):
        self.problem, self.publish, self.speed = problem, publish, speed
        self.n_steps = 0  # since the beginning
        self.is_finished = False
        self.edits: list[tuple[int, int, int, float]] = []
        self.has_edits = False
        self._curves: dict[str, list[float]] = {}
        self._n_sent = 0
        self._playing, self._steps, self._stopped = False, 0, False
        self._is_acknowledged, self._is_dirty, self._last_frame = True, True, -np.inf
        self._condition, self._has_begun = threading.Condition(), threading.Event()
        self._thread = threading.Thread(
            target=self._run_thread, daemon=True, name="sknn-playground"
        )

    @abstractmethod
    def _loop(self) -> None:
        """Do the work, and call `_between_steps` between any two steps of it."""

    @abstractmethod
    def network(self) -> NetworkCopy:
        """Return the model as it is now."""

    @abstractmethod
    def _apply(self, edit: tuple[int, int, int, float]) -> None:
        """Set one weight of the model."""

    def _make_notes(self) -> Mapping[str, Any]:
        """Return what else a frame is to say."""
        return {}

    def start(self) -> None:
        """Begin, and wait until the run pauses before its first step."""
        self._thread.start()
        self._has_begun.wait()

    def play(self) -> None:
        """Train until training is paused."""
        with self._condition:
            self._playing = True
            self._condition.notify_all()

    def pause(self) -> None:
        """Stop after the step that is being done."""
        with self._condition:
            self._playing, self._steps = False, 0
            self._condition.notify_all()

    def step(self) -> None:
        """Do one step, then pause."""
        with self._condition:
            self._playing = False
            self._steps += 1
            self._condition.notify_all()

    def set_weight(self, layer: int, row: int, column: int, value: float) -> None:
        """Set a weight before the next step.

        Layers count from 0, behind the inputs; `row` is the unit before, -1 for the bias, and
        `column` the unit. The value is finite; ValueError says if there is no such weight.
        """
        coefs = self.network().coefs
        fits = 0 <= layer < len(coefs) and -1 <= row < coefs[layer].shape[0]
        if not fits or not 0 <= column < coefs[layer].shape[1]:
            raise ValueError(f"There is no weight {row}, {column} in layer {layer}.")
        if not abs(value) <= 1e6:
            raise ValueError(f"A weight must be a number from -1e6 to 1e6; got {value!r}.")
        with self._condition:
            self.edits.append((layer, row, column, float(value)))
            self._condition.notify_all()

    def acknowledge(self) -> None:
        """Note that the page has drawn the last frame, and wants the next one."""
        with self._condition:
            self._is_acknowledged = True
            self._condition.notify_all()

    def stop(self) -> None:
        """End the thread, and wait for it."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(STOP_SECONDS)

    @property
    def is_alive(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    def _record(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._curves.setdefault(name, []).append(float(value))

    def _run_thread(self) -> None:
        try:
            self._loop()
            self.is_finished = True
            self.publish({"type": "finished", "steps": self.n_steps})
            with self._condition:
                self._is_dirty = True
                while True:
                    self._wait_paused()
        except RunStopped:
            return
        except Exception as error:  # of any estimator: the page shows it
            self.publish({"type": "error", "message": str(error)})
        finally:
            self._has_begun.set()

    def _between_steps(self) -> None:
        """Show the model if a frame is due, and wait while the run is paused."""
        self._has_begun.set()
        with self._condition:
            self._is_dirty = True
            self._apply_edits()
            while not (self._playing or self._steps or self._stopped):
                self._wait_paused()
            if self._stopped:
                raise RunStopped
            self._steps = max(0, self._steps - 1)
            self._send_frame_if_due()
            if self.speed and self._playing:
                self._condition.wait(1 / self.speed)
            if self._stopped:
                raise RunStopped

    def _wait_paused(self) -> None:
        """Wait for something to happen, once; show what is new before."""
        if self._stopped:
            raise RunStopped
        self._apply_edits()
        if self._is_dirty and self._is_acknowledged:
            self._send_frame()
        self._condition.wait()

    def _apply_edits(self) -> None:
        edits, self.edits = self.edits, []
        for edit in edits:
            self._apply(edit)
            self.has_edits = self._is_dirty = True

    def _send_frame_if_due(self) -> None:
        now = time.perf_counter()
        if self._is_acknowledged and now - self._last_frame >= FRAME_SECONDS:
            self._send_frame()

    def _send_frame(self) -> None:
        network = self.network()
        curves = {name: values[self._n_sent :] for name, values in self._curves.items()}
        header = {
            "type": "frame",
            "step": self.n_steps,
            "is_finished": self.is_finished,
            "is_edited": self.has_edits,
            "sizes": layer_sizes(network),
            "activations": network.activations,
            "curves": {"begin": self._n_sent, **curves},
            **self._make_notes(),
        }
        with np.errstate(over="ignore", invalid="ignore"):  # a network may diverge
            arrays = {**make_pictures(network, self.problem), "weights": pack_weights(network)}
        self._n_sent = max((len(values) for values in self._curves.values()), default=0)
        self._is_acknowledged, self._is_dirty = False, False
        self._last_frame = time.perf_counter()
        self.publish(pack_message(header, arrays))
