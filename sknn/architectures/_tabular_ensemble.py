"""Several networks for tables as one module: they see the same samples and share nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
from torch import nn
from torch.nn.functional import relu

from sknn._saved import saved
from sknn._specs import InputSpec, LayerSpec, TargetSpec
from sknn._validation import draw_seed
from sknn.architectures._describe import make_layer_spec
from sknn.architectures.layers._dropout import Dropout
from sknn.architectures.layers._lists import LayerList
from sknn.architectures.layers._member_values import ValueEmbeddings
from sknn.architectures.layers._members import (
    MemberEmbeddings,
    MemberLinear,
    Periodic,
    PiecewiseLinear,
)

Tensor = torch.Tensor


@dataclass(frozen=True)
class TabularOptions:
    """Options of a `TabularEnsemble`.

    Attributes
    ----------
    n_members : int, default=8
        Networks.
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Units of their hidden layers, with ReLU.
    dropout : float, default=0.1
        Share of hidden units set to 0 in training, in [0, 1).
    numerical_embedding : {'piecewise', 'periodic'} or None, default='piecewise'
        Embedding beside each number, see `PiecewiseLinear` and `Periodic`.
    embedding_width : int, default=8
        Width of these embeddings, and of those of categories.
    trains_in_bfloat16 : bool, default=False
        Whether values and products of a step of training on the CPU are in bfloat16, where X is
        float32. Parameters, outputs and all that follows training never are.
    """

    n_members: int = 8
    hidden_layer_sizes: Sequence[int] = (128, 128)
    dropout: float = 0.1
    numerical_embedding: Literal["piecewise", "periodic"] | None = "piecewise"
    embedding_width: int = 8
    trains_in_bfloat16: bool = False


@saved
class TabularEnsemble(nn.Module):
    """MLPs that are trained together, each of which can hold out samples of its own.

    In training it returns the outputs of all members. Losses are averaged over members, and not
    outputs, so that each member learns as if it were alone. In evaluation it returns the mean
    output of the members, divided by `temperature`.

    A further column of X may hold the number of the member that holds a sample out, -1 for none.
    In training no gradient flows from the sample to that member, and in evaluation the output is
    that of this member alone: its prediction of a sample that it was not trained on.

    Parameters
    ----------
    inputs : InputSpec
        Description of a table. The columns of numbers come first, then those of codes.
    target : TargetSpec
        Description of the target, from which the width of the output follows.
    knots : mapping of int to ndarray
        Numbers of the columns to embed, and their knots, see `PiecewiseLinear`.
    options : TabularOptions, default=TabularOptions()
        Options of the members and their layers.
    values : mapping of int to ndarray, default={}
        Numbers of the columns with embeddings of single values, and the intervals of these values,
        see `ValueEmbeddings`.

    Attributes
    ----------
    temperature : Tensor of shape ()
        Number by which outputs are divided in evaluation; 1 at first.

    Shape
    -----
    - Input: ``(n_samples, n_columns)`` or ``(n_samples, n_columns + 1)``
    - Output: ``(n_samples, n_members, n_outputs)`` in training, else ``(n_samples, n_outputs)``

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sknn._specs import InputSpec, TargetSpec
    >>> from sknn.architectures import TabularEnsemble
    >>> inputs = InputSpec("table", 2, "float32", cardinalities=(12,))
    >>> target = TargetSpec("values", 1, "squared_error")
    >>> ensemble = TabularEnsemble(inputs, target, {0: np.array([-1.0, 0.0, 1.0])})
    >>> ensemble.initialize_weights(np.random.RandomState(0))
    >>> ensemble(torch.zeros(5, 3)).shape
    torch.Size([5, 8, 1])
    >>> ensemble.eval()(torch.zeros(5, 3)).shape
    torch.Size([5, 1])
    """

    columns: Tensor
    valued: Tensor
    temperature: Tensor
    trains_in_bfloat16 = False
    #: whether compiled passes have trained it; then they predict, too, however few the samples are
    is_compiled = False
    #: leading axes of `get_hidden_matrices` that count members
    n_stacked_axes = 1

    def __init__(
        self,
        inputs: InputSpec,
        target: TargetSpec,
        knots: dict[int, np.ndarray],
        options: TabularOptions = TabularOptions(),
        values: Mapping[int, np.ndarray] = MappingProxyType({}),
    ):
        super().__init__()
        dtype, k = getattr(torch, inputs.dtype), options.n_members
        self.n_members, self.n_outputs = k, target.n_outputs
        self.trains_in_bfloat16 = options.trains_in_bfloat16
        self.n_numeric, self.cardinalities = inputs.n_numeric, tuple(inputs.cardinalities)
        self.embedded_columns = sorted(knots) if options.numerical_embedding else []
        width = options.embedding_width
        self.numbers: PiecewiseLinear | Periodic | None = None
        self.codes: MemberEmbeddings | None = None
        self.values: ValueEmbeddings | None = None
        n_inputs = self.n_numeric
        if self.embedded_columns and options.numerical_embedding == "piecewise":
            of_columns = [knots[j] for j in self.embedded_columns]
            self.numbers = PiecewiseLinear(k, of_columns, width, dtype)
        elif self.embedded_columns:
            self.numbers = Periodic(k, len(self.embedded_columns), width, dtype=dtype)
        if self.cardinalities:
            self.codes = MemberEmbeddings(k, self.cardinalities, width, dtype)
        self.valued_columns = sorted(values)
        if values:
            intervals = [values[j] for j in self.valued_columns]
            self.values = ValueEmbeddings(k, intervals, width, dtype)
        n_inputs += sum(part.n_outputs for part in self._get_embeddings())
        sizes = [n_inputs, *options.hidden_layer_sizes, self.n_outputs]
        self.linears: LayerList[MemberLinear] = LayerList(
            MemberLinear(k, n, m, dtype) for n, m in pairwise(sizes)
        )
        self.dropouts: LayerList[nn.Module] = LayerList(
            Dropout(options.dropout, sample_axis=2) if options.dropout else nn.Identity()
            for _ in options.hidden_layer_sizes
        )
        columns = torch.tensor(self.embedded_columns, dtype=torch.int64)
        self.register_buffer("columns", columns, persistent=False)
        valued = torch.tensor(self.valued_columns, dtype=torch.int64)
        self.register_buffer("valued", valued, persistent=False)
        self.register_buffer("temperature", torch.ones((), dtype=dtype))

    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw all weights and the seeds of dropout anew; outputs are 0 at first.

        Parameters
        ----------
        random_state : numpy.random.RandomState
            Source of all random numbers.
        """
        for part in (*self._get_embeddings(), *self.linears):
            part.initialize_weights(random_state)
        with torch.no_grad():
            # With outputs of 0 the first loss is that of the class shares or of the mean, whatever
            # was drawn below; the first step moves the last layer alone, as nothing flows back
            # through zeros.
            self.linears[-1].weight.zero_()
            self.linears[-1].bias.zero_()
        for dropout in self.dropouts:
            if isinstance(dropout, Dropout):
                dropout.set_seed(draw_seed(random_state))

    def center(self, X: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Take the means of encoded numbers from samples X, which may be weighted."""
        if self.numbers is not None:
            weight = np.ones(len(X), X.dtype) if sample_weight is None else sample_weight
            self.numbers.center(
                torch.from_numpy(X), torch.from_numpy(weight), self.embedded_columns
            )

    def set_temperature(self, temperature: float) -> None:
        """Set the number by which outputs are divided in evaluation."""
        self.temperature.fill_(temperature)

    def forward(self, X: Tensor) -> Tensor:
        """Return logits or raw predictions."""
        if self.training:
            # For the gradient of X, and for autocast, torch's own passes are needed.
            usual = X.requires_grad or torch.is_autocast_enabled(X.device.type)
            output = self.run_members(X) if usual else self._train_members(X)
            return self.detach_left_out(X, output.transpose(0, 1))
        left_out_by = self.get_left_out_by(X)
        if left_out_by is None:
            return self.run_members(X).mean(0) / self.temperature
        # A held-out sample goes through its member alone, a sample of no member (-1) through all.
        # Grouped by members, this takes no longer than one pass through single members.
        output = X.new_empty(len(X), self.n_outputs)
        for member in range(-1, self.n_members):
            samples = (left_out_by == member).nonzero()[:, 0]
            which = slice(None) if member == -1 else slice(member, member + 1)
            if len(samples):
                output[samples] = self.run_members(X[samples], which).mean(0).to(output.dtype)
        return output / self.temperature

    def get_left_out_by(self, X: Tensor) -> Tensor | None:
        """Return the member (n_samples,) that holds out each sample, if X has that column."""
        n_columns = self.n_numeric + len(self.cardinalities)
        return X[:, n_columns].long() if X.shape[1] > n_columns else None

    def detach_left_out(self, X: Tensor, output: Tensor) -> Tensor:
        """Return outputs (n_samples, n_members, n_outputs), detached where a sample is held out."""
        left_out_by = self.get_left_out_by(X)
        if left_out_by is None:
            return output
        members = torch.arange(self.n_members, device=X.device)
        # A detached output has its value and no gradient: the member learns nothing of the sample,
        # while the loss of a batch is still over all samples and members.
        unseen = (left_out_by[:, None] == members)[:, :, None]
        return torch.where(unseen, output.detach(), output)

    def run_members(self, X: Tensor, members: slice = slice(None)) -> Tensor:
        """Return logits or raw predictions of `members`: (n_members, n_samples, n_outputs)."""
        k = len(range(self.n_members)[members])
        # All members see the same numbers, which `expand` does not copy.
        parts = [X[:, : self.n_numeric].t().expand(k, -1, -1)]
        if self.numbers is not None:
            parts.append(self.numbers(X[:, self.columns], members))
        if self.codes is not None:
            parts.append(self.codes(self._get_codes(X), members))
        if self.values is not None:
            parts.append(self.values(X[:, self.valued], members))
        a = torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]
        for i, dropout in enumerate(self.dropouts):
            a = dropout(relu(self.linears[i](a, members)))
        return self.linears[-1](a, members).transpose(1, 2)

    def _train_members(self, X: Tensor) -> Tensor:
        """Return the outputs of all members, by steps whose gradients are written out."""
        dtype = self._choose_dtype(X)
        parts = [X[:, : self.n_numeric].t().to(dtype).expand(self.n_members, -1, -1)]
        if isinstance(self.numbers, PiecewiseLinear):
            parts.append(self.numbers.train_all(X[:, self.columns], dtype))
        elif self.numbers is not None:
            parts.append(self.numbers(X[:, self.columns]).to(dtype))
        if self.codes is not None:
            parts.append(self.codes(self._get_codes(X)).to(dtype))
        if self.values is not None:
            parts.append(self.values(X[:, self.valued]).to(dtype))
        a = torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]
        scale = 1.0
        for layer, dropout in zip(self.linears, self.dropouts, strict=False):
            mask, factor, rest = None, 1.0, 1.0
            if isinstance(dropout, Dropout):
                mask = dropout.draw_mask_for(a.new_empty(len(a), layer.weight.shape[2], len(X)))
                # What rounding takes from the factor of units that stay, the next weights have.
                factor = float(torch.tensor(dropout.factor, dtype=dtype))
                rest = dropout.factor / factor
            a, scale = layer.train_hidden(a, mask, (scale, factor)), rest
        a = a.to(X.dtype)
        return self.linears[-1].train_output(a if scale == 1 else a * scale).transpose(1, 2)

    def _choose_dtype(self, X: Tensor) -> torch.dtype:
        """Return the dtype of values in a step of training."""
        chosen = self.trains_in_bfloat16 and X.dtype == torch.float32 and X.device.type == "cpu"
        return torch.bfloat16 if chosen else X.dtype

    def _get_embeddings(
        self,
    ) -> list[PiecewiseLinear | Periodic | MemberEmbeddings | ValueEmbeddings]:
        """Return the parts whose outputs stand behind the numbers, in their order."""
        parts = (self.numbers, self.codes, self.values)
        return [part for part in parts if part is not None]

    def _get_codes(self, X: Tensor) -> Tensor:
        return X[:, self.n_numeric : self.n_numeric + len(self.cardinalities)].long()

    def run_each_member(self, X: Tensor) -> Tensor:
        """Return logits or raw predictions of members: (n_samples, n_members, n_outputs)."""
        return self.run_members(X).transpose(0, 1)

    def get_penalized(self) -> list[nn.Parameter]:
        """Return the parameters that decay: weights, not biases nor frequencies."""
        weights = [layer.weight for layer in self.linears]
        if self.numbers is not None:
            weights.append(self.numbers.weight)
        if self.codes is not None:
            weights.extend(self.codes.tables)
        return weights if self.values is None else [*weights, self.values.table]

    def get_hidden_matrices(self) -> list[nn.Parameter]:
        """Return the weights of hidden layers, which 'muon' orthogonalizes member by member."""
        return [layer.weight for layer in self.linears][:-1]

    @property
    def values_per_sample(self) -> int:
        """Numbers that the widest layer of a member holds for a sample; see ``sknn.engine.Net``."""
        return max(max(layer.weight.shape[1:]) for layer in self.linears)

    @property
    def products_per_sample(self) -> int:
        """Multiplications that a sample takes."""
        parts = [layer.weight for layer in self.linears]
        if self.numbers is not None:
            parts.append(self.numbers.weight)
        return sum(weight.numel() for weight in parts)

    def describe(self) -> list[LayerSpec]:
        """Return a `LayerSpec` for each layer of a member, with the parameters of all members."""
        specs = []
        if self.numbers is not None:
            widths = len(self.embedded_columns), self.numbers.n_outputs
            specs.append(make_layer_spec("numbers", self.numbers, widths, activation="relu"))
        if self.codes is not None:
            widths = len(self.cardinalities), self.codes.n_outputs
            specs.append(make_layer_spec("codes", self.codes, widths, kind="Embedding"))
        if self.values is not None:
            widths = len(self.valued_columns), self.values.n_outputs
            specs.append(make_layer_spec("values", self.values, widths))
        for i, layer in enumerate(self.linears):
            is_hidden = i < len(self.dropouts)
            activation = "relu" if is_hidden else "identity"
            _, n, m = layer.weight.shape
            specs.append(
                make_layer_spec(f"linears.{i}", layer, (n, m), kind="Linear", activation=activation)
            )
            if is_hidden and isinstance(self.dropouts[i], Dropout):
                specs.append(make_layer_spec(f"dropouts.{i}", self.dropouts[i], (m, m)))
        return specs
