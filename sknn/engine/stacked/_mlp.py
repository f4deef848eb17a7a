"""Many MLPs of one shape trained as one stack: their tensors have a leading axis of networks.

The mathematics of `sknn.engine.backprop._mlp`, in another layout. Of k networks, a layer has
weights (k, n_outputs, n_inputs), as torch keeps them for each, and values (k, n_outputs, n_samples)
with samples last, so that

    a_i = f(W_i a_{i-1} + b_i),    d_{i-1} = (W_i^T d_i) * f'(a_{i-1}),    dW_i = d_i a_{i-1}^T

are products of matrices as they lie. Networks that see the same samples in the same order are
neighbours; the first layer of m of them is one product with (m * n_outputs, n_inputs) weights.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import cast

import torch

from sknn.engine._run import TrainingRun
from sknn.engine.backprop._mlp import IN_PLACE
from sknn.engine.data._batches import TargetTensors
from sknn.engine.data._matmul import ignore_overflow, multiply
from sknn.engine.graphs._cuda_graph import choose_graph_maker
from sknn.engine.losses._loss import TableLoss
from sknn.engine.net._net import Net
from sknn.engine.stacked._batches import ChunkLoader, Order, StackedBatches
from sknn.engine.stacked._graphs import ReplayedStack
from sknn.engine.stacked._optimizer import StackedOptimizer, get_settings

Tensor = torch.Tensor


def arrange(nets: Sequence[Net], orders: Sequence[Order]) -> list[int]:
    """Return the numbers of networks in the order in which they lie in a stack.

    Those of one order lie together, orders of equally many networks together, and in an order
    those with equal settings of the optimizer.
    """
    counts, rank = Counter(orders), {order: i for i, order in enumerate(dict.fromkeys(orders))}
    return sorted(
        range(len(nets)),
        key=lambda i: (-counts[orders[i]], rank[orders[i]], get_settings(nets[i].optimizer_)),
    )


@dataclass(frozen=True)
class Block:
    """Neighbouring orders, each of as many networks.

    Attributes
    ----------
    orders, nets : slice
        Ranges of orders and of networks.
    """

    orders: slice
    nets: slice

    def take(self, tensor: Tensor) -> Tensor:
        """Return the part of a tensor of all networks, of shape (n_orders, n_networks, ...)."""
        n_orders = self.orders.stop - self.orders.start
        return tensor[self.nets].view(n_orders, -1, *tensor.shape[1:])

    def join_units(self, tensor: Tensor) -> Tensor:
        """Return the same with the units of an order's networks in one axis."""
        return self.take(tensor).flatten(1, 2)


def make_blocks(orders: Sequence[Order]) -> list[Block]:
    """Return the blocks of networks, which lie as `arrange` says, by the order of each."""
    blocks, order, net = [], 0, 0
    for count, group in groupby(Counter(orders).values()):
        n_orders = len(list(group))
        stops = order + n_orders, net + n_orders * count
        blocks.append(Block(slice(order, stops[0]), slice(net, stops[1])))
        order, net = stops
    return blocks


@dataclass(frozen=True)
class Batch:
    """One step's part of a chunk: what goes in, and space for what comes out.

    Attributes
    ----------
    X : Tensor of shape (n_orders, n_samples, n_features)
        Inputs.
    targets : Tensor of shape (n_orders, 1, n_outputs, n_samples)
        Targets in the shape of the output.
    share : Tensor of shape (n_orders, 1, 1, n_samples)
        Weight of each sample in the mean loss of the batch.
    decay : Tensor of shape (n_networks, 1, 1)
        Slope of the penalty, for weights of 1.
    output : Tensor of shape (n_networks, n_outputs, n_samples)
        Raw predictions, overwritten.
    squares : Tensor of shape (n_layers, n_networks)
        Summed squares of the weights before the step, overwritten if there is a penalty.
    """

    X: Tensor
    targets: Tensor
    share: Tensor
    decay: Tensor
    output: Tensor
    squares: Tensor


