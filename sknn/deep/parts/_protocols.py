"""Held parts of a deep estimator: small objects, made anew from its parameters on each call.

    InputReader     how X is checked and encoded
    Target          what y means: its codec, the default score, what is adjusted after training
    NetworkBuilder  how the network is built
    Training        which samples are held out, and how the network is trained on the others

An estimator to come writes those in which it differs, and takes the others as they are. `Training`
stands in `sknn.deep.parts._preparation`, beside what it is given.

Parts of one estimator speak of the same things: the X that its reader checks, the encoder that the
reader fits and the builder reads, the y and the codec of its target. These are the type variables.
Where an estimator of any kind is handled a protocol stands without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

import numpy as np

from sknn._specs import InputSpec, Sample, TargetSpec, TrainConfig, TrainPlan, TrainResult

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator
    from sklearn.utils import Tags

    from sknn._validation import MatrixLike
    from sknn.preprocessing import WrappedFrame


#: a checked X, a checked y, and what makes numbers of them
InT = TypeVar("InT", bound="Samples")
InT_contra = TypeVar("InT_contra", bound="Samples", contravariant=True)
OutT = TypeVar("OutT")
OutT_co = TypeVar("OutT_co", covariant=True)
EncoderT = TypeVar("EncoderT", bound="Encoder")
EncoderT_contra = TypeVar("EncoderT_contra", bound="Encoder", contravariant=True)
CodecT = TypeVar("CodecT", bound="Codec")
#: encoded samples, `Sample`, or `Sample | None` where a network can be built before they are known
KnownT_contra = TypeVar("KnownT_contra", contravariant=True)
#: gives y as numbers of shape (n_samples, n_targets)
MakeTargets: TypeAlias = Callable[[], np.ndarray]


class Samples(Protocol):
    """A checked X: an array, a sparse matrix or a `sknn.preprocessing.WrappedFrame`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of samples and of columns, or (n_samples, length, n_channels)."""


class Network(Protocol):
    """A ``torch.nn.Module`` of `sknn.architectures`, or the user's."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return all weights by name."""


class Encoder(Protocol[InT_contra]):
    """Encoder of X.

    Attributes
    ----------
    spec_ : InputSpec
        Description of what `encode` returns.
    is_identity_ : bool
        Whether it leaves numbers as they are.
    """

    spec_: InputSpec
    is_identity_: bool

    def encode(self, X: InT_contra) -> np.ndarray:
        """Return X as the network takes it."""


class Codec(Protocol[OutT_co]):
    """Codec of y, which also makes predictions of raw predictions.

    Attributes
    ----------
    spec_ : TargetSpec
        Description of what `encode` returns.
    out_activation_ : str
        The output activation.
    """

    spec_: TargetSpec
    out_activation_: str

    def encode(self, y: np.ndarray, dtype: str | type) -> np.ndarray:
        """Return y as the loss takes it."""

    def decode(self, output: np.ndarray) -> OutT_co:
        """Return predictions."""

    def decode_target(self, y: np.ndarray) -> OutT_co:
        """Return the y that was encoded."""


class InputSurvey(Protocol[InT_contra, EncoderT]):
    """Looks at all chunks of X before an encoder is fitted on some samples of them."""

    @property
    def n_numbers(self) -> int:
        """Number of numbers that a sample holds in memory."""

    def add(self, X: InT_contra, sample_weight: np.ndarray | None, first: int) -> np.ndarray:
        """Take note of a chunk; return the numbers of the samples in it that must be kept."""

    def finish(self, encoder: EncoderT) -> EncoderT:
        """Return an encoder, fitted on samples that were kept, that knows of all samples."""


