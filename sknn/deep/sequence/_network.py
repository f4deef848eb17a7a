"""Common parts of both networks for sequences: parameters, their limits, input, the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.utils.validation import validate_data

from sknn._refusals import explain_refusal
from sknn._sklearn import HasMethods, Interval, StrOptions, check_feature_names
from sknn._specs import Sample, TargetSpec
from sknn._validation import check_container, check_layer_sizes, read_array_like
from sknn.architectures import SequenceCNN, SequenceOptions
from sknn.deep.mlp import _network as _mlp
from sknn.deep.parts._preparation import Circumstances, PartsOf
from sknn.deep.parts._protocols import MakeTargets
from sknn.deep.parts._targets import TargetT
from sknn.deep.parts._training import OneNetwork
from sknn.deep.sequence._pretrained import FilterPretraining
from sknn.deep.sequence._strands import choose_strands
from sknn.preprocessing import (
    SequenceFormat,
    SequenceInputs,
    SequenceSurvey,
    WrappedFrame,
    strings_in,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator
    from sklearn.utils import Tags

    from sknn._validation import MatrixLike


#: from so many sequences on, some are held out to stop early. There it costs nothing: means of AUC
#: over transcription factors, promoters and splice sites, stopped early and not, are .73 and .79
#: with 250 sequences, .82 and .83 with 500, .84 and .85 with 1,000, and .82 and .81 with 2,400.
#: Both strands are read whatever the number: .01 better on the means, .02 worse on promoters.
MANY_SAMPLES = 2000
#: mini-batches of an epoch, and limits of their size, for batch_size='auto'
BATCHES, SMALLEST, LARGEST = 20, 16, 64
#: members of n_members='auto' at most, and least filters of each. Mean AUC of four seeds on TATA
#: promoters and mouse_2 of one network of 64 filters: .957 and .966; of two of 32: .964 and .968;
#: of four of 32: .966 and .971. Of eight, beside four with the same seeds: mouse_2 .970 and .967,
#: peaks of ELK1 .970 and .9665, accuracy on splice sites .9655 and .960.
MOST_MEMBERS, FILTERS_OF_A_MEMBER = 8, 32
#: from which biases of filters start, for letters of four kinds. From 0 the largest value along a
#: sequence is large for each filter and sequence, and Adam's first steps may push all hidden units
#: below 0: on peaks of ELK1 a network with kernels of 15 then stayed at chance for ten epochs, so
#: that training stopped early. From here the same network took three.
FIRST_BIAS = -0.5
#: dropout='auto', of solvers that take mini-batches
DROPOUT = 0.3
#: how often a dead network gets new weights
N_RESTARTS = 3

#: parameters of the MLP that are not for sequences
OF_TABLES = {
    "activation",
    "n_hidden_layers",
    "hidden_width",
    "normalization",
    "residual",
    "initializer",
    "freeze_epochs",
    "module",
    "categorical_features",
    "text_features",
    "target_encoding",
    "scale",
}
CONSTRAINTS: dict[str, list] = {
    **{name: limits for name, limits in _mlp.CONSTRAINTS.items() if name not in OF_TABLES},
    "n_filters": [Interval(Integral, 1, None, closed="left")],
    "kernel_size": [Interval(Integral, 1, None, closed="left")],
    "n_conv_layers": [Interval(Integral, 1, None, closed="left")],
    "first_activation": [StrOptions({"relu", "exp", "linear"})],
    "pooling": [StrOptions({"max", "mean", "maxmean"}), Interval(Integral, 1, None, closed="left")],
    "position_bias": ["boolean"],
    "dropout": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
    "batch_norm": ["boolean", StrOptions({"auto"})],
    "reverse_complement": ["boolean", StrOptions({"auto"})],
    "early_stopping": ["boolean", StrOptions({"auto"})],
    "length": [Interval(Integral, 1, None, closed="left"), None],
    "alphabet": [str, None],
    "unknown": [StrOptions({"zero", "uniform", "iupac", "error"})],
    "handle_unknown": [StrOptions({"ignore", "error"})],
    "n_members": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "pretrained": [HasMethods(["fit", "predict"]), StrOptions({"masked"}), None],
}
#: parameters that are options of the network
OPTIONS = (
    "n_filters",
    "kernel_size",
    "n_conv_layers",
    "first_activation",
    "pooling",
    "position_bias",
    "hidden_layer_sizes",
    "reverse_complement",
    "dropout",
    "batch_norm",
    "n_members",
)
FLOATS = (np.float64, np.float32)


@dataclass(frozen=True)
class SequenceReader:
    """A `sknn.deep.parts._protocols.InputReader` of sequences.

    Attributes
    ----------
    layout : SequenceFormat
        Format in which strings are read.
    dtype : str
        Dtype, see the estimators.
    reverse_complement : bool or 'auto'
        Whether both strands are read; True is refused where there is no other strand.
    """

    layout: SequenceFormat
    dtype: str
    reverse_complement: bool | str

    @classmethod
    def of(cls, estimator: BaseEstimator) -> SequenceReader:
        """Return the reader for an estimator's parameters."""
        layout = SequenceFormat(
            estimator.alphabet, estimator.length, estimator.unknown, estimator.handle_unknown
        )
        return cls(layout, estimator.dtype, estimator.reverse_complement)

    def check(
        self, estimator: BaseEstimator, X: MatrixLike | WrappedFrame, encoder: SequenceInputs | None
    ) -> np.ndarray:
        """Return X checked; without an encoder it is the first, whose columns are noted."""
        if isinstance(X, WrappedFrame):  # numbers of a file, which a `TabularEncoder` would read
            X = cast("ArrayLike", X.frame.to_native())
        check_container(X)
        strings = strings_in(X)
        if encoder is not None:
            if isinstance(X, list | tuple) and not X:
                raise ValueError("Found array with 0 sample(s); at least one sequence is required.")
            encoder.check_same_kind(strings is not None)
        if strings is not None:
            check_feature_names(estimator, X, reset=encoder is None)
            estimator.n_features_in_ = 1
            return strings
        with explain_refusal(X):
            X = read_array_like(X)
            shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
        kind = getattr(getattr(X, "dtype", None), "kind", None)
        if len(shape) > 3:
            raise ValueError(
                "Expected strings, or an array of shape (n_samples, length, n_channels) or "
                f"(n_samples, n_features); got one of shape {shape}."
            )
        compact = len(shape) == 3 and kind in ("b", "i", "u") and self.dtype == "auto"
        # One-hot letters in whole numbers are exact in any type of floats.
        dtype = "float32" if compact else self._first_dtype()
        with explain_refusal(X):
            return validate_data(
                estimator,
                X,
                dtype=dtype if encoder is None else encoder.spec_.dtype,
                allow_nd=len(shape) == 3,
                reset=encoder is None,
            )

    def weight_dtype(self, X: np.ndarray) -> str:
        """Return the dtype of the sample weights that belong to a checked X."""
        return str(X.dtype) if X.dtype.kind == "f" else "float32"

    def obstacle_to_chunks(self) -> None:
        """Return None: X may be learned from a part at a time."""

    def fit_encoder(
        self,
        X: np.ndarray,
        sample_weight: np.ndarray | None,
        make_targets: MakeTargets | None = None,
    ) -> SequenceInputs:
        """Return an encoder fitted on training samples."""
        is_double = self.dtype == "float64" or (self.dtype == "auto" and X.dtype == np.float64)
        encoder = SequenceInputs(self.layout, "float64" if is_double else "float32").fit(X)
        if self.reverse_complement is True and not encoder.has_other_strand_:
            raise ValueError(
                "reverse_complement=True is for sequences of DNA or RNA, whose letters are "
                "those of their complement in the opposite order, such as 'ACGT'; got "
                f"alphabet={self.layout.alphabet!r} and {encoder.spec_.n_numeric} channels. Set "
                "it to False."
            )
        return encoder

    def make_survey(self, encoder: SequenceInputs) -> SequenceSurvey:
        """Return what looks at chunks of X, for an encoder that is fitted on the first one."""
        return SequenceSurvey(encoder)

    def set_tags(self, tags: Tags) -> None:
        """Say in scikit-learn's tags what X may be."""
        tags.input_tags.three_d_array = True

    def with_length(self, length: int | None) -> SequenceReader:
        """Return a reader of sequences of at most this length."""
        return replace(self, layout=replace(self.layout, length=length))

    def _first_dtype(self) -> str | tuple[type, ...]:
        if self.dtype == "auto":
            return FLOATS
        return "float64" if self.dtype == "float64" else "float32"