@dataclass(frozen=True)
class StackBuffers:
    """Memory that a batch overwrites, and the parts of it that belong to blocks.

    Attributes
    ----------
    values, deltas : list of Tensor of shape (n_networks, n_units, n_samples)
        Values of the hidden layers, and deltas of all layers.
    first_values, first_deltas, last_deltas : list
        Part of each block of those, see `Block`; None if the first layer is the last.
    """

    values: list[Tensor]
    deltas: list[Tensor]
    first_values: list[Tensor | None]
    first_deltas: list[Tensor]
    last_deltas: list[Tensor]


class Stack:
    """Networks of one shape that are trained together.

    While it is used, the modules' parameters and the optimizers' states are views of its tensors.

    Parameters
    ----------
    runs : list of TrainingRun
        Runs of plain MLPs of one shape, one loss and one class of optimizer.
    orders : list of Order
        Order of each run, which lie as `arrange` says.
    batch_size : int
        Samples in a batch.
    """

    multiply = staticmethod(multiply)
    choose_graph_maker = staticmethod(choose_graph_maker)

    def __init__(self, runs: list[TrainingRun], orders: list[Order], batch_size: int):
        self.runs, self.nets = runs, [run.net for run in runs]
        self.orders, self.blocks = list(dict.fromkeys(orders)), make_blocks(orders)
        first = self.nets[0]
        self.loss = cast("TableLoss", first.loss)
        self.activations = [IN_PLACE[name] for name in first.module_.activation_names]
        self._lay_weights()
        self.alpha = self.weights[0].new_tensor([net.alpha for net in self.nets])
        self.is_penalized = any(net.alpha for net in self.nets)
        self.optimizer = self._share_parameters()
        number = {order: i for i, order in enumerate(self.orders)}
        self.order_of = [number[order] for order in orders]
        self.order_index = torch.tensor(self.order_of, device=self.alpha.device)
        per_order = -(-len(self.nets) // len(self.orders))
        self.loader = ChunkLoader(self.orders, batch_size, self.widths[-1] * per_order)
        self.kept: Tensor | None = None
        self.spaces: dict[int, StackBuffers] = {}
        self.replays = self._make_replays()

    def _lay_weights(self) -> None:
        """Stack weights and biases of each layer, with space for gradients, and views of blocks."""
        layers = [list(net.module_.linears) for net in self.nets]
        self.widths = [layer.out_features for layer in layers[0]]
        columns = list(zip(*layers, strict=True))
        self.weights = [torch.stack([layer.weight.data for layer in c]) for c in columns]
        self.biases = [torch.stack([layer.bias.data for layer in c]) for c in columns]
        self.weight_gradients = [torch.empty_like(w) for w in self.weights]
        self.bias_gradients = [torch.empty_like(b) for b in self.biases]
        self.first_weights = [block.join_units(self.weights[0]) for block in self.blocks]
        self.first_gradients = [block.join_units(self.weight_gradients[0]) for block in self.blocks]
        self.columns = [bias[..., None] for bias in self.biases]

    def _share_parameters(self) -> StackedOptimizer:
        """Let the modules' parameters be views of the stack; return the optimizer of all."""
        # In the order of a module's parameters: weight and bias of each layer in turn.
        parameters = _alternate(self.weights, self.biases)
        gradients = _alternate(self.weight_gradients, self.bias_gradients)
        optimizer = StackedOptimizer([net.optimizer_ for net in self.nets], parameters, gradients)
        for net, own in zip(self.nets, zip(*parameters, strict=True), strict=True):
            for p, view in zip(net.module_.parameters(), own, strict=True):
                p.data, p.grad = view, None
        return optimizer

    def _make_replays(self) -> ReplayedStack | None:
        """Return the replays of steps on a device that has graphs, None elsewhere."""
        new_graph = self.choose_graph_maker(str(self.alpha.device))
        if new_graph is None:
            return None
        return ReplayedStack(self._train_on, self.optimizer, self.loader.n_steps, new_graph)

    @torch.no_grad()
    def run_epoch(self) -> list[float]:
        """Train on all batches once.

        Returns
        -------
        list of float
            For each network the mean loss of a sample, with the penalty, as it was before the step
            of its batch.
        """
        for order in self.orders:
            order.shuffle()
        self.optimizer.begin_epoch()
        run: Callable[[StackedBatches], tuple[Tensor, Tensor]] = self._train_on
        if self.replays is not None:
            self.replays.begin_epoch()
            run = self.replays.run
        total, n_steps = torch.zeros_like(self.alpha), 0
        with ignore_overflow():
            for chunk in self.loader.iterate_chunks():
                loss, output = run(chunk)
                total += loss
                self._keep(output, n_steps)
                n_steps += len(chunk.X)
        self.optimizer.end_epoch(n_steps)
        self._give_outputs()
        n_samples = total.new_tensor([len(self.orders[i]) for i in self.order_of])
        return (total / n_samples).tolist()

    def _train_on(
        self, chunk: StackedBatches, follow: Callable[[], None] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Train on consecutive batches; return the summed loss of each network, and outputs.

        `follow` follows the gradients in place of the optimizer.
        """
        k, (n_steps, _, width) = len(self.nets), chunk.X.shape[:3]
        output = chunk.X.new_empty(n_steps, k, self.widths[-1], width)
        squares = output.new_zeros(n_steps, len(self.weights), k)
        targets = self._encode_targets(chunk.y)
        # The mean loss of a batch is Σ w_i l_i / Σ w_i, so that each sample's delta is multiplied
        # by w_i / Σ w. A sample that fills a batch up has w = 0, and adds nothing.
        share = (chunk.weight / chunk.total[:, :, None])[:, :, None, None]
        decay = (self.alpha / chunk.total[:, self.order_index])[:, :, None, None]
        for parts in zip(chunk.X, targets, share, decay, output, squares, strict=True):
            self.step(Batch(*parts), follow or self.optimizer.step)
        # scikit-learn's loss of an epoch is the sum over batches of mean loss times batch size,
        # over all samples: size · Σ w_i l_i / Σ w_i for each batch.
        factor = chunk.size / chunk.total
        weight = (chunk.weight * factor[:, :, None])[:, self.order_index]
        loss = (self._compute_losses(output, targets) * weight).sum(dim=(0, 2))
        penalty = (squares.sum(1) * factor[:, self.order_index]).sum(0)
        return loss + 0.5 * self.alpha * penalty, output

    def step(self, batch: Batch, follow: Callable[[], None]) -> None:
        """Train on one batch; `follow` follows the gradients."""
        # For replays: this reads and writes memory of the batch and of the stack alone, always the
        # same of the latter for batches of one shape, and never waits for the device.
        self._go_forward(batch.X, batch.output)
        self._compute_delta(batch)
        self._go_back(batch.X)
        if self.is_penalized:
            for i, weight in enumerate(self.weights):
                # The squares of each network are a product (1, n) (n, 1); d/dW alpha/2 |W|^2 is
                # alpha W, with the share of the batch in `decay`.
                flat = weight.view(len(weight), 1, -1)
                self.multiply(flat, flat.transpose(1, 2), out=batch.squares[i, :, None, None])
                self.weight_gradients[i].addcmul_(weight, batch.decay)
        follow()

    def _keep(self, output: Tensor, n_before: int) -> None:
        """Keep outputs in the order of the samples, if a network wants those of the epoch."""
        if not any(run.keeps_outputs for run in self.runs):
            return
        n_steps, k, n_outputs, width = output.shape
        if self.kept is None:
            self.kept = output.new_empty(k, self.loader.n_samples, n_outputs)
        start = n_before * self.loader.batch_size
        # From (n_steps, k, n_outputs, width) to samples in the order of the epoch, batch after
        # batch.
        part = self.kept[:, start : start + n_steps * width]
        part.view(k, n_steps, width, n_outputs).copy_(output.permute(1, 0, 3, 2))

    def _give_outputs(self) -> None:
        """Give targets and outputs of the epoch to the networks that want them."""
        targets: dict[int, TargetTensors] = {}
        for i, run in enumerate(self.runs):
            if run.keeps_outputs:
                number = self.order_of[i]
                if number not in targets:
                    targets[number] = self.orders[number].take_targets()
                n_samples = len(self.orders[number])  # what fills a batch up comes last
                run.keep_outputs(targets[number], cast("Tensor", self.kept)[i, :n_samples])

    def _encode_targets(self, y: Tensor) -> Tensor:
        """Return targets of shape (n_steps, n_orders, 1, n_outputs, n_samples), as outputs lie."""
        if y.ndim == 4:
            return y.transpose(2, 3).contiguous()[:, :, None]
        # Class numbers become one-hot columns, written where the number says.
        n_steps, n_orders, width = y.shape
        targets = self.alpha.new_zeros(n_steps, n_orders, self.widths[-1], width)
        return targets.scatter_(2, y[:, :, None], 1)[:, :, None]

    def _compute_losses(self, output: Tensor, targets: Tensor) -> Tensor:
        """Return the losses of samples, of shape (n_steps, n_networks, n_samples)."""
        n_steps, _, n_outputs, width = output.shape
        losses = []
        for block in self.blocks:
            n_orders = block.orders.stop - block.orders.start
            own = output[:, block.nets].view(n_steps, n_orders, -1, n_outputs, width)
            losses.append(self.loss.value(own, targets[:, block.orders]).flatten(1, 2))
        return losses[0] if len(losses) == 1 else torch.cat(losses, 1)

    def _get_space(self, width: int) -> "StackBuffers":
        """Return space for a batch of so many samples, always the same."""
        if width not in self.spaces:
            k, like, blocks = len(self.nets), self.alpha, self.blocks
            values = [like.new_empty(k, n, width) for n in self.widths[:-1]]
            deltas = [like.new_empty(k, n, width) for n in self.widths]
            self.spaces[width] = StackBuffers(
                values,
                deltas,
                [block.join_units(values[0]) if values else None for block in blocks],
                [block.join_units(deltas[0]) for block in blocks],
                [block.take(deltas[-1]) for block in blocks],
            )
        return self.spaces[width]

    def _go_forward(self, X: Tensor, output: Tensor) -> None:
        space = self._get_space(X.shape[1])
        for block, weight, z in zip(
            self.blocks, self.first_weights, space.first_values, strict=True
        ):
            z = block.join_units(output) if z is None else z
            self.multiply(weight, X[block.orders].transpose(1, 2), out=z)
        layers = [*space.values, output]
        for i, (z, bias) in enumerate(zip(layers, self.columns, strict=True)):
            if i:
                self.activations[i - 1].value(layers[i - 1])
                self.multiply(self.weights[i], layers[i - 1], out=z)
            z.add_(bias)

    def _compute_delta(self, batch: Batch) -> None:
        """Write the derivative of the batch's mean loss with respect to the raw predictions."""
        space = self._get_space(batch.output.shape[2])
        for block, delta in zip(self.blocks, space.last_deltas, strict=True):
            targets = batch.targets[block.orders]
            self.loss.write_gradient(block.take(batch.output), targets, delta)
            delta.mul_(batch.share[block.orders])

    def _go_back(self, X: Tensor) -> None:
        space = self._get_space(X.shape[1])
        values, deltas = space.values, space.deltas
        for i in range(len(deltas) - 1, 0, -1):
            self.multiply(self.weights[i].transpose(1, 2), deltas[i], out=deltas[i - 1])
            self.activations[i - 1].backward(deltas[i - 1], values[i - 1])
            self.multiply(deltas[i], values[i - 1].transpose(1, 2), out=self.weight_gradients[i])
        for block, delta, gradient in zip(
            self.blocks, space.first_deltas, self.first_gradients, strict=True
        ):
            # dW = d_1 X^T for all networks of an order at once: their units are one axis of d_1.
            self.multiply(delta, X[block.orders], out=gradient)
        for delta, gradient in zip(deltas, self.bias_gradients, strict=True):
            torch.sum(delta, 2, out=gradient)


def _alternate(weights: list[Tensor], biases: list[Tensor]) -> list[Tensor]:
    return [tensor for pair in zip(weights, biases, strict=True) for tensor in pair]
