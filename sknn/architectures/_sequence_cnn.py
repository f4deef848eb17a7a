"""The convolutional network for sequences."""

import warnings
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from sknn._saved import saved
from sknn._specs import InputSpec, LayerSpec, TargetSpec
from sknn._validation import draw_seed
from sknn.activations import ACTIVATIONS
from sknn.architectures._describe import make_layer_spec
from sknn.architectures.layers._blocks import BatchNorm, UnsetLinear, initialize_uniform
from sknn.architectures.layers._dropout import Dropout
from sknn.architectures.layers._lists import LayerList
from sknn.architectures.layers._members import MemberLinear
from sknn.architectures.layers._windows import (
    FIRST_ACTIVATIONS,
    FilterBank,
    align_left,
    draw_filters,
    find_valid_windows,
    pool_locally,
)
from sknn.architectures.letters._pooling import FLOORS, explain_no_steps, read_letters
from sknn.architectures.options._sequence import SequenceOptions

Tensor = torch.Tensor

#: positions that a filter of a later layer covers, and windows in a stretch before it
LATER_KERNEL, LATER_POOL = 5, 2
#: most values that pooling may hand on; a hidden layer of 32 units then has half a million weights
MAX_POOLED = 16_384
DEFAULTS = SequenceOptions()


@saved
class UnsetConv1d(nn.Conv1d):
    """A convolution that draws no weights when it is made; see `UnsetLinear`."""

    bias: nn.Parameter

    def reset_parameters(self) -> None:
        """Leave the weights unset; see `SequenceCNN.initialize_weights`."""