@dataclass(frozen=True)
class SequenceCNNBuilder:
    """A `sknn.deep.parts._protocols.NetworkBuilder` of convolutional networks.

    Attributes
    ----------
    params : mapping
        The fields of `SequenceOptions` as the user gave them.
    takes_batches : bool
        Whether the solver takes mini-batches; 'lbfgs' can follow neither dropout nor batch
        normalization.
    """

    params: Mapping[str, Any]
    takes_batches: bool

    @classmethod
    def of(cls, estimator: BaseEstimator) -> SequenceCNNBuilder:
        """Return the builder for an estimator's parameters."""
        params = {name: getattr(estimator, name) for name in OPTIONS}
        params["n_members"] = count_members(estimator)
        return cls(params, estimator.solver != "lbfgs")

    def fixed_params(self) -> dict[str, Any]:
        """Return the parameters that shape the network, checked, in a form that can be compared."""
        return {"hidden_layer_sizes": check_layer_sizes(self.params["hidden_layer_sizes"])}

    def build(
        self,
        encoder: SequenceInputs,
        target: TargetSpec,
        random_state: np.random.RandomState,
        samples: Sample | None,
    ) -> SequenceCNN:
        """Return the network with its first weights."""
        inputs, chosen = encoder.spec_, dict(self.params)
        chosen["hidden_layer_sizes"] = check_layer_sizes(chosen["hidden_layer_sizes"])
        if encoder.kind_ == "numbers":  # of a table with few columns a filter sees them all
            chosen["kernel_size"] = min(chosen["kernel_size"], inputs.length)
        chosen["same_on_strands"] = chosen["reverse_complement"] is True
        if chosen["reverse_complement"] == "auto":
            chosen["reverse_complement"] = encoder.is_dna_
        if chosen["dropout"] == "auto":
            chosen["dropout"] = DROPOUT if self.takes_batches else 0.0
        if chosen["batch_norm"] == "auto":
            chosen["batch_norm"] = None if self.takes_batches else False
        options = SequenceOptions(**chosen, first_bias=_choose_first_bias(encoder))
        network = SequenceCNN.from_specs(inputs, target, options)
        network.initialize_weights(random_state)
        return network


