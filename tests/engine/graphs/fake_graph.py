"""A graph that is captured and replayed on the CPU, as strictly as a CUDA device would."""

from typing import ClassVar

import torch
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
#: what would have to wait for the device, or would read the host's memory only once
FORBIDDEN = {aten._local_scalar_dense.default, aten.nonzero.default, aten.lift_fresh.default}


class Recording(TorchDispatchMode):
    """Takes down every operation with the very tensors that it read and wrote.

    A number that Python computed is thus an argument of the operation for ever, as in a kernel's
    arguments. What the operations change in memory is put back at the end: capturing does nothing.
    """

    def __init__(self):
        super().__init__()
        self.operations, self.before = [], []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in FORBIDDEN:
            raise RuntimeError(f"operation not permitted when stream is capturing: {func}")
        kwargs = kwargs or {}
        for tensor in _written(func, args, kwargs):
            self.before.append((tensor, tensor.clone()))
        result = func(*args, **kwargs)
        self.operations.append((func, args, kwargs, _new(func, result)))
        return result

    def put_back(self):
        with torch.no_grad():
            for tensor, value in reversed(self.before):
                tensor.copy_(value)


def _tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for v in value for t in _tensors(v)] if isinstance(value, list | tuple) else []


def _written(func, args, kwargs):
    if func is aten.native_batch_norm.default:  # running mean and variance, which it does not say
        yield from _tensors(list(args[3:5]))
    for i, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            yield from _tensors(args[i] if i < len(args) else kwargs.get(argument.name))


def _new(func, result):
    """Return the tensors that an operation made: neither its arguments nor views of them."""
    if any(value.alias_info is not None for value in func._schema.returns):
        return None
    return _tensors(result)


class FakeGraph:
    """Stands for `sknn.engine.graphs._cuda_graph.CudaGraph`.

    Attributes
    ----------
    made : list of FakeGraph
        All of them, until a test clears it.
    n_runs, n_replays : int
        How often the work was done as it is, and replayed.
    """

    made: ClassVar[list] = []

    def __init__(self):
        self.n_runs = self.n_captures = self.n_replays = 0
        self.operations = None
        FakeGraph.made.append(self)

    def run(self, work):
        self.n_runs += 1
        work()

    def capture(self, work):
        self.n_captures += 1
        recording = Recording()
        try:
            # The seeds of a device's generator are not drawn while capturing either.
            with torch.random.fork_rng(devices=[]), recording:
                work()
        finally:
            recording.put_back()
        self.operations = recording.operations

    @torch.no_grad()
    def replay(self):
        self.n_replays += 1
        for func, args, kwargs, made in self.operations:
            result = func(*args, **kwargs)
            if made is not None:
                for old, new in zip(made, _tensors(result), strict=True):
                    old.copy_(new)
