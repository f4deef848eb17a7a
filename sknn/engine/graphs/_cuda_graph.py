"""Work on fixed memory, captured once as a CUDA graph and replayed from then on.

A step of a small network is some fifteen kernels of 2 µs each, and starting a kernel from Python
takes 5 to 10 µs. A graph of many steps is started by one call, and its kernels follow each other
within about a microsecond.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Protocol

import torch

Work = Callable[[], Any]

#: held while a thread warms up or captures
ONE_AT_A_TIME = Lock()


class ReplayableGraph(Protocol):
    """Runs work aside, captures it, and replays it."""

    def run(self, work: Work) -> None:
        """Do the work now."""

    def capture(self, work: Work) -> None:
        """Record the kernels that the work would start, and run none of them."""

    def replay(self) -> None:
        """Do what was captured."""


class CudaGraph:
    """A `ReplayableGraph` of a CUDA device.

    What is captured first runs on the stream that captures it, where libraries take their work
    space and choose their kernels [1]_. Others may use the GPU from their threads meanwhile.

    Parameters
    ----------
    device : str
        Device, by torch's name.
    stream : torch.cuda.Stream
        Stream of the device, for warming up and capturing.

    References
    ----------
    .. [1] PyTorch, "CUDA semantics", section "CUDA Graphs".
    """

    graph: torch.cuda.CUDAGraph

    def __init__(self, device: str, stream: torch.cuda.Stream):
        self.device, self.stream = device, stream

    def run(self, work: Work) -> None:
        """Do the work now, on the stream that will capture it."""
        with self._switch_stream():
            work()

    def capture(self, work: Work) -> None:
        """Record the kernels of the work, which may not wait for the device."""
        graph = torch.cuda.CUDAGraph()
        # The block around it puts the stream back where torch's own does not: if capture fails.
        with (
            self._switch_stream(),
            torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"),
        ):
            work()
        self.graph = graph

    def replay(self) -> None:
        """Start the captured kernels, on the stream that is current."""
        self.graph.replay()

    @contextmanager
    def _switch_stream(self) -> Iterator[None]:
        # One capture at a time is what torch allows in a process, and torch's streams are few: what
        # another thread does on the same one meanwhile would be captured too.
        with ONE_AT_A_TIME:
            here = torch.cuda.current_stream(self.device)
            # What was started on the current stream comes before, and what follows there comes
            # after.
            self.stream.wait_stream(here)
            with torch.cuda.stream(self.stream):
                yield
            here.wait_stream(self.stream)


def choose_graph_maker(device: str) -> Callable[[], ReplayableGraph] | None:
    """Return a function that makes graphs for a device; None on the CPU and on Apple's MPS."""
    # All are captured on one stream, for which libraries take their work space once.
    if torch.device(device).type != "cuda":
        return None
    stream = torch.cuda.Stream(device)
    return lambda: CudaGraph(device, stream)


class Replayed:
    """Work that is captured at its second run, and replayed from then on.

    The first run warms up, and is one like the others: it counts, so nothing is computed in vain
    and nothing has to be put back. Capturing computes nothing, so where it fails nothing is lost
    either: the work is then done as it is, each time.

    Parameters
    ----------
    work : callable
        Reads and writes the same memory each time. What depends on the run is written there
        before; it changes nothing but tensors, and waits for nothing.
    graph : ReplayableGraph
        New.

    Attributes
    ----------
    is_captured : bool
        Whether there is something to replay.
    failure : str or None
        Why there never will be.
    """

    def __init__(self, work: Work, graph: ReplayableGraph):
        self.work, self.graph = work, graph
        self.is_warm = self.is_captured = False
        self.failure: str | None = None

    def __call__(self) -> None:
        """Do the work once."""
        if self.is_warm and self.failure is None and not self.is_captured:
            self._capture()
        if self.is_captured:
            self.graph.replay()
        elif self.failure is None:
            self.graph.run(self.work)
            self.is_warm = True
        else:
            self.work()

    def _capture(self) -> None:
        try:
            self.graph.capture(self.work)
        except Exception as error:  # drivers, libraries and operations have errors of their own
            self.failure = f"{type(error).__name__}: {error}"
        else:
            self.is_captured = True