def count_members(estimator: BaseEstimator) -> int:
    """Return how many networks share the filters of an estimator."""
    asked, n_filters = estimator.n_members, int(estimator.n_filters)
    if asked == "auto":
        most = min(MOST_MEMBERS, n_filters // FILTERS_OF_A_MEMBER)
        if estimator.solver == "lbfgs":
            return 1
        return max((k for k in range(1, most + 1) if n_filters % k == 0), default=1)
    if n_filters % asked:
        raise ValueError(
            f"n_members={asked} networks cannot share n_filters={n_filters} evenly. Set n_filters "
            f"to a multiple of n_members, such as {-(-n_filters // asked) * asked}."
        )
    return int(asked)


def _choose_first_bias(encoder: SequenceInputs) -> float:
    if encoder.letters_ is None:  # numbers of any size
        return 0.0
    # What a window gives at first is the smaller the more letters there are.
    return FIRST_BIAS * float(np.sqrt(4 / encoder.spec_.n_numeric))


def choose_training(
    params: Mapping[str, Any], circumstances: Circumstances, n_members: int = 1
) -> dict[str, Any]:
    """Return the fields of `TrainConfig` that depend on the samples, see `OneNetwork`."""
    stops, n_samples = params["early_stopping"], circumstances.n_samples
    incremental = circumstances.is_incremental
    if stops == "auto":
        stops = not incremental and (circumstances.has_validation or n_samples >= MANY_SAMPLES)
    chosen = {
        "early_stopping": stops,
        "auto_batch_size": int(np.clip(n_samples // BATCHES, SMALLEST, LARGEST)),
        "n_restarts": N_RESTARTS,
        # The loss is the mean over members, and so is the penalty.
        "alpha": params["alpha"] / n_members,
    }
    if params["early_stopping"] == "auto" and not (stops or incremental):
        chosen.update(runs_to_the_end=True, n_iter_no_change=np.inf)
    return chosen


def make_training(estimator: BaseEstimator) -> OneNetwork:
    """Return how a network for sequences is trained."""
    choose = partial(choose_training, n_members=count_members(estimator))
    return OneNetwork.of(estimator, scores_loss=True, choose=choose, refine=choose_strands)


def make_sequence_parts(
    estimator: BaseEstimator, target: TargetT
) -> PartsOf[SequenceReader, TargetT, SequenceCNNBuilder, OneNetwork]:
    """Return what a network for sequences holds."""
    return PartsOf(
        reader=SequenceReader.of(estimator),
        target=target,
        make_network=lambda: SequenceCNNBuilder.of(estimator),
        make_training=lambda: make_training(estimator),
        pretraining=FilterPretraining(estimator.pretrained),
    )
