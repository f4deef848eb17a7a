"""What a deep estimator holds: small objects, made anew from its parameters on each call.

    InputReader     how X is checked and encoded
    Target          what y means: its codec, the default score, what is adjusted after training
    NetworkBuilder  how the network is built
    Training        which samples are held out, and how the network is trained on the others

An estimator to come writes those in which it differs, and takes the others as they are. `Training`
stands in `sknn.deep.parts._preparation`, beside what it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sknn._specs import InputSpec, Sample, TargetSpec, TrainPlan, TrainResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator
    from sklearn.utils import Tags


class Samples(Protocol):
    """A checked X: an array, a sparse matrix or a `sknn.preprocessing.WrappedFrame`."""

    shape: tuple[int, ...]


class Network(Protocol):
    """A ``torch.nn.Module`` of `sknn.architectures`, or the user's."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return all weights by name."""


class Encoder(Protocol):
    """What makes numbers of X.

    Attributes
    ----------
    spec_ : InputSpec
        How `encode` writes.
    is_identity_ : bool
        Whether it leaves numbers as they are.
    """

    spec_: InputSpec
    is_identity_: bool

    def encode(self, X: Samples) -> np.ndarray:
        """Return X as the network takes it."""


class Codec(Protocol):
    """What makes numbers of y, and predictions of raw predictions.

    Attributes
    ----------
    spec_ : TargetSpec
        How `encode` writes.
    out_activation_ : str
        The output activation.
    """

    spec_: TargetSpec
    out_activation_: str

    def encode(self, y: np.ndarray, dtype: str | type) -> np.ndarray:
        """Return y as the loss takes it."""

    def decode(self, output: np.ndarray) -> np.ndarray:
        """Return predictions."""

    def decode_target(self, y: np.ndarray) -> np.ndarray:
        """Return the y that was encoded."""


class InputSurvey(Protocol):
    """Looks at all chunks of X before an encoder is fitted on some samples of them.

    Attributes
    ----------
    n_numbers : int
        How many numbers a sample holds in memory.
    """

    n_numbers: int

    def add(self, X: Samples, sample_weight: np.ndarray | None, first: int) -> np.ndarray:
        """Take note of a chunk; return the numbers of the samples in it that must be kept."""

    def finish(self, encoder: Encoder) -> Encoder:
        """Return an encoder, fitted on samples that were kept, that knows of all samples."""


class TargetSurvey(Protocol):
    """Looks at all chunks of y before a codec is fitted on some samples of them."""

    def add(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Take note of a chunk; return the numbers of the samples in it that must be kept."""

    def make_target(self) -> Target:
        """Return a target that can weigh the samples of a chunk by what is known of all."""

    def finish(self, codec: Codec) -> Codec:
        """Return a codec, fitted on samples that were kept, that knows of all samples."""


class InputReader(Protocol):
    """How X is checked and encoded."""

    def check(self, estimator: BaseEstimator, X: ArrayLike, encoder: Encoder | None) -> Samples:
        """Return X checked; without an encoder it is the first, whose columns are noted."""

    def weight_dtype(self, X: Samples) -> str:
        """Return the dtype of the sample weights that belong to a checked X."""

    def fit_encoder(self, X: Samples, sample_weight: np.ndarray | None) -> Encoder:
        """Return an encoder fitted on training samples."""

    def make_survey(self, encoder: Encoder) -> InputSurvey:
        """Return what looks at chunks of X, for an encoder that is fitted on the first one."""

    def set_tags(self, tags: Tags) -> None:
        """Say in scikit-learn's tags what X may be."""


class Target(Protocol):
    """What y means."""

    def obstacle_to_partial_fit(self) -> str | None:
        """Return why training cannot go on a part of y at a time, or None."""

    def check(self, estimator: BaseEstimator, y: ArrayLike, X: Samples) -> np.ndarray | Samples:
        """Return y checked, of one axis or two; or a checked X that is its own target."""

    def weigh(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """Return the sample weights times those of the samples' classes."""

    def fit_codec(
        self, y: np.ndarray, sample_weight: np.ndarray | None, classes: ArrayLike | None
    ) -> Codec:
        """Return a new codec."""

    def make_survey(self) -> TargetSurvey | None:
        """Return what looks at chunks of y; None where all samples must lie in memory."""

    def refit_codec(self, codec: Codec, training: Sample) -> Codec:
        """Return a codec that knows the values of the training samples alone."""

    def check_same(self, codec: Codec, y: np.ndarray) -> None:
        """Raise ValueError if y cannot follow the y of an earlier fit."""

    def fitted_attributes(self, codec: Codec) -> dict[str, np.ndarray]:
        """Return the attributes in which an estimator shows what its codec has learned."""

    def score(
        self, codec: Codec, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        """Return the default score of raw predictions against encoded y."""

    def calibrate(self, codec: Codec, plan: TrainPlan, result: TrainResult) -> Codec:
        """Adjust network and codec by the held-out samples; return the codec."""


class NetworkBuilder(Protocol):
    """How the network is built."""

    def fixed_params(self) -> dict[str, Any]:
        """Return the parameters that shape the network, checked, in a form that can be compared."""

    def build(
        self,
        encoder: Encoder,
        target: TargetSpec,
        random_state: np.random.RandomState,
        samples: Sample | None,
    ) -> Network:
        """Return the network with its first weights; `samples` are encoded, where known yet."""
