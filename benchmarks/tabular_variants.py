"""`TabularMLP*` with one of its choices undone, to see what each is worth.

Each class can be named to a benchmark as ``benchmarks.tabular_variants:NoAverage*``. What is
a parameter needs no class: ``n_members=1``, ``numerical_embedding=None``, ``dropout=0``,
``weight_decay=0``.
"""

from dataclasses import replace

import numpy as np

from sknn import TabularMLPClassifier, TabularMLPRegressor
from sknn._specs import Sample


class _NoAverage:
    """The weights themselves, and not their average."""

    def _train_config(self, *args):
        return replace(super()._train_config(*args), averaged_epochs=0.0)


class NoAverageClassifier(_NoAverage, TabularMLPClassifier):
    """See `_NoAverage`."""


class NoAverageRegressor(_NoAverage, TabularMLPRegressor):
    """See `_NoAverage`."""


class _Cosine:
    """A rate that falls to 0 over 60 epochs, and no average."""

    def _train_config(self, *args):
        config = super()._train_config(*args)
        return replace(config, averaged_epochs=0.0, learning_rate="cosine", max_iter=60)


class CosineClassifier(_Cosine, TabularMLPClassifier):
    """See `_Cosine`."""


class CosineRegressor(_Cosine, TabularMLPRegressor):
    """See `_Cosine`."""


class _Standard:
    """Numbers with mean 0 and deviation 1, not normal scores."""

    scale = "standard"


class StandardClassifier(_Standard, TabularMLPClassifier):
    """See `_Standard`."""


class StandardRegressor(_Standard, TabularMLPRegressor):
    """See `_Standard`."""


class _OneHoldOut:
    """All members leave out the same tenth of the rows."""

    def _cross_validated(self, rows, random_state):
        order = random_state.permutation(len(rows.y))
        n_held = max(len(order) // 10, 1)
        parts = []
        for chosen in (np.sort(order[n_held:]), np.sort(order[:n_held])):
            weight = None if rows.sample_weight is None else rows.sample_weight[chosen]
            parts.append(Sample(rows.X[chosen], rows.y[chosen], weight))
        return tuple(parts)


class OneHoldOutClassifier(_OneHoldOut, TabularMLPClassifier):
    """See `_OneHoldOut`."""


class OneHoldOutRegressor(_OneHoldOut, TabularMLPRegressor):
    """See `_OneHoldOut`."""


class UncalibratedClassifier(TabularMLPClassifier):
    """Epochs compared by the loss as it is, and no temperature."""

    def _scores_loss(self):
        return True

    def _calibrate(self, plan, result):
        super()._calibrate(plan, result)
        result.net.module_.set_temperature(1.0)


class UncalibratedRegressor(TabularMLPRegressor):
    """Numbers are not calibrated: the same as `TabularMLPRegressor`."""
