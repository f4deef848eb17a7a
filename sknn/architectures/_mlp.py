"""The multilayer perceptron."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise, repeat

import numpy as np
import torch
from torch import nn
from torch.nn.functional import linear

from sknn._saved import saved
from sknn._specs import InputSpec, LayerSpec, TargetSpec
from sknn._validation import draw_seed
from sknn.architectures._describe import make_layer_spec
from sknn.architectures.layers._activations import (
    ActivationLike,
    get_activation_name,
    get_init_factor,
    make_hidden_activation,
    split_activations,
)
from sknn.architectures.layers._blocks import BatchNorm, UnsetLinear, seed_torch
from sknn.architectures.layers._dropout import Dropout
from sknn.architectures.layers._embeddings import CategoryEmbeddings
from sknn.architectures.layers._lists import LayerList
from sknn.architectures.layers._tied import TiedLinear
from sknn.architectures.options._initializers import check_initializer, initialize_linear
from sknn.architectures.options._mlp import MLPOptions

PLAIN = MLPOptions()
#: normalization -> class of the layer
NORMS: dict[str, type[BatchNorm | nn.LayerNorm]] = {"batch": BatchNorm, "layer": nn.LayerNorm}


@saved
class MLP(nn.Module):
    """Linear layers with an activation between them, up to logits or raw predictions.

    A hidden layer turns the values a before it into ::

        dropout(activation(normalization(a W^T + b)))    and, with a residual connection,  + a

    Parameters
    ----------
    layer_sizes : sequence of int
        Widths from the inputs to the outputs, two at least. Columns of category codes are not
        counted.
    activation : str, callable, or sequence of them, default='relu'
        Of the hidden layers, or of each of them: a key of `sknn.activations.ACTIVATIONS` that can
        be trained, a function of a tensor, or a ``torch.nn.Module``, its class, or a factory of
        such. Each layer has a module, and thus parameters, of its own; they are trained, and not
        penalised.
    dtype : torch.dtype, default=torch.float32
        Dtype of weights and computation.
    options : MLPOptions, default=MLPOptions()
        Dropout, normalization, residual connections, first weights.
    cardinalities : sequence of int, default=()
        Number of codes of each column of category codes; these columns come last in X.

    Attributes
    ----------
    linears : torch.nn.ModuleList of Linear
        The layers with weights. Batch normalization replaces the biases of hidden layers.
    activations : torch.nn.ModuleList
        Activations, one for each hidden layer.
    norms, dropouts : torch.nn.ModuleList
        Layers, one for each hidden layer, or empty. Without dropout there is an ``nn.Identity``.
    embeddings : CategoryEmbeddings or None
        Embeddings of category codes.
    activation_names : tuple of str
        One for each hidden layer; the name of the class or function where it is no key.
    has_named_activations : bool
        Whether all are keys of the table.
    skips : tuple of bool
        Whether there is a residual connection around a hidden layer.

    Shape
    -----
    - Input: ``(batch, layer_sizes[0] + len(cardinalities))``
    - Output: ``(batch, layer_sizes[-1])``

    Raises
    ------
    ValueError
        If activation, options or cardinalities are not as described.

    Examples
    --------
    >>> import torch
    >>> from sknn.architectures import MLP, MLPOptions
    >>> mlp = MLP([784, 300, 100, 10])
    >>> mlp(torch.zeros(32, 784)).shape
    torch.Size([32, 10])
    >>> [layer.n_parameters for layer in mlp.describe()]
    [235500, 30100, 1010]
    >>> options = MLPOptions(dropout=0.1, normalization="layer", residual=True)
    >>> mlp = MLP([8, 64, 64, 1], torch.nn.Mish, options=options, cardinalities=[12])
    >>> for layer in mlp.describe():
    ...     print(layer.kind, layer.n_inputs, layer.n_outputs, layer.activation)
    Embedding 1 6 identity
    Linear 14 64 identity
    LayerNorm 64 64 Mish
    Dropout 64 64 identity
    Linear 64 64 identity
    LayerNorm 64 64 Mish
    Dropout 64 64 identity
    Linear 64 1 identity
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        activation: ActivationLike | Sequence[ActivationLike] = "relu",
        dtype: torch.dtype = torch.float32,
        options: MLPOptions = PLAIN,
        cardinalities: Sequence[int] = (),
    ):
        super().__init__()
        self.layer_sizes = tuple(layer_sizes)
        hidden = self.layer_sizes[1:-1]
        given = split_activations(activation, len(hidden))
        self.activation_names = tuple(map(get_activation_name, given))
        self.has_named_activations = all(isinstance(a, str) for a in given)
        self.initializer = check_initializer(options.initializer)
        self.skips = options.find_skips(hidden)
        # scikit-learn draws the output layer as it does the hidden ones.
        without_hidden = activation if isinstance(activation, str) else "identity"
        factors = [*map(get_init_factor, given or (without_hidden,))]
        self.init_factors = (*factors[: len(hidden)], factors[-1])

        self.embeddings: CategoryEmbeddings | None = None
        n_inputs = self.layer_sizes[0]
        if cardinalities:
            self.embeddings = CategoryEmbeddings(n_inputs, cardinalities, dtype)
            n_inputs = self.embeddings.n_outputs
        normalization = options.check_normalization(hidden)
        self.linears: LayerList[nn.Linear | TiedLinear] = LayerList()
        for i, (n, m) in enumerate(pairwise((n_inputs, *self.layer_sizes[1:]))):
            has_bias = normalization != "batch" or i == len(hidden)
            self.linears.append(UnsetLinear(n, m, bias=has_bias, dtype=dtype))
        self.norms: LayerList[BatchNorm | nn.LayerNorm] = LayerList()
        if normalization:
            self.norms.extend(NORMS[normalization](n, dtype=dtype) for n in hidden)
        self.activations: LayerList[nn.Module] = LayerList(
            map(make_hidden_activation, given, hidden, repeat(dtype))
        )
        rates = options.get_dropout_rates(len(hidden))
        self.dropouts: LayerList[nn.Module] = LayerList()
        if any(rates):
            self.dropouts.extend(Dropout(rate) if rate else nn.Identity() for rate in rates)

    @classmethod
    def from_specs(
        cls,
        inputs: InputSpec,
        target: TargetSpec,
        hidden: Sequence[int],
        activation: ActivationLike | Sequence[ActivationLike] = "relu",
        options: MLPOptions = PLAIN,
    ) -> "MLP":
        """Build the network, its weights unset, that leads from an encoded X to an encoded y."""
        n_inputs = inputs.n_numeric * (inputs.length or 1)
        sizes = (n_inputs, *hidden, target.n_outputs)
        return cls(sizes, activation, getattr(torch, inputs.dtype), options, inputs.cardinalities)

    @property
    def is_plain(self) -> bool:
        """Whether it is nothing but linear layers with biases, and activations by name."""
        return self.is_plain_but_for_dropout and not self.dropouts

    @property
    def is_plain_but_for_dropout(self) -> bool:
        """Whether it is nothing but linear layers, activations by name, and dropout."""
        has_extras = self.embeddings is not None or self.norms or any(self.skips)
        return self.has_named_activations and not has_extras

    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw weights and biases anew, layer by layer, then embeddings and seeds of dropout.

        All numbers come from `random_state`; torch's generators are left alone. Normalization
        starts anew; parameters of activations stay.
        """
        if callable(self.initializer):
            with seed_torch(random_state):  # it may use torch's functions, torch.nn.init
                self._initialize_linears(random_state)
        else:
            self._initialize_linears(random_state)
        if self.embeddings is not None:
            self.embeddings.initialize_weights(random_state)
        for norm in self.norms:
            norm.reset_parameters()
        for dropout in self.dropouts:
            if isinstance(dropout, Dropout):
                dropout.set_seed(draw_seed(random_state))

    def _initialize_linears(self, random_state: np.random.RandomState) -> None:
        for layer, factor in zip(self.linears, self.init_factors, strict=True):
            if isinstance(layer, TiedLinear):
                nn.init.zeros_(layer.bias)
            else:
                initialize_linear(layer, self.initializer, factor, random_state)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return logits or raw predictions, of shape (batch, n_outputs)."""
        if self.embeddings is not None:
            X = self.embeddings(X)
        first = self.linears[0]
        return self.continue_after_first(linear(X, first.weight, first.bias))

    def continue_after_first(self, z: torch.Tensor) -> torch.Tensor:
        """Return logits or raw predictions for what the first linear layer gives."""
        before = None
        for i, layer in enumerate(islice(self.linears, 1, None)):
            if self.norms:
                z = self.norms[i](z)
            a = self.activations[i](z)
            if self.dropouts:
                a = self.dropouts[i](a)
            if self.skips[i]:
                a = a + before  # so that a gradient reaches the layer before as it is, too
            before, z = a, linear(a, layer.weight, layer.bias)
        return z

    def get_penalized(self) -> list[nn.Parameter]:
        """Return the parameters under the L2 penalty: weights, of linear layers and embeddings."""
        # Without a penalty of their own, embeddings would grow to make up for smaller weights after
        # them: scaling a table by c and the weights that read it by 1 / c changes no output.
        tables = () if self.embeddings is None else self.embeddings.tables
        # Tied weights are those of another layer, and no parameter.
        weights = (layer.weight for layer in (*tables, *self.linears))
        return [weight for weight in weights if isinstance(weight, nn.Parameter)]

    def get_hidden_matrices(self) -> list[nn.Parameter]:
        """Return the weights of hidden layers, which 'muon' orthogonalizes; tied ones once."""
        weights = (layer.weight for layer in islice(self.linears, len(self.linears) - 1))
        return [weight for weight in weights if isinstance(weight, nn.Parameter)]

    def describe(self) -> list[LayerSpec]:
        """Return a `LayerSpec` for each layer; an activation has one if it has parameters."""
        specs = []
        if self.embeddings is not None:
            for i, table in enumerate(self.embeddings.tables):
                widths = 1, table.embedding_dim
                specs.append(make_layer_spec(f"embeddings.tables.{i}", table, widths))
        for i, layer in enumerate(self.linears):
            specs.append(
                make_layer_spec(f"linears.{i}", layer, (layer.in_features, layer.out_features))
            )
            if i == len(self.activations):
                break
            widths = layer.out_features, layer.out_features
            if self.norms:
                specs.append(make_layer_spec(f"norms.{i}", self.norms[i], widths))
            if any(p.numel() for p in self.activations[i].parameters()):
                specs.append(make_layer_spec(f"activations.{i}", self.activations[i], widths))
            specs[-1] = replace(specs[-1], activation=self.activation_names[i])
            if self.dropouts and isinstance(self.dropouts[i], Dropout):
                specs.append(make_layer_spec(f"dropouts.{i}", self.dropouts[i], widths))
        return specs
