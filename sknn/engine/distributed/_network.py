"""Messages of the processes that train one network: gradients, losses and outputs of a step."""

from functools import reduce
from math import prod

import torch

from sknn.engine._run import TrainingRun
from sknn.engine.data._batches import SampleDataset
from sknn.engine.data._forward import predict_raw
from sknn.engine.distributed._peers import PARTS, Peers

Tensor = torch.Tensor

#: entries of the history that the first process measures and sends to all
NOTED = ("dur", "valid_loss", "valid_score", "train_score")
#: minimum size of a message, so that raw predictions are not sent in many small ones
LEAST_NUMBERS = 1024


class TrainingPeers:
    """The `sknn.engine._live_state.Fellows` of a run that several processes compute.

    A message has these parts, one behind the other:

    - the gradient of all parameters, or (after an epoch) their values
    - for each parameter the number of processes that have a gradient of it
    - the raw predictions of the mini-batch, if they are scored or a callback sees them; where each
      process has samples of its own, they are not sent
    - the loss, and the weight of the samples

    Parameters
    ----------
    peers : Peers
        Processes, which exchange messages of this network from now on.
    run : TrainingRun
        Run that has begun.

    Attributes
    ----------
    parameters : list of torch.nn.Parameter
        All parameters of the network, trained or frozen.
    output_shape : tuple of int
        Shape of the raw prediction of a sample.
    is_sharded : bool
        Whether each process has samples of its own. Then gradient and loss are sums over samples,
        times their weights, which are divided by the sum of all weights.
    """

    def __init__(self, peers: Peers, run: TrainingRun):
        self.peers, self.run = peers, run
        self.rank, self.size, self.leads = peers.rank, peers.size, peers.leads
        self.parameters = list(run.net.module_.parameters())
        self.sizes = [p.numel() for p in self.parameters]
        sample = run.samples.in_memory.take(slice(0, 1))[0]
        self.output_shape = predict_raw(
            run.net, SampleDataset(sample, device=run.samples.device)
        ).shape[1:]
        is_watched, _ = peers.agree(run.callbacks.watches_batches, is_late=False)
        self.is_sharded = run.plan.is_sharded
        self.keeps_outputs = (run.keeps_outputs or is_watched) and not self.is_sharded
        n_outputs = run.net.batch_size * prod(self.output_shape) if self.keeps_outputs else 0
        n_numbers = sum(self.sizes) + max(
            len(self.sizes) + n_outputs + 2, (PARTS + 1) * len(NOTED), LEAST_NUMBERS
        )
        peers.exchange()  # whoever fails up to here does so in a small message
        dtype = _find_dtype(self.parameters) if run.by_epochs else torch.float64
        peers.use_messages(n_numbers, dtype)
        self.exchange, self.agree, self.add_up = peers.exchange, peers.agree, peers.add_up

    @property
    def message(self) -> Tensor:
        """Message that all processes exchange."""
        return self.peers.message

    @property
    def is_late(self) -> bool:
        """Whether a process is out of time."""
        return self.peers.is_late

    def _split(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the parts of a message: gradient, counts, outputs, loss and weight."""
        numbers, n = self.peers.numbers, len(self.sizes)
        gradient, rest = numbers[: sum(self.sizes)], numbers[sum(self.sizes) :]
        return gradient, rest[:n], rest[n:-2], rest[-2:]

    def write_step(
        self, loss: Tensor | float, weight: Tensor | float, output: Tensor | None, share: slice
    ) -> None:
        """Write the gradient of the parameters, this process's part of loss and weight, outputs."""
        gradient, counts, outputs, totals = self._split()
        counts.zero_()
        outputs.zero_()
        for p, part, count in zip(self.parameters, gradient.split(self.sizes), counts, strict=True):
            if p.grad is None:
                part.zero_()
            else:
                part.copy_(p.grad.reshape(-1))
                count.fill_(1.0)
        totals[0].fill_(loss)
        totals[1].fill_(weight)
        if self.keeps_outputs and output is not None:
            n = prod(self.output_shape)
            outputs[share.start * n : share.stop * n].copy_(output.reshape(-1))

    def read_step(self, n_samples: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Give the parameters the summed gradient; return loss, weight, outputs of the batch."""
        gradient, counts, outputs, totals = self._split()
        if self.is_sharded:
            gradient /= totals[1]
            totals[0] /= totals[1]
        parts = gradient.split(self.sizes)
        for p, part, count in zip(self.parameters, parts, counts.tolist(), strict=True):
            # A parameter that no process has used gets no gradient: with a gradient of 0 an
            # optimizer would go on moving it by its momentum.
            p.grad = part.view_as(p).to(p.device, p.dtype) if count else None
        device = self.run.net.device
        loss, weight = totals.clone().to(device)
        if not (self.keeps_outputs and self.leads):
            return loss, weight, None
        shape = n_samples, *self.output_shape
        return loss, weight, outputs[: prod(shape)].view(shape).to(device, copy=True)

    @torch.no_grad()
    def share_epoch(self) -> None:
        """Give all processes the weights of the first one, and its entry of the history."""
        peers, last = self.peers, self.run.net.history[-1]
        # All but the first process send zeros, so that the sum is what the first one has sent. Its
        # weights count, because callbacks that it alone calls may have changed them.
        values = peers.numbers[: sum(self.sizes)].split(self.sizes)
        present = peers.numbers[sum(self.sizes) :][: len(NOTED)]
        peers.numbers.zero_()
        if self.leads:
            for p, part in zip(self.parameters, values, strict=True):
                part.copy_(p.reshape(-1))
            for place, name in enumerate(NOTED):
                if name in last:
                    present[place] = 1.0
                    peers.write_float(place, last[name])
        peers.exchange()
        if self.leads:
            return
        for p, part in zip(self.parameters, values, strict=True):
            p.copy_(part.view_as(p))
        for place, name in enumerate(NOTED):
            if present[place]:
                self.run.net.history.record(name, peers.read_float(place))


def _find_dtype(parameters: list[torch.nn.Parameter]) -> torch.dtype:
    """Return the dtype of messages: the widest of the parameters, float32 at least."""
    return reduce(torch.promote_types, (p.dtype for p in parameters), torch.float32)
