"""Raw predictions of an epoch's training samples, kept until the epoch is scored."""

from __future__ import annotations

import numpy as np
import torch

from sknn.engine.data._batches import TargetTensors, split_target
from sknn.engine.data._forward import make_array


class KeptOutputs:
    """Targets, weights and raw predictions of consecutive samples, in arrays made once an epoch.

    A small tensor kept for each group of batches would lie between large ones that come and go:
    the process would grow by a copy of X in each fit with a validation set.

    Attributes
    ----------
    n_kept : int
        Samples so far.
    arrays : list of Tensor of shape (n_samples, ...)
        Targets, raw predictions and, if there are any, weights; filled up to `n_kept`.
    """

    def __init__(self) -> None:
        self.n_kept = 0
        self.arrays: list[torch.Tensor] = []

    def __len__(self) -> int:
        return self.n_kept

    def copy(self) -> KeptOutputs:
        """Return what is kept now; arrays are shared, as what is kept never changes."""
        other = KeptOutputs()
        other.n_kept, other.arrays = self.n_kept, self.arrays
        return other

    def keep(self, target: TargetTensors, output: torch.Tensor, n_samples: int) -> None:
        """Keep what belongs to the next samples, of `n_samples` in the epoch.

        Of members that learn together, whose outputs have an axis of their own, it is the mean.
        """
        y, weight = split_target(target)
        output = output.mean(1) if output.ndim == 3 else output
        parts = [y, output] if weight is None else [y, output, weight]
        if not self.arrays:
            self.arrays = [part.new_empty((n_samples, *part.shape[1:])) for part in parts]
        start, self.n_kept = self.n_kept, self.n_kept + len(output)
        for array, part in zip(self.arrays, parts, strict=True):
            array[start : self.n_kept] = part

    def get_outputs(self) -> list[torch.Tensor]:
        """Return the raw predictions so far, for the state of a run; empty where there are none."""
        return [self.arrays[1][: self.n_kept]] if self.n_kept else []

    def make_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return encoded targets, raw predictions and weights (or None), each in one array."""
        y, output, *weights = (array[: self.n_kept] for array in self.arrays)
        weight = weights[0].cpu().numpy() if weights else None
        return y.cpu().numpy(), make_array(output), weight
