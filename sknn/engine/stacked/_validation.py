"""The validation samples of many networks: outputs and losses, computed together after an epoch."""

from itertools import groupby
from typing import cast

import torch

from sknn.engine._run import TrainingRun
from sknn.engine.data._batches import SampleDataset
from sknn.engine.data._forward import CHUNK_NUMBERS
from sknn.engine.data._matmul import ignore_overflow, multiply
from sknn.engine.stacked._mlp import Stack

Tensor = torch.Tensor


class StackedValidation:
    """Validates the networks of a stack that have validation samples.

    Neighbours with the same samples are computed in one pass.

    Parameters
    ----------
    stack : Stack
        The networks.
    """

    def __init__(self, stack: Stack):
        self.stack, self.groups, stop = stack, [], 0
        for samples, group in groupby(stack.runs, key=_identify_inputs):
            start, stop = stop, stop + len(list(group))
            if samples is not None:
                self.groups.append((slice(start, stop), *_join_targets(stack.runs[start:stop])))

    @torch.no_grad()
    def run(self) -> None:
        """Give each run its ``validated``."""
        for nets, y, weight in self.groups:
            members = self.stack.runs[nets]
            with ignore_overflow():
                output = self._compute_output(nets, get_held_out(members[0]).X)
            k, n_samples = output.shape[:2]
            each = self.stack.loss.per_sample(output.flatten(0, 1), y).view(k, n_samples)
            # Of each network the weighted mean over its samples, as `Net.measure_loss` takes it.
            losses = each.mean(1) if weight is None else (each * weight).sum(1) / weight.sum(1)
            arrays = output.cpu().numpy()
            for run, array, loss in zip(members, arrays, losses.tolist(), strict=True):
                run.validated = array, loss

    def _compute_output(self, nets: slice, X: Tensor) -> Tensor:
        """Return the raw predictions, of shape (n_networks, n_samples, n_outputs)."""
        stack, k = self.stack, nets.stop - nets.start
        size = max(1, CHUNK_NUMBERS // (k * max(stack.widths)))
        output = X.new_empty(k, len(X), stack.widths[-1])
        for samples, out in zip(X.split(size), output.split(size, 1), strict=True):
            a = samples
            for i, (weight, bias) in enumerate(zip(stack.weights, stack.biases, strict=True)):
                z = X.new_empty(k, stack.widths[i], len(samples))
                if not i:
                    joined = weight[nets].flatten(0, 1)[None]
                    multiply(joined, samples.t()[None], out=z.flatten(0, 1)[None])
                else:
                    stack.activations[i - 1].value(a)
                    multiply(weight[nets], a, out=z)
                a = z.add_(bias[nets][..., None])
            out.copy_(a.transpose(1, 2))
        return output


def get_held_out(run: TrainingRun) -> SampleDataset:
    """Return the validation samples of a run that has some."""
    return cast("SampleDataset", run.held_out)


def _identify_inputs(run: TrainingRun) -> int | None:
    return None if run.held_out is None else id(run.held_out.X)


def _join_targets(runs: list[TrainingRun]) -> tuple[Tensor, Tensor | None]:
    """Return the targets of all samples of all networks, and weights if one of them has some."""
    samples = [get_held_out(run) for run in runs]
    y = torch.cat([cast("Tensor", sample.y) for sample in samples])
    if all(sample.sample_weight is None for sample in samples):
        return y, None
    weights = [sample.sample_weight for sample in samples]
    ones = torch.ones_like(next(weight for weight in weights if weight is not None))
    return y, torch.stack([ones if weight is None else weight for weight in weights])
