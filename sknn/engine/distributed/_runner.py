"""Training by several processes: each takes its share of a mini-batch, and gradients are summed."""

from collections.abc import Iterator
from typing import ClassVar, cast

import torch

from sknn.engine._run import TrainingRun
from sknn.engine.data._batches import SampleDataset, TargetTensors, split_target
from sknn.engine.data._forward import predict_raw
from sknn.engine.data._shards import BatchShare, ShardedBatches
from sknn.engine.distributed._apart import check_apart
from sknn.engine.distributed._network import TrainingPeers
from sknn.engine.distributed._shares import SharedMasks, divide

Tensor = torch.Tensor


class DistributedRunner:
    """Trains any network by autograd, in several processes that take the same steps.

    Either all have all samples and draw the same order, or each has a shard of the samples and
    draws an order of its own. Each process computes loss and gradient of its own samples of a
    mini-batch. The message of a step sums both, with the weights of the samples, so that the step
    equals that of one process on the same mini-batch, up to rounding.

    Parameters
    ----------
    run : TrainingRun
        Run with peers that has begun.
    """

    name: ClassVar[str] = "distributed"
    epochs_at_once = 1

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why this runner does not compute a run; None if it does."""
        return None if isinstance(run.peers, TrainingPeers) else "n_processes is None"

    def __init__(self, run: TrainingRun):
        self.run = run
        self.peers = cast("TrainingPeers", run.peers)
        self.parameters = self.peers.parameters
        self.masks = SharedMasks(run.net.module_)
        self.watched = run.callbacks.watches_batches
        self.is_checked = not run.draws
        self.held_out = self._take_held_out()

    def close(self) -> None:
        """Do nothing: nothing was borrowed."""

    def run_epoch(self) -> float:
        """Train on the remaining mini-batches of the current epoch; return the mean loss."""
        run, net = self.run, self.run.net
        schedule = net.schedule
        for batch, share in self._iterate():
            if self.watched:
                with run.pause_on_interrupt():
                    run.callbacks.begin_batch(batch, training=True)
            if schedule is not None and schedule.per_step:
                schedule.begin_step(net.optimizer_)
            loss, output = self._step(batch, share)
            if run.average is not None:
                run.average.follow()
            size = share.n_samples
            run.count_steps(loss * size, 1, size)
            if output is not None:
                run.keep_outputs(batch[1], output)
            if self.watched:
                with run.pause_on_interrupt():
                    run.callbacks.end_batch(batch, {"loss": loss, "y_pred": output}, training=True)
            if self.peers.is_late:
                break
            if run.epoch.n_samples < len(run.samples):
                run.pause_if_asked()
        self._validate()
        return float(run.epoch.loss_sum) / run.epoch.n_samples

    def _iterate(self) -> Iterator[tuple[tuple[Tensor, TargetTensors], BatchShare]]:
        """Yield mini-batches as callbacks see them, with this process's share of each."""
        batches, peers = self.run.batches, self.peers
        if isinstance(batches, ShardedBatches):
            for share in batches.iterate_shares(self.run.epoch.n_steps):
                n_own = share.place.stop - share.place.start
                yield (share.X[:n_own], _take_target(share.target, slice(n_own))), share
            return
        for X, target in batches.iterate(self.run.epoch.n_steps):
            place = divide(len(X), peers.rank, peers.size)
            # Dropout layers must count each batch, so that a process without samples of a batch
            # computes one.
            own = slice(0, 1) if place.start == place.stop else place
            yield (X, target), BatchShare(X[own], _take_target(target, own), len(X), place)

    def _step(
        self, batch: tuple[Tensor, TargetTensors], share: BatchShare
    ) -> tuple[Tensor, Tensor | None]:
        """Take a step; return the loss of the whole batch, and its outputs if they are kept."""
        net, peers = self.run.net, self.peers
        for p in self.parameters:
            p.grad = None
        loss, weight, output = self._differentiate(batch, share)
        peers.write_step(loss, weight, output, share.place)
        peers.exchange(is_late=self.run.is_late())
        loss, total, outputs = peers.read_step(share.n_samples)
        if peers.is_sharded:  # callbacks see the samples of the first process
            outputs = output
        penalty = net.compute_penalty(total)
        if isinstance(penalty, Tensor):  # the same in all processes, so it needs no message
            penalty.backward()
            loss = loss + penalty.detach()
        net.follow_gradient(batch)
        return loss, outputs

    def _differentiate(
        self, batch: tuple[Tensor, TargetTensors], share: BatchShare
    ) -> tuple[Tensor | float, Tensor | float, Tensor]:
        """Return this process's part of the loss, the weight of its samples, and its outputs."""
        # The loss of a batch is Σ w_i l_i / W over all its samples, with W the sum of weights. With
        # W_p that of process p, it is Σ_p (W_p / W) (Σ_{i in p} w_i l_i / W_p): each process
        # multiplies its own mean loss by W_p / W, and the sum over processes is the loss.
        # Differentiation is linear, so that the same holds for the gradient. A process that knows
        # its own samples alone multiplies by W_p instead; all W_p are sent, and the sum of losses
        # is divided by the sum of weights.
        place, (y, own) = share.place, split_target(share.target)
        taken = slice(0, 1) if share.is_empty else place
        net = self.run.net
        if not self.is_checked:
            self._check_apart(batch[0], share, taken)
            self.is_checked = True
        net._set_training(training=True)
        with self.masks.use(share.n_samples, taken):
            output = net.infer(share.X)
        if share.is_empty:
            return 0.0, 0.0, output.detach()[:0]
        part = weight = float(len(y)) if own is None else own.sum()
        if not self.peers.is_sharded:
            whole = split_target(batch[1])[1]
            weight, part = part, part / (share.n_samples if whole is None else whole.sum())
        loss = part * net.criterion_(output, y, own)
        loss.backward()
        return loss.detach(), weight, output.detach()

    def _check_apart(self, X: Tensor, share: BatchShare, taken: slice) -> None:
        """Raise ValueError if the output of a sample depends on other samples."""
        if self.peers.is_sharded:
            X, taken = share.X, slice(0, -(-len(share.X) // 2))
        check_apart(self.run.net, self.masks, X, taken)

    def _take_held_out(self) -> SampleDataset | None:
        """Return the held-out samples whose raw predictions this process computes."""
        held_out = self.run.held_out
        if held_out is None:
            return None
        share = divide(len(held_out), self.peers.rank, self.peers.size)
        return SampleDataset(held_out.X[share], device=held_out.device)

    def _validate(self) -> None:
        """Give the first process's run raw predictions and loss of the held-out samples."""
        run, peers, own = self.run, self.peers, self.held_out
        if own is None:
            return
        if run.average is not None:
            run.average.show()
        held_out = cast("SampleDataset", run.held_out)
        share, shape = divide(len(held_out), peers.rank, peers.size), peers.output_shape
        output = torch.zeros((len(held_out), *shape), dtype=peers.message.dtype)
        if len(own):
            output[share] = torch.from_numpy(predict_raw(run.net, own)).to(output.dtype)
        output = peers.add_up(output.view(-1)).view(output.shape).to(run.net.dtype_)
        if peers.leads:
            run.validated = output.numpy(), run.net.measure_loss(output.numpy(), held_out)


def _take_target(target: TargetTensors, numbers: slice) -> TargetTensors:
    """Return y of some samples, with their weights if there are any."""
    y, weight = split_target(target)
    return y[numbers] if weight is None else (y[numbers], weight[numbers])
