"""Training by several processes: each takes its share of a mini-batch, and gradients are summed."""

from typing import ClassVar, cast

import torch

from sknn.engine._run import TrainingRun
from sknn.engine.data._batches import SampleDataset, TargetTensors, split_target
from sknn.engine.data._forward import predict_raw
from sknn.engine.distributed._apart import check_apart
from sknn.engine.distributed._network import TrainingPeers
from sknn.engine.distributed._shares import SharedMasks, divide

Tensor = torch.Tensor


class DistributedRunner:
    """Trains any network by autograd, in several processes that take the same steps.

    All have all samples, and draw the same order. Of a mini-batch each computes the loss of its
    own samples and the gradient; the message of a step sums both, with the weights of the samples,
    so that the step is that of one process up to rounding.

    Parameters
    ----------
    run : TrainingRun
        One with peers, begun.
    """

    name: ClassVar[str] = "distributed"
    epochs_at_once = 1

    @classmethod
    def supports(cls, run: TrainingRun) -> str | None:
        """Return why a run is not computed so; None if it is."""
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
        """Train on the batches that are left of the epoch at hand; return the mean loss."""
        run, net = self.run, self.run.net
        schedule = net.schedule
        for batch in run.batches.iterate(run.epoch.n_steps):
            if self.watched:
                with run.pause_on_interrupt():
                    run.callbacks.begin_batch(batch, training=True)
            if schedule is not None and schedule.per_step:
                schedule.begin_step(net.optimizer_)
            loss, output = self._step(batch)
            if run.average is not None:
                run.average.follow()
            size = len(batch[0])
            run.count_steps(loss * size, 1, size)
            if output is not None:
                run.keep_outputs(batch[1], output)
            if self.watched:
                with run.pause_on_interrupt():
                    run.callbacks.end_batch(batch, True, {"loss": loss, "y_pred": output})
            if self.peers.is_late:
                break
            if run.epoch.n_samples < len(run.samples):
                run.pause_if_asked()
        self._validate()
        return float(run.epoch.loss_sum) / run.epoch.n_samples

    def _step(self, batch: tuple[Tensor, TargetTensors]) -> tuple[Tensor, Tensor | None]:
        """Take a step; return the loss of the whole batch, and its outputs if they are kept."""
        net, peers = self.run.net, self.peers
        for p in self.parameters:
            p.grad = None
        loss, output, share = self._differentiate(batch)
        peers.write_step(loss, output, share)
        peers.exchange(is_late=self.run.is_late())
        loss, outputs = peers.read_step(len(batch[0]))
        target, weight = split_target(batch[1])
        penalty = net.compute_penalty(len(target) if weight is None else weight.sum())
        if isinstance(penalty, Tensor):  # the same in all processes, so it needs no message
            penalty.backward()
            loss = loss + penalty.detach()
        net.follow_gradient(batch)
        return loss, outputs

    def _differentiate(
        self, batch: tuple[Tensor, TargetTensors]
    ) -> tuple[Tensor | float, Tensor | None, slice]:
        """Return this process's part of the loss, its outputs, and which samples these are."""
        # A batch's loss is Σ w_i l_i / W over all its samples. With the samples of process p
        # summing to W_p it is Σ_p (W_p / W) (Σ_{i in p} w_i l_i / W_p): each process takes the mean
        # of its own samples times their part of the weight, and the sum over processes is the loss.
        # Differentiation is linear, so the same holds for the gradient.
        X, (y, weight) = batch[0], split_target(batch[1])
        share = divide(len(X), self.peers.rank, self.peers.size)
        is_empty = share.start == share.stop
        taken = slice(0, 1) if is_empty else share  # layers are to count every batch
        net = self.run.net
        if not self.is_checked:
            check_apart(net, self.masks, X, taken)
            self.is_checked = True
        net._set_training(True)
        with self.masks.use(len(X), taken):
            output = net.infer(X[taken])
        if is_empty:
            return 0.0, None, share
        own = None if weight is None else weight[share]
        part = len(y[share]) / len(y) if own is None else own.sum() / cast("Tensor", weight).sum()
        loss = part * net.criterion_(output, y[share], own)
        loss.backward()
        return loss.detach(), output.detach(), share

    def _take_held_out(self) -> SampleDataset | None:
        """Return the held-out samples whose raw predictions this process computes."""
        held_out = self.run.held_out
        if held_out is None:
            return None
        share = divide(len(held_out), self.peers.rank, self.peers.size)
        return SampleDataset(held_out.X[share], device=held_out.device)

    def _validate(self) -> None:
        """Leave raw predictions and loss of the held-out samples in the run that scores them."""
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
