"""Captured steps of any module: autograd's, with the penalty and its slope added after it."""

from typing import cast

import torch

from sknn.engine.data._batches import TargetTensors, split_target
from sknn.engine.graphs._batches import CapturedBatches
from sknn.engine.graphs._epochs import ReplayedEpochs
from sknn.engine.graphs._optimizer_steps import Memory, make_module_memory

Tensor = torch.Tensor


class ReplayedModule(ReplayedEpochs):
    """Steps by autograd, as `Net.train_step` does them, but for the penalty."""

    def make_memory(self) -> Memory:
        """Return the memory of the module's parameters and the optimizer's state."""
        memory = make_module_memory(self.net.optimizer_)
        self.addresses = self._get_addresses()
        return memory

    def _get_addresses(self) -> list[int]:
        state = self.net.optimizer_.state
        tensors = [*self.net.module_.parameters(), *self.net.module_.buffers()]
        tensors += [v for s in state.values() for v in s.values() if isinstance(v, Tensor)]
        return [t.data_ptr() for t in tensors]

    def begin_epoch(self) -> None:
        """Begin anew where a callback has put other tensors in the place of those captured."""
        if self.addresses != self._get_addresses():
            self.chunks.clear()
            self.steps = self.make_steps()

    def close(self) -> None:
        """Let the graphs go, and the gradients, which lie in their memory."""
        super().close()
        for p in self.net.module_.parameters():
            p.grad = None

    def do_work(self, chunk: CapturedBatches) -> None:
        """Do the steps of a chunk, and add its loss to the total."""
        X, y, weight = self.take(chunk)
        weights = [None] * len(chunk.sizes) if weight is None else weight.split(chunk.sizes)
        parts = zip(X.split(chunk.sizes), y.split(chunk.sizes), weights, strict=True)
        outputs = []
        with chunk.masks.give_to(self.net.module_):
            for i, (part, target, w) in enumerate(parts):
                outputs.append(self._step(i, part, target if w is None else (target, w)))
        chunk.output = torch.cat(outputs)

    def _step(self, i: int, X: Tensor, target: TargetTensors) -> Tensor:
        net = self.net
        parameters = list(net.module_.parameters())
        for p in parameters:
            p.grad = None
        net.module_.train()
        output = net.infer(X)
        loss = net.get_loss(output, target, X=X, training=False) + net.compute_fixed_penalty()
        loss.backward()
        self.total.add_(loss.detach(), alpha=len(X))
        if net.alpha:
            _, weight = split_target(target)
            self._penalize(len(X), 1 / len(X) if weight is None else weight.sum().reciprocal())
        if net.max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, net.max_grad_norm)
        self.steps.step(i)
        return output.detach()

    @torch.no_grad()
    def _penalize(self, n_samples: int, share: float | Tensor) -> None:
        """Add the penalty and its slope, which autograd would do in many times as many kernels."""
        net = self.net
        weights: list[Tensor] = [*net.get_penalized_parameters()]
        if not weights:
            return
        gradients = [cast("Tensor", p.grad) for p in weights]
        l1, l2 = net.alpha * net.l1_ratio, net.alpha * (1 - net.l1_ratio)
        # d/dw alpha (l2/2 |w|² + l1 |w|_1) = l2 w + l1 sign(w), times the share of the batch.
        norms = torch.stack(torch._foreach_norm(weights))
        penalty = norms.square().sum().mul_(0.5 * l2)
        torch._foreach_add_(gradients, torch._foreach_mul(weights, l2 * share))
        if l1:
            signs = torch._foreach_sign(weights)
            torch._foreach_add_(gradients, torch._foreach_mul(signs, l1 * share))
            penalty.add_(torch.stack(torch._foreach_norm(weights, 1)).sum(), alpha=l1)
        self.total.add_(penalty.mul_(share), alpha=n_samples)
