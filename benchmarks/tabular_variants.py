"""`TabularMLP*` with one of its choices undone, to see what each is worth.

Each class can be named to a benchmark as ``benchmarks.tabular_variants:NoAverage*``. What is
a parameter needs no class: ``n_members=1``, ``numerical_embedding=None``, ``dropout=0``,
``weight_decay=0``.
"""

from dataclasses import replace

from sknn import TabularMLPClassifier, TabularMLPRegressor
from sknn.deep.parts._preparation import Parts
from sknn.deep.parts._targets import Accuracy


def train_with(parts: Parts, **changed: object) -> Parts:
    """Return the parts with other fields of `TrainConfig`."""
    params = {**parts.training.params, **changed}
    return replace(parts, make_training=lambda: replace(parts.training, params=params))


def train_without_average(parts: Parts) -> Parts:
    """Keep the weights themselves, and not their average."""
    return train_with(parts, averaged_epochs=0.0)


def train_by_cosine(parts: Parts) -> Parts:
    """Let the learning rate fall to 0 over 60 epochs, without an average."""
    return train_with(parts, averaged_epochs=0.0, learning_rate="cosine", max_iter=60)


def scale_to_standard(parts: Parts) -> Parts:
    """Give numbers mean 0 and deviation 1, in place of normal scores."""
    return replace(parts, reader=replace(parts.reader, scale="standard"))


def leave_uncalibrated(parts: Parts) -> Parts:
    """Compare epochs by the loss as it is, and leave out the temperature."""
    parts = train_with(parts, stop_on_loss=True)
    return replace(parts, target=replace(parts.target, judge=Accuracy()))


class NoAverageClassifier(TabularMLPClassifier):
    """See `train_without_average`."""

    def _make_parts(self) -> Parts:
        return train_without_average(super()._make_parts())


class NoAverageRegressor(TabularMLPRegressor):
    """See `train_without_average`."""

    def _make_parts(self) -> Parts:
        return train_without_average(super()._make_parts())


class CosineClassifier(TabularMLPClassifier):
    """See `train_by_cosine`."""

    def _make_parts(self) -> Parts:
        return train_by_cosine(super()._make_parts())


class CosineRegressor(TabularMLPRegressor):
    """See `train_by_cosine`."""

    def _make_parts(self) -> Parts:
        return train_by_cosine(super()._make_parts())


class StandardClassifier(TabularMLPClassifier):
    """See `scale_to_standard`."""

    def _make_parts(self) -> Parts:
        return scale_to_standard(super()._make_parts())


class StandardRegressor(TabularMLPRegressor):
    """See `scale_to_standard`."""

    def _make_parts(self) -> Parts:
        return scale_to_standard(super()._make_parts())


class UncalibratedClassifier(TabularMLPClassifier):
    """See `leave_uncalibrated`."""

    def _make_parts(self) -> Parts:
        return leave_uncalibrated(super()._make_parts())


class UncalibratedRegressor(TabularMLPRegressor):
    """Numbers are not calibrated: the same as `TabularMLPRegressor`."""
