"""What the two networks for sequences share: parameters, their limits, input, and the network."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from sknn._sklearn import Interval, StrOptions, check_feature_names
from sknn._specs import InputSpec
from sknn._validation import validated_layer_sizes
from sknn.architectures import SequenceCNN, SequenceOptions
from sknn.deep.mlp import _network as _mlp
from sknn.preprocessing import SequenceFormat, SequenceInputs, strings_in

#: from so many sequences on, some are held out to stop early, and the other strand is read too.
#: Fewer are too few for either: leave-one-out on 106 promoters had 20 errors with both strands and
#: 30 epochs of batches of 32, and 6 with one strand and 60 epochs of 16.
MANY_SAMPLES = 500
#: mini-batches of an epoch, and limits of their size, for batch_size='auto'
BATCHES, SMALLEST, LARGEST = 20, 16, 64
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
    "module",
    "categorical_features",
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
}
#: what shapes the network
LAYER_PARAMS = (
    "n_filters",
    "kernel_size",
    "n_conv_layers",
    "first_activation",
    "pooling",
    "position_bias",
    "dropout",
    "batch_norm",
    "reverse_complement",
    "length",
    "alphabet",
    "unknown",
    "device",
    "dtype",
)
FLOATS = (np.float64, np.float32)


class SequenceNetwork:
    """X is sequences, and a convolutional network reads them."""

    def _check_inputs(self, X: Any, *, reset: bool) -> np.ndarray:
        strings = strings_in(X)
        if not reset:
            self._encoder.check_same_kind(strings is not None)
        if strings is not None:
            check_feature_names(self, X, reset=reset)
            self.n_features_in_ = 1
            return strings
        shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
        kind = getattr(getattr(X, "dtype", None), "kind", None)
        if len(shape) > 3:
            raise ValueError(
                "Expected strings, or an array of shape (n_samples, length, n_channels) or "
                f"(n_samples, n_features); got one of shape {shape}."
            )
        compact = len(shape) == 3 and kind in ("b", "i", "u") and self.dtype == "auto"
        dtype = "float32" if compact else self._dtypes()
        return validate_data(
            self,
            X,
            dtype=dtype if reset else self._inputs.dtype,
            allow_nd=len(shape) == 3,
            reset=reset,
        )

    def _fit_encoder(self, X: np.ndarray, sample_weight: np.ndarray | None) -> SequenceInputs:
        layout = SequenceFormat(self.alphabet, self.length, self.unknown, self.handle_unknown)
        of_numbers = str(X.dtype) if X.dtype.kind == "f" else "float32"
        dtype = {"auto": of_numbers, "float64": "float64"}.get(self.dtype, "float32")
        encoder = SequenceInputs(layout, dtype).fit(X)
        if self.reverse_complement is True and not encoder.has_other_strand_:
            raise ValueError(
                "reverse_complement=True is for sequences of DNA or RNA, whose letters are "
                "those of their complement in the opposite order, as 'ACGT'; got "
                f"alphabet={self.alphabet!r} and {encoder.spec_.n_numeric} channels. Set it to "
                "False."
            )
        return encoder

    def _weight_dtype(self, X: np.ndarray) -> str:
        return str(X.dtype) if X.dtype.kind == "f" else "float32"

    def _dtypes(self) -> Any:
        if self.dtype == "auto":
            return FLOATS
        return "float64" if self.dtype == "float64" else "float32"

    def _shaping_params(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in LAYER_PARAMS}
        own["hidden_layer_sizes"] = validated_layer_sizes(self.hidden_layer_sizes)
        return own

    def _build_module(self, inputs: InputSpec, random_state: np.random.RandomState) -> SequenceCNN:
        encoder, both_strands = self._encoder, self.reverse_complement
        if both_strands == "auto":
            both_strands = encoder.is_dna_ and encoder.n_samples_ >= MANY_SAMPLES
        kernel_size = self.kernel_size
        if encoder.kind_ == "numbers":  # of a table with few columns a filter sees them all
            kernel_size = min(kernel_size, inputs.length)
        options = SequenceOptions(
            n_filters=self.n_filters,
            kernel_size=kernel_size,
            n_conv_layers=self.n_conv_layers,
            first_activation=self.first_activation,
            pooling=self.pooling,
            position_bias=self.position_bias,
            hidden_layer_sizes=validated_layer_sizes(self.hidden_layer_sizes),
            reverse_complement=bool(both_strands),
            first_bias=self._first_bias(),
            **self._regularization(),
        )
        network = SequenceCNN.from_specs(inputs, self._codec.spec_, options)
        network.init_weights(random_state)
        return network

    def _first_bias(self) -> float:
        if self._encoder.letters_ is None:  # numbers of any size
            return 0.0
        # What a window gives at first is the smaller the more letters there are.
        return FIRST_BIAS * float(np.sqrt(4 / self._inputs.n_numeric))

    def _regularization(self) -> dict[str, Any]:
        """Return dropout and batch normalization, of which 'lbfgs' can follow neither."""
        dropout, batch_norm = self.dropout, self.batch_norm
        steady = self.solver == "lbfgs"
        if dropout == "auto":
            dropout = 0.0 if steady else DROPOUT
        if batch_norm == "auto":
            batch_norm = False if steady else None
        return {"dropout": dropout, "batch_norm": batch_norm}

    def _automatic(self, n_samples: int, incremental: bool, has_validation: bool) -> dict[str, Any]:
        stops = self.early_stopping
        if stops == "auto":
            stops = not incremental and (has_validation or n_samples >= MANY_SAMPLES)
        chosen = {
            "early_stopping": stops,
            "auto_batch_size": int(np.clip(n_samples // BATCHES, SMALLEST, LARGEST)),
            "n_restarts": N_RESTARTS,
        }
        if self.early_stopping == "auto" and not (stops or incremental):
            chosen.update(runs_to_the_end=True, n_iter_no_change=np.inf)
        return chosen

    def _scores_loss(self) -> bool:
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