@saved
class SequenceCNN(nn.Module):
    """Filters slide along sequences; what they find is pooled and goes through hidden layers.

    As in DeepBind [1]_ and Basset [2]_: filters, activation, pooling, and a small perceptron on
    top, which gives logits or raw predictions. Positions of zeros at the ends are padding, which
    no filter sees unless the sequence is shorter than the filter.

    Parameters
    ----------
    length, n_channels, n_outputs : int
        Positions of a sequence, numbers at each, and units of the output.
    options : SequenceOptions, default=SequenceOptions()
        The layers.
    dtype : torch.dtype, default=torch.float32
        Dtype of weights and computation.

    Attributes
    ----------
    bank : FilterBank
        The first layer.
    convs, norms : torch.nn.ModuleList
        Further convolutional layers; batch normalization of each layer, or empty.
    linears : torch.nn.ModuleList of Linear
        Hidden layers and the output layer.
    dropouts : torch.nn.ModuleList of Dropout
        Before each of them, or empty.
    pooling : str or int
        As used: a number is larger than the option's where that left too many values.

    Shape
    -----
    - Input: ``(batch, length * n_channels)``, position by position, or
      ``(batch, length, n_channels)``
    - Output: ``(batch, n_outputs)``, of several members in training ``(batch, n_members,
      n_outputs)``: their losses are averaged, so that each learns as if it were alone

    References
    ----------
    .. [1] B. Alipanahi, A. Delong, M. T. Weirauch and B. J. Frey, "Predicting the sequence
       specificities of DNA- and RNA-binding proteins by deep learning", Nature Biotechnology 33,
       2015, doi:10.1038/nbt.3300.
    .. [2] D. R. Kelley, J. Snoek and J. L. Rinn, "Basset: learning the regulatory code of the
       accessible genome with deep convolutional neural networks", Genome Research 26, 2016,
       doi:10.1101/gr.200535.115.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from sknn.architectures import SequenceCNN
    >>> cnn = SequenceCNN(101, 4, 1)
    >>> cnn.initialize_weights(np.random.RandomState(0))
    >>> cnn(torch.zeros(8, 404)).shape
    torch.Size([8, 1])
    >>> [(layer.kind, layer.n_parameters) for layer in cnn.describe()]
    [('Conv1d', 8704), ('Dropout', 0), ('Linear', 4128), ('Dropout', 0), ('Linear', 33)]
    """

    def __init__(
        self,
        length: int,
        n_channels: int,
        n_outputs: int,
        options: SequenceOptions = DEFAULTS,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__()
        n_windows = length - options.kernel_size + 1
        if n_windows < 1:
            raise ValueError(
                f"Sequences have {length} positions, fewer than kernel_size="
                f"{options.kernel_size}. Lower kernel_size, or give longer sequences."
            )
        self.length, self.n_channels, self.options = length, n_channels, options
        self.n_outputs = n_outputs
        self._n_windows = n_windows
        n, k = options.n_filters, options.n_members
        self.bank = FilterBank(
            (n, options.kernel_size, n_channels),
            n_windows,
            options.reverse_complement,
            options.bias_of_places,
            dtype,
        )
        self.convs: LayerList[UnsetConv1d] = LayerList(
            UnsetConv1d(n, n, LATER_KERNEL, padding="same", groups=k, dtype=dtype)
            for _ in range(options.n_conv_layers - 1)
        )
        self.norms: LayerList[BatchNorm] = LayerList(
            BatchNorm(n, dtype=dtype) for _ in range(options.n_conv_layers * options.has_norms)
        )
        self.pooling, n_pooled = _choose_pooling(options, n_windows)
        sizes = (n_pooled // k, *options.hidden_layer_sizes, n_outputs)
        self.linears: LayerList[UnsetLinear | MemberLinear] = LayerList(
            UnsetLinear(a, b, dtype=dtype) if k == 1 else MemberLinear(k, a, b, dtype)
            for a, b in pairwise(sizes)
        )
        # Behind pooling the values of several members lie as (n_members, n_units, batch), see
        # `_share_among_members`.
        sample_axis = 0 if k == 1 else 2
        self.dropouts: LayerList[Dropout] = LayerList(
            Dropout(options.dropout, sample_axis=sample_axis)
            for _ in self.linears
            if options.dropout
        )

    @classmethod
    def from_specs(
        cls, inputs: InputSpec, target: TargetSpec, options: SequenceOptions = DEFAULTS
    ) -> "SequenceCNN":
        """Build the network, its weights unset, for encoded sequences and an encoded y."""
        dtype = getattr(torch, inputs.dtype)
        return cls(inputs.length or 1, inputs.n_numeric, target.n_outputs, options, dtype)

    def make_like(self, options: SequenceOptions) -> "SequenceCNN":
        """Return a network with other options for the same input and output, its weights unset."""
        dtype = self.bank.weight.dtype
        return SequenceCNN(self.length, self.n_channels, self.n_outputs, options, dtype)

    @property
    def values_per_sample(self) -> int:
        """Numbers that the widest layer holds for a sample; see ``sknn.engine.Net``."""
        n_filters, *_ = self.bank.weight.shape
        return self._n_windows * n_filters * self.bank.n_strands

    @property
    def products_per_sample(self) -> int:
        """Multiplications that a sample takes."""
        convolved = self.values_per_sample * self.bank.weight[0].numel()
        n_values = self.values_per_sample
        for conv in self.convs:
            n_values //= LATER_POOL
            convolved += n_values * conv.weight[0].numel()
        return convolved + sum(layer.weight.numel() for layer in self.linears)

    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw all weights anew, from the first layer to the last, then the seeds of dropout.

        Parameters
        ----------
        random_state : numpy.random.RandomState
            Source of all random numbers; torch's generators are left alone.
        """
        self.bank.initialize_weights(random_state)
        with torch.no_grad():
            self.bank.bias.fill_(self.options.first_bias)
            for conv in self.convs:
                draw_filters(conv.weight, random_state)
                conv.bias.zero_()
        for norm in self.norms:
            norm.reset_parameters()
        for layer in self.linears:
            initialize_uniform(layer, ACTIVATIONS["relu"].init_factor, random_state)
        for dropout in self.dropouts:
            dropout.set_seed(draw_seed(random_state))

    def forward(self, X: Tensor) -> Tensor:
        """Return logits or raw predictions, see `apply_head`."""
        return self.apply_head(self.pool(X))

    def pool(self, X: Tensor) -> Tensor:
        """Return what pooling hands on, of shape (batch, n_pooled)."""
        X = X.reshape(len(X), self.length, self.n_channels)
        single = self._has_one_layer()
        # Three ways to the same values, the fastest first: along the letters of one layer in
        # compiled code; one layer by `PooledWindows`, which has no gradient for X; and, for all
        # else, operation by operation.
        floor = self._choose_floor() if single else None
        if floor is not None:
            letters = read_letters(X, self.options.kernel_size)
            if letters is not None:
                return self._join_parts(*self.bank.pool_letters(letters, floor))
        valid = self._find_valid(X)
        if single and not X.requires_grad:
            return self._pool_at_once(X, valid)
        strands = [self.bank(X, i, valid) for i in range(self.bank.n_strands)]
        pooled = self._pool_strands(strands, valid)
        # The larger of both strands: an output that does not change when a sequence is replaced by
        # its reverse complement, with as many weights as for one strand.
        return pooled[0] if len(strands) == 1 else torch.maximum(*pooled)

    def _has_one_layer(self) -> bool:
        """Return whether pooling over all windows follows the filters at once."""
        return not (self.convs or self.norms) and isinstance(self.pooling, str)

    @property
    def compiled_part(self) -> str:
        """Name of what compiled code computes of encoded letters, '' for nothing."""
        weight = self.bank.weight
        is_read = self._has_one_layer() and self._choose_floor() is not None
        if not is_read or self.n_channels == 1 or weight.device.type != "cpu":
            return ""
        return "letters" if explain_no_steps(weight.dtype) is None else ""

    def apply_head(self, pooled: Tensor) -> Tensor:
        """Return logits or raw predictions for what pooling hands on.

        Of several members it is the mean, and in training (batch, n_members, n_outputs).
        """
        if self.n_members == 1:
            return self._run_hidden_layers(pooled)
        output = self._run_hidden_layers(self._share_among_members(pooled))
        # From (n_members, n_outputs, batch).
        return output.permute(2, 0, 1) if self.training else output.mean(0).t()

    @property
    def n_members(self) -> int:
        """Networks that share the filters."""
        return self.options.n_members

    def run_each_member(self, X: Tensor) -> Tensor:
        """Return logits or raw predictions of members: (batch, n_members, n_outputs)."""
        if self.n_members == 1:
            return self(X)[:, None]
        return self._run_hidden_layers(self._share_among_members(self.pool(X))).permute(2, 0, 1)

    def _share_among_members(self, pooled: Tensor) -> Tensor:
        """Return what pooling hands on to each: (n_members, n_pooled / n_members, batch)."""
        # With 'maxmean' the largest values of all filters come first, and then all means: a member
        # gets both parts of its own filters, which are neighbours in each.
        n_parts = 2 if self.pooling == "maxmean" else 1
        parts = pooled.reshape(len(pooled), n_parts, self.n_members, -1)
        return parts.permute(2, 1, 3, 0).flatten(1, 2)

    def _run_hidden_layers(self, pooled: Tensor) -> Tensor:
        last = len(self.linears) - 1
        for i, layer in enumerate(self.linears):
            if self.dropouts:
                pooled = self.dropouts[i](pooled)
            pooled = layer(pooled)
            pooled = pooled if i == last else pooled.relu()
        return pooled

    def find_best_windows(self, X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return value, position and strand of each filter's best window, (batch, n_filters)."""
        X = X.reshape(len(X), self.length, self.n_channels)
        best, place, other = self.bank.find_best_place(X, self._find_valid(X))
        return self._activate(best), place, other

    def _find_valid(self, X: Tensor) -> Tensor | None:
        """Return which windows see no padding; with one channel a 0 is a number like others."""
        return None if self.n_channels == 1 else find_valid_windows(X, self.options.kernel_size)

    def _pool_at_once(self, X: Tensor, valid: Tensor | None) -> Tensor:
        """Return what one layer without normalization hands on, by the shorter way."""
        activation = None if self.pooling == "max" else self.options.first_activation
        return self._join_parts(*self.bank.pool(X, valid, activation))

    def _join_parts(self, best: Tensor, mean: Tensor | None) -> Tensor:
        """Return what pooling hands on of largest values, not activated yet, and means."""
        if mean is None or self.pooling == "max":
            return self._activate(best)
        return mean if self.pooling == "mean" else torch.cat([self._activate(best), mean], dim=1)

    def _choose_floor(self) -> float | None:
        """Return to which values are raised before their mean, if that is all that is done."""
        return FLOORS.get("relu" if self.pooling == "max" else self.options.first_activation)

    def _activate(self, values: Tensor) -> Tensor:
        return FIRST_ACTIVATIONS[self.options.first_activation](values)

    def _pool_strands(self, strands: list[Tensor], valid: Tensor | None) -> list[Tensor]:
        """Pool the values of each strand, all strands in one batch so that norms see both."""
        n_strands = len(strands)
        # The later layers read the other strand in its own direction.
        values = torch.cat([strands[0], *(values.flip(1) for values in strands[1:])])
        if valid is not None:
            valid = torch.cat([valid, *[valid.flip(1)] * (n_strands - 1)])
            if self.options.same_on_strands:  # stretches begin where the strand does
                values, valid = align_left(values, valid)
        values = values.transpose(1, 2)
        if self.norms:
            values = self.norms[0](values)
        values = self._activate(values)
        for i, conv in enumerate(self.convs):
            values, valid = pool_locally(values, LATER_POOL, valid)
            values = conv(values)
            if self.norms:
                values = self.norms[i + 1](values)
            values = values.relu()
        pooled = self._pool(values, valid)
        parts = list(pooled.chunk(n_strands))
        if n_strands == 2 and isinstance(self.pooling, int) and not self.options.same_on_strands:
            parts[1] = parts[1].flip(2)  # to be compared place by place
        return [part.flatten(1) for part in parts]

    def _pool(self, values: Tensor, valid: Tensor | None) -> Tensor:
        if isinstance(self.pooling, int):
            return pool_locally(values, self.pooling, valid)[0]
        parts = []
        if self.pooling != "mean":
            hidden = values if valid is None else values.masked_fill(~valid[:, None], -torch.inf)
            parts.append(hidden.amax(2))
        if self.pooling != "max":
            if valid is None:
                parts.append(values.mean(2))
            else:
                total = values.masked_fill(~valid[:, None], 0.0).sum(2)
                parts.append(total / valid.sum(1, keepdim=True))
        return torch.cat(parts, dim=1)

    def get_penalized(self) -> list[nn.Parameter]:
        """Return the parameters under the penalty that users choose: the weights."""
        return [layer.weight for layer in (self.bank, *self.convs, *self.linears)]

    def get_hidden_matrices(self) -> list[nn.Parameter]:
        """Return the weights of filters and hidden layers, which 'muon' orthogonalizes."""
        return self.get_penalized()[:-1]

    def compute_fixed_penalty(self) -> Tensor | float:
        """Return the penalty that comes on top of that one, see `FilterBank`."""
        return self.bank.compute_position_penalty() / self.options.n_members

    def describe(self) -> list[LayerSpec]:
        """Return a `LayerSpec` for each layer, in the order of the computation."""
        n = self.options.n_filters
        specs = []
        for i, filters in enumerate([self.bank, *self.convs]):
            name, widths, activation = f"convs.{i - 1}", (n, n), "relu"
            if i == 0:
                name, widths = "bank", (self.n_channels, n)
                activation = _get_activation(self.options)
            of_filters = "" if self.norms else activation
            specs.append(
                make_layer_spec(name, filters, widths, kind="Conv1d", activation=of_filters)
            )
            if self.norms:
                known = {"kind": "BatchNorm1d", "activation": activation}
                specs.append(make_layer_spec(f"norms.{i}", self.norms[i], (n, n), **known))
        for i, layer in enumerate(self.linears):
            widths = _get_widths(layer)
            if self.dropouts:
                inputs = widths[0], widths[0]
                specs.append(make_layer_spec(f"dropouts.{i}", self.dropouts[i], inputs))
            activation = "" if i == len(self.linears) - 1 else "relu"
            specs.append(
                make_layer_spec(f"linears.{i}", layer, widths, kind="Linear", activation=activation)
            )
        return specs


def _get_widths(layer: UnsetLinear | MemberLinear) -> tuple[int, int]:
    """Return the numbers of inputs and outputs, of each member."""
    if isinstance(layer, UnsetLinear):
        return layer.in_features, layer.out_features
    _, n_inputs, n_outputs = layer.weight.shape
    return n_inputs, n_outputs


def _get_activation(options: SequenceOptions) -> str:
    return {"linear": "identity"}.get(options.first_activation, options.first_activation)


def _choose_pooling(options: SequenceOptions, n_windows: int) -> tuple[str | int, int]:
    """Return how to pool, and how many values that leaves."""
    if isinstance(options.pooling, str):
        return options.pooling, options.n_filters * (2 if options.pooling == "maxmean" else 1)
    # Each later layer halves the windows before it, rounded up. The stretches that pooling leaves
    # must then be few enough for `MAX_POOLED` values.
    for _ in range(options.n_conv_layers - 1):
        n_windows = -(-n_windows // LATER_POOL)
    most = max(MAX_POOLED // options.n_filters, 1)
    size = max(options.pooling, -(-n_windows // most))
    if size > options.pooling:
        warnings.warn(
            f"pooling={options.pooling} leaves {-(-n_windows // options.pooling)} stretches of "
            f"{options.n_filters} filters, more than {MAX_POOLED} values in all; pooling={size} is "
            "used.",
            stacklevel=4,
        )
    return size, options.n_filters * -(-n_windows // size)
