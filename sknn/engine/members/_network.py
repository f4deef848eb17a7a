"""Training of an ensemble for tables by compiled passes, in place of the module's own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch.autograd.function import FunctionCtx, once_differentiable

from sknn.architectures import WEYL, Dropout, TabularEnsemble
from sknn.engine.members._codes import Backward, Dropped, Encoded, Ensemble, Forward
from sknn.engine.members._packing import count_values, pack
from sknn.engine.members._support import load_steps
from sknn.engine.optimizers._flat_parameters import Flat

Tensor = torch.Tensor
#: probabilities are multiples of 1 / ALL_PARTS: 16 random bits decide about a unit
ALL_PARTS = 2**16


class BatchMemory:
    """What the passes of a mini-batch write into, made once for the largest one.

    Parameters
    ----------
    net : Ensemble
        Whose passes they are.
    n_samples, n_threads : int
        Most samples of a mini-batch, and threads that share the members.
    """

    def __init__(self, net: Ensemble, n_samples: int, n_threads: int):
        self.net, self.n_samples = net, n_samples
        dtype, k, (n_columns, n_stretches) = net.values.dtype, net.n_members, net.left.shape
        self.stretches = np.empty((n_samples, n_columns), np.uint16)
        self.shares = np.empty((n_samples, n_columns), dtype)
        self.places = np.empty((n_samples, len(net.tables) + len(net.valued)), np.int64)
        self.sums = np.empty((k, 2, n_columns, n_stretches, net.width), dtype)
        self.values = np.empty(k * count_values(net, n_samples), dtype)
        self.outputs = np.empty(k * n_samples * net.layers[-1, 3], dtype)
        widest, matrix = int(net.layers[:, 2:].max()), int(np.prod(net.layers[:, 2:], axis=1).max())
        self.spaces = np.empty((n_threads, widest * (1 + 2 * n_samples) + matrix), dtype)

    def place(self, X: np.ndarray) -> tuple[Encoded, Forward]:
        """Return where samples are encoded, and where the way forward of all members writes."""
        n, k = len(X), self.net.n_members
        # Matrices of fewer samples are the beginning of the same memory.
        n_values, n_outputs = count_values(self.net, n), int(self.net.layers[-1, 3])
        values = self.values[: k * n_values].reshape(k, n_values)
        outputs = self.outputs[: k * n * n_outputs].reshape(k, n, n_outputs)
        encoded = Encoded(X, self.stretches[:n], self.shares[:n], self.places[:n])
        return encoded, Forward(self.sums, values, outputs)


class PassContext(FunctionCtx):
    """State that the forward pass leaves for the backward pass."""

    network: "CompiledMembers"
    encoded: Encoded
    factor: float


class MembersPass(torch.autograd.Function):
    """Compute the outputs of all members; `backward` gives the parameters their gradients.

    Autograd calls `backward` only if an input requires a gradient. The parameters are no inputs, as
    one compiled call writes all their gradients; the anchor, a number that nobody reads, is one.
    """

    @staticmethod
    def forward(ctx: PassContext, anchor: Tensor, X: Tensor, network: "CompiledMembers") -> Tensor:
        """Return the outputs, of shape (n_members, n_samples, n_outputs)."""
        ctx.network = network
        outputs, ctx.encoded, ctx.factor = network.run_forward(X.numpy())
        return torch.from_numpy(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: PassContext, delta: Tensor) -> tuple[None, None, None]:
        """Write the gradients of all parameters, given that of the outputs, of their shape."""
        ctx.network.run_backward(ctx.encoded, delta.contiguous().numpy(), ctx.factor)
        return None, None, None


class CompiledMembers:
    """Stand-in for a `TabularEnsemble` in training, which is called as the module is.

    While it is open, the parameters of the module are views of one vector.

    Parameters
    ----------
    module : TabularEnsemble
        Network on the CPU that `sknn.engine.members._support.explain_module` accepts.
    optimizer : torch.optim.Optimizer
        Optimizer of its parameters.
    """

    def __init__(self, module: TabularEnsemble, optimizer: torch.optim.Optimizer):
        self.module, self.steps = module, load_steps()
        module.is_compiled = True
        decaying = module.get_penalized()
        self.flat = Flat([*module.parameters()], optimizer, weights=decaying)
        places = np.cumsum([0, *(p.numel() for p in self.flat.parameters)])
        found = {id(p): int(at) for p, at in zip(self.flat.parameters, places, strict=False)}
        self.net = pack(module, self.flat.values.numpy(), lambda p: found[id(p)])
        self.gradients = self.flat.split_views(self.flat.gradient)
        self.gradient = self.flat.gradient.numpy()
        self.tables = [*module.codes.tables] if module.codes is not None else []
        if module.values is not None:
            self.tables.append(module.values.table)
        self.dropouts = [part for part in module.dropouts if isinstance(part, Dropout)]
        # Autograd calls `backward` only if an input needs a gradient, and the parameters are no
        # inputs of `MembersPass`: this one is.
        self.anchor = torch.zeros((), requires_grad=True)
        self.n_threads = min(torch.get_num_threads(), module.n_members)
        self.pool = ThreadPoolExecutor(self.n_threads) if self.n_threads > 1 else None
        shares = np.linspace(0, module.n_members, self.n_threads + 1).astype(int).tolist()
        self.shares = [*pairwise(shares)]
        self.memory = BatchMemory(self.net, 0, self.n_threads)

    def close(self) -> None:
        """Give the module and the optimizer memory of their own again."""
        if self.pool is not None:
            self.pool.shutdown()
        for p in self.flat.parameters:
            p.grad = None
        self.flat.close()

    def __call__(self, X: Tensor) -> Tensor:
        """Return the outputs of all members, (n_samples, n_members, n_outputs)."""
        output = MembersPass.apply(self.anchor, X, self).transpose(0, 1)
        return self.module.detach_left_out(X, output)

    def run_forward(self, X: np.ndarray) -> tuple[np.ndarray, Encoded, float]:
        """Return outputs (n_members, n_samples, n_outputs), encoded samples, dropout's factor."""
        if len(X) > self.memory.n_samples:
            self.memory = BatchMemory(self.net, len(X), self.n_threads)
        encoded, memory = self.memory.place(np.ascontiguousarray(X))
        self.steps.encode_samples(self.net, encoded)
        dropped = self._draw()
        self._share(
            partial(self.steps.run_forward, self.net, encoded, members, memory, dropped)
            for members in self.shares
        )
        return memory.outputs, encoded, dropped.factor

    def run_backward(self, encoded: Encoded, delta: np.ndarray, factor: float) -> None:
        """Give the parameters their gradients; `delta` is that of the outputs, of their shape."""
        memory = self.memory.place(encoded.X)[1]
        for p, gradient in zip(self.flat.parameters, self.gradients, strict=True):
            p.grad = gradient
        for table in self.tables:  # only levels that occur in the mini-batch are added to
            table.grad.zero_()
        backs = [Backward(delta, space, self.gradient, factor) for space in self.memory.spaces]
        self._share(
            partial(self.steps.run_backward, self.net, encoded, members, memory, back)
            for members, back in zip(self.shares, backs, strict=True)
        )

    def _draw(self) -> Dropped:
        """Return the dropout of the next step, and count the step."""
        keys = []
        for dropout in self.dropouts:
            # Seed and count lie in the state_dict of the module, so that a network that is saved
            # and loaded goes on with the masks that it would have drawn.
            seed, n_batches = dropout.state.tolist()
            dropout.state[1] += 1
            keys.append((seed + n_batches * WEYL) % 2**32)
        n_parts = self.dropouts[0].n_parts if keys else ALL_PARTS
        return Dropped(np.array(keys, np.uint32), n_parts, ALL_PARTS / n_parts)

    def _share(self, tasks: Iterable[Callable[[], None]]) -> None:
        """Call all tasks, each in a thread."""
        first, *others = tasks
        futures = [self.pool.submit(task) for task in others] if self.pool is not None else []
        first()
        for future in futures:
            future.result()
