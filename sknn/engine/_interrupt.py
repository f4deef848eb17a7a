"""Ctrl-C while networks train: noted by a flag, read between steps."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Protocol

#: modules of scikit-learn through which a single fit passes; all others of it and joblib's hold
#: several fits, which end together
SINGLE = (
    "sklearn.base",
    "sklearn.callback",
    "sklearn.pipeline",
    "sklearn.compose._target",
    "sklearn.feature_selection",
    "sklearn.utils",
)


class PauseTraining(Exception):  # noqa: N818 - an event, not an error
    """Ends an epoch between two steps, from where training can go on."""


#: what `signal.signal` returns
Handler = Callable[[int, FrameType | None], object] | int


class StopSign(Protocol):
    """Says when runs are to stop: an `InterruptFlag`, or one of another thread."""

    is_deaf: bool

    @property
    def is_set(self) -> bool:
        """Whether to stop after the step at hand."""

    def __enter__(self) -> "StopSign": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class InterruptFlag:
    """Turns the first SIGINT inside its block into a flag; the second is a KeyboardInterrupt.

    A handler can be set in the main thread alone, and it is set only in the place of Python's
    own: one that the user has set stays. The handler from before comes back after the block.

    Attributes
    ----------
    is_set : bool
        Whether to stop after the step at hand.
    is_deaf : bool
        Whether a second signal is no KeyboardInterrupt, as the run is between two states.
    """

    def __init__(self) -> None:
        self.is_set = self.is_deaf = False
        self._before: Handler | None = None

    def __enter__(self) -> "InterruptFlag":
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            self.is_deaf = True  # until the block begins: an error here would leave the handler
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.is_set and not self.is_deaf:
            raise KeyboardInterrupt
        self.is_set = True


@contextmanager
def ignore_second(sign: StopSign) -> Iterator[None]:
    """Return a context that a second SIGINT does not cut in two, for what is short and whole."""
    sign.is_deaf = True
    try:
        yield
    finally:
        sign.is_deaf = False


def is_one_of_several_fits() -> bool:
    """Return whether the fit that runs was started by something that holds several."""
    # Searches, cross-validations and ensembles of scikit-learn cannot know that a fit was cut
    # short, and would start the next one; so there Ctrl-C has to stay an error, which ends all.
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        root = name.partition(".")[0]
        if root == "joblib" or (root == "sklearn" and not name.startswith(SINGLE)):
            return True
        frame = frame.f_back
    return False