class TargetSurvey(Protocol[CodecT]):
    """Looks at all chunks of y before a codec is fitted on some samples of them."""

    def add(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
        """Take note of a chunk; return the numbers of the samples in it that must be kept."""

    def make_target(self) -> Target:
        """Return a target that can weigh the samples of a chunk by the classes of all samples."""

    def finish(self, codec: CodecT) -> CodecT:
        """Return a codec, fitted on samples that were kept, that knows of all samples."""


class InputReader(Protocol[InT, EncoderT]):
    """Checks and encoding of X."""

    def check(
        self, estimator: BaseEstimator, X: MatrixLike | WrappedFrame, encoder: EncoderT | None
    ) -> InT:
        """Return X checked; without an encoder it is the first, whose columns are noted."""

    def weight_dtype(self, X: InT) -> str:
        """Return the dtype of the sample weights that belong to a checked X."""

    def obstacle_to_chunks(self) -> str | None:
        """Return why X cannot be learned from a part at a time, or None."""

    def fit_encoder(
        self, X: InT, sample_weight: np.ndarray | None, make_targets: MakeTargets | None = None
    ) -> EncoderT:
        """Return an encoder fitted on training samples.

        `make_targets` gives y as numbers, (n_samples, n_targets), to readers that look at y.
        """

    def set_tags(self, tags: Tags) -> None:
        """Say in scikit-learn's tags what X may be."""


class SourceReader(InputReader[InT, EncoderT], Protocol):
    """An `InputReader` of samples that come a chunk at a time, too."""

    def make_survey(self, encoder: EncoderT) -> InputSurvey[InT, EncoderT]:
        """Return what looks at chunks of X, for an encoder that is fitted on the first one."""


class Target(Protocol[OutT, CodecT]):
    """Meaning of y: its codec, its scores and its predictions."""

    def obstacle_to_partial_fit(self) -> str | None:
        """Return why training cannot go on a part of y at a time, or None."""

    def check(self, estimator: BaseEstimator, y: ArrayLike | None, X: Samples) -> OutT:
        """Return y checked, of one axis or two; or a checked X that is its own target."""

    def weigh(self, y: OutT, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """Return the sample weights times those of the samples' classes."""

    def fit_codec(
        self, y: OutT, sample_weight: np.ndarray | None, classes: ArrayLike | None
    ) -> CodecT:
        """Return a new codec."""

    def make_survey(self) -> TargetSurvey[CodecT]:
        """Return what looks at chunks of y; None where all samples must lie in memory."""

    def refit_codec(self, codec: CodecT, training: Sample) -> CodecT:
        """Return a codec that knows the values of the training samples alone."""

    def check_same(self, codec: CodecT, y: OutT) -> None:
        """Raise ValueError if y cannot follow the y of an earlier fit."""

    def fitted_attributes(self, codec: CodecT) -> dict[str, np.ndarray]:
        """Return the attributes in which an estimator shows what its codec has learned."""

    def score(
        self, codec: CodecT, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None
    ) -> float:
        """Return the default score of raw predictions against encoded y."""

    def calibrate(self, codec: CodecT, plan: TrainPlan, result: TrainResult) -> CodecT:
        """Adjust network and codec by the held-out samples; return the codec."""


class NetworkBuilder(Protocol[EncoderT_contra, KnownT_contra]):
    """Builder of the network."""

    def fixed_params(self) -> dict[str, Any]:
        """Return the parameters that shape the network, checked, in a form that can be compared."""

    def build(
        self,
        encoder: EncoderT_contra,
        target: TargetSpec,
        random_state: np.random.RandomState,
        samples: KnownT_contra,
    ) -> Network:
        """Return the network with its first weights; `samples` are encoded, None where unknown."""


class DrawnPreparation(Protocol):
    """The part of a `sknn.deep.sources._prepare.SourcePreparation` that trainings use.

    Attributes
    ----------
    samples : Sample
        Samples that were drawn from the source.
    validation : tuple or None
        Validation samples as the user gave them.
    config : TrainConfig
        Configuration of the training.
    codec : Codec
        Codec that knows y of all samples.
    """

    samples: Sample
    validation: tuple | None
    config: TrainConfig
    codec: Codec

    def draw_held_out(self, fraction: float) -> np.ndarray:
        """Return the places, among the samples drawn, of those that are held out."""

    def fit_encoder(self, samples: Sample) -> None:
        """Fit the encoder on samples, and let it know of all of them."""

    def validation_samples(self) -> Sample | None:
        """Return the user's validation samples, if any, checked."""

    def build(self, samples: Sample | None = None) -> Network:
        """Return a new network."""

    @overload
    def encode(self, samples: Sample) -> Sample: ...
    @overload
    def encode(self, samples: None) -> None: ...

    def make_stream(self, kept: Sample, left_out: np.ndarray) -> Sample:
        """Return encoded training samples as a stream, of which a few are kept in memory."""
