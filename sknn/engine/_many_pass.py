"""Many MLPs of one shape trained side by side: their tensors have a leading axis of networks.

The mathematics of `sknn.engine._mlp_pass`, in another layout. Of k networks, a layer has weights
(k, n_outputs, n_inputs), as torch keeps them for each, and values (k, n_outputs, n_rows): rows
last, so that

    a_i = f(W_i a_{i-1} + b_i),    d_{i-1} = (W_i^T d_i) * f'(a_{i-1}),    dW_i = d_i a_{i-1}^T

are products of matrices as they lie. Networks that see the same rows in the same order are
neighbours; the first layer of m of them is one product with (m * n_outputs, n_inputs) weights.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from sknn.engine._many_orders import Chunk, Order, epoch
from sknn.engine._many_steps import StackedOptimizer, settings
from sknn.engine._mlp_pass import IN_PLACE

Tensor = torch.Tensor

#: loss -> its canonical link, from raw output into a buffer, both (k, n_outputs, n_rows)
LINKS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "log_loss": lambda z, out: torch.softmax(z, 1, out=out),
    "binary_log_loss": lambda z, out: torch.sigmoid(z, out=out),
    "squared_error": lambda z, out: out.copy_(z),
    "poisson": lambda z, out: torch.exp(z, out=out),
}


def arranged(nets: Sequence[Any], orders: Sequence[Order]) -> tuple[list[int], list[Order]]:
    """Choose how networks lie in a stack.

    Parameters
    ----------
    nets : sequence of Net
        The networks.
    orders : sequence of Order
        That of each.

    Returns
    -------
    places : list of int
        Numbers of the networks as they shall lie: those of one order together, and among them
        those with equal settings of the optimizer.
    orders : list of Order
        One for every so many networks.
    """
    distinct = list(dict.fromkeys(orders))
    counts = {len([o for o in orders if o is order]) for order in distinct}
    rank = {order: i for i, order in enumerate(distinct)}
    keys = [settings(net.optimizer_) for net in nets]
    if len(counts) == 1:
        places = sorted(range(len(nets)), key=lambda i: (rank[orders[i]], keys[i]))
        return places, distinct
    places = sorted(range(len(nets)), key=lambda i: (keys[i], rank[orders[i]]))
    return places, [orders[i] for i in places]


class Stack:
    """Networks of one shape that are trained together.

    While it is used, the modules' parameters and the optimizers' states are views of its tensors.

    Parameters
    ----------
    nets : list of Net
        Initialised, with plain MLPs of one shape, one loss and one class of optimizer.
    orders : list of Order
        One for every ``len(nets) // len(orders)`` networks, see `arranged`.
    batch_size : int
        Rows in a batch.
    """

    def __init__(self, nets: list[Any], orders: list[Order], batch_size: int):
        self.nets, self.orders, self.batch_size = nets, orders, batch_size
        layers = [list(net.module_.linears) for net in nets]
        self.widths = [layer.out_features for layer in layers[0]]
        columns = list(zip(*layers, strict=True))
        self.weights = [torch.stack([layer.weight.data for layer in c]) for c in columns]
        self.biases = [torch.stack([layer.bias.data for layer in c]) for c in columns]
        self.weight_gradients = [torch.empty_like(w) for w in self.weights]
        self.bias_gradients = [torch.empty_like(b) for b in self.biases]
        self.loss = nets[0].loss
        self.activations = [IN_PLACE[name] for name in nets[0].module_.activation_names]
        self.alpha = self.weights[0].new_tensor([net.alpha for net in nets])
        self.is_penalized = any(net.alpha for net in nets)
        # as in the module: weight and bias of each layer in turn
        parameters = [t for pair in zip(self.weights, self.biases, strict=True) for t in pair]
        gradients = [
            t for pair in zip(self.weight_gradients, self.bias_gradients, strict=True) for t in pair
        ]
        self.optimizer = StackedOptimizer([net.optimizer_ for net in nets], parameters, gradients)
        for net, own in zip(nets, zip(*parameters, strict=True), strict=True):
            for p, view in zip(net.module_.parameters(), own, strict=True):
                p.data, p.grad = view, None
        self.buffers: dict[int, tuple[list[Tensor], list[Tensor], Tensor]] = {}

    @torch.no_grad()
    def run_epoch(self) -> list[float]:
        """Train on all batches once.

        Returns
        -------
        list of float
            For each network the mean loss of a row, with the penalty, as it was before the step
            of its batch.
        """
        for order in dict.fromkeys(self.orders):
            order.shuffle()
        self.optimizer.begin_epoch()
        per_order = len(self.nets) // len(self.orders)
        total, n_steps = torch.zeros_like(self.alpha), 0
        for chunk in epoch(self.orders, self.batch_size, self.widths[-1] * per_order):
            total += self._run_chunk(chunk)
            n_steps += len(chunk.X)
        self.optimizer.end_epoch(n_steps)
        n_rows = total.new_tensor([len(o) for o in self.orders]).repeat_interleave(per_order)
        return (total / n_rows).tolist()

    def _run_chunk(self, chunk: Chunk) -> Tensor:
        """Train on consecutive batches; return the summed loss of each network."""
        k, n_orders = len(self.nets), len(self.orders)
        n_steps, width = chunk.X.shape[0], chunk.X.shape[2]
        output = chunk.X.new_empty(n_steps, k, self.widths[-1], width)
        wanted = self._wanted(chunk.y)
        share = (chunk.weight / chunk.total[:, :, None])[:, :, None, None]
        per_model = (k // n_orders,)
        totals = chunk.total.repeat_interleave(*per_model, dim=1)
        decay = (self.alpha / totals)[:, :, None, None]
        norms = output.new_zeros(n_steps, len(self.weights), k)
        for s in range(n_steps):
            self._forward(chunk.X[s], output[s])
            self._delta(output[s], wanted[s], share[s])
            self._backward(chunk.X[s])
            if self.is_penalized:
                for i, weight in enumerate(self.weights):
                    torch.linalg.vector_norm(weight, dim=(1, 2), out=norms[s, i])
                    self.weight_gradients[i].addcmul_(weight, decay[s])
            self.optimizer.step()
        factor = chunk.size / chunk.total
        cost = (
            self._costs(output, chunk.y, wanted) * (chunk.weight * factor[:, :, None])[:, :, None]
        )
        loss = cost.sum(dim=(0, 3)).view(k)
        squares = (norms.square().sum(1) * factor.repeat_interleave(*per_model, dim=1)).sum(0)
        self._hand_out(chunk, output)
        return loss + 0.5 * self.alpha * squares

    def _hand_out(self, chunk: Chunk, output: Tensor) -> None:
        """Give targets and outputs, in the order of the rows, to the networks that want them."""
        if all(net.outputs_of_epoch is None for net in self.nets):
            return
        rows = output.permute(1, 0, 3, 2).flatten(1, 2)
        per_order = len(self.nets) // len(self.orders)
        for i, order in enumerate(self.orders):
            n_rows = int(chunk.size[:, i].sum())  # what fills a batch up comes last
            target = chunk.y[:, i].flatten(0, 1)[:n_rows]
            if order.sample.weight is not None:
                target = target, chunk.weight[:, i].flatten()[:n_rows]
            for k in range(i * per_order, (i + 1) * per_order):
                if self.nets[k].outputs_of_epoch is not None:
                    self.nets[k].outputs_of_epoch.append((target, rows[k, :n_rows]))

    def _wanted(self, y: Tensor) -> Tensor:
        """Return targets in the shape of the output: (n_steps, n_orders, 1, n_outputs, n_rows)."""
        if self.loss.name != "log_loss":
            return y.transpose(2, 3).contiguous()[:, :, None]
        n_steps, n_orders, width = y.shape
        wanted = self.alpha.new_zeros(n_steps, n_orders, self.widths[-1], width)
        return wanted.scatter_(2, y[:, :, None], 1)[:, :, None]

    def _costs(self, output: Tensor, y: Tensor, wanted: Tensor) -> Tensor:
        """Return the costs of rows, of shape (n_steps, n_orders, n_networks_of_it, n_rows)."""
        n_steps, n_orders, width = y.shape[:3]
        shape = (n_steps, n_orders, len(self.nets) // n_orders, width)
        if self.loss.name == "log_loss":  # of batches as of images; rows lie as their pixels
            target = y[:, :, None].expand(shape).reshape(-1, width)
            output = output.view(-1, *output.shape[2:])
            return functional.cross_entropy(output, target, reduction="none").view(shape)
        rows = output.movedim(2, 0).reshape(self.widths[-1], -1).t()
        full = wanted.expand(*shape[:3], *wanted.shape[3:])
        target = full.movedim(3, 0).reshape(self.widths[-1], -1).t()
        return self.loss.per_row(rows, target).view(shape)

    def _space(self, width: int) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Return space for a batch: values of hidden layers, deltas of all layers, ones."""
        if width not in self.buffers:
            k, like = len(self.nets), self.alpha
            values = [like.new_empty(k, n, width) for n in self.widths[:-1]]
            deltas = [like.new_empty(k, n, width) for n in self.widths]
            self.buffers[width] = values, deltas, like.new_ones(width)
        return self.buffers[width]

    def _by_order(self, tensor: Tensor) -> Tensor:
        """Return a tensor with all units of the networks of an order in one axis."""
        return tensor.view(len(self.orders), -1, *tensor.shape[2:])

    def _forward(self, X: Tensor, output: Tensor) -> None:
        values = self._space(X.shape[1])[0]
        targets = [*values, output]
        first, bias = self._by_order(self.weights[0]), self._by_order(self.biases[0])[..., None]
        torch.baddbmm(bias, first, X.transpose(1, 2), out=self._by_order(targets[0]))
        for i in range(1, len(targets)):
            self.activations[i - 1].value(targets[i - 1])
            torch.baddbmm(
                self.biases[i][..., None], self.weights[i], targets[i - 1], out=targets[i]
            )

    def _delta(self, output: Tensor, wanted: Tensor, share: Tensor) -> None:
        """Write the derivative of the batch's mean loss with respect to the raw output."""
        delta = self._space(output.shape[2])[1][-1]
        LINKS[self.loss.name](output, delta)
        by_order = delta.view(len(self.orders), -1, *delta.shape[1:])
        by_order.sub_(wanted).mul_(share)

    def _backward(self, X: Tensor) -> None:
        values, deltas, ones = self._space(X.shape[1])
        for i in range(len(deltas) - 1, -1, -1):
            delta = deltas[i]
            if i:
                torch.bmm(self.weights[i].transpose(1, 2), delta, out=deltas[i - 1])
                self.activations[i - 1].backward(deltas[i - 1], values[i - 1])
                gradient = self.weight_gradients[i]
                torch.bmm(delta, values[i - 1].transpose(1, 2), out=gradient)
            else:
                gradient = self._by_order(self.weight_gradients[0])
                torch.bmm(self._by_order(delta), X, out=gradient)
            rows = delta.view(-1, len(ones))
            torch.mv(rows, ones, out=self.bias_gradients[i].view(-1))
