"""The autoencoder: a multilayer perceptron with a narrow layer, the code, in its middle."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import linear

from sknn._saved import saved
from sknn._specs import InputSpec, LayerSpec
from sknn._validation import draw_seed
from sknn.architectures._describe import make_layer_spec
from sknn.architectures._mlp import MLP
from sknn.architectures.layers._activations import ActivationLike
from sknn.architectures.layers._blocks import UnsetLinear
from sknn.architectures.layers._lists import LayerList
from sknn.architectures.layers._noise import Corruption, NormalDraw, SeededNoise
from sknn.architectures.layers._tied import TiedLinear
from sknn.architectures.options._mlp import MLPOptions


@dataclass(frozen=True)
class AutoencoderOptions:
    """Options by which a multilayer perceptron becomes an autoencoder.

    Attributes
    ----------
    n_encoder_layers : int
        Linear layers up to the code.
    corruption : Corruption or None, default=None
        Corruption of the inputs in training.
    is_variational : bool, default=False
        Whether the code is drawn from a normal distribution [1]_ in training.
    is_tied : bool, default=False
        Whether layers of the decoder have the transposed weights of those of the encoder; the last
        one only where there are as many outputs as inputs.

    References
    ----------
    .. [1] D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014,
       arXiv:1312.6114.
    """

    n_encoder_layers: int
    corruption: Corruption | None = None
    is_variational: bool = False
    is_tied: bool = False


@saved
class Autoencoder(MLP):
    """An encoder from inputs to a code, and a decoder from the code to raw predictions of them.

    Without corruption, variation and tied weights it computes what an `MLP` does.

    Parameters
    ----------
    layer_sizes : sequence of int
        Widths from the inputs to the outputs, that of the code among them.
    activations : sequence of activations
        Activation of each layer between inputs and outputs; that of the code is ``'identity'``.
    dtype : torch.dtype
        Dtype of weights and computation.
    options : tuple of MLPOptions and AutoencoderOptions
        Options of the layers and of the network.
    cardinalities : sequence of int, default=()
        Numbers of levels, see `MLP`.

    Attributes
    ----------
    n_encoder_layers : int
        Linear layers up to the code.
    corruption : Corruption or None
        Corruption of the inputs in training.
    log_variance : torch.nn.Linear or None
        Layer beside that of the code, of a variational autoencoder.

    Shape
    -----
    - Input: ``(batch, layer_sizes[0] + len(cardinalities))``
    - Output: ``(batch, layer_sizes[-1])``; of a variational autoencoder a further column is the
      divergence of the distribution of the code from the standard normal one

    Examples
    --------
    >>> import torch
    >>> from sknn.architectures import Autoencoder, AutoencoderOptions, MLPOptions
    >>> options = MLPOptions(), AutoencoderOptions(n_encoder_layers=2)
    >>> autoencoder = Autoencoder([64, 32, 2, 32, 64], ["relu", "identity", "relu"],
    ...                           torch.float32, options)
    >>> autoencoder.encode(torch.zeros(5, 64)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        activations: Sequence[ActivationLike],
        dtype: torch.dtype,
        options: tuple[MLPOptions, AutoencoderOptions],
        cardinalities: Sequence[int] = (),
    ):
        of_layers, of_whole = options
        super().__init__(layer_sizes, activations, dtype, of_layers, cardinalities)
        self.n_encoder_layers = of_whole.n_encoder_layers
        self.corruption = of_whole.corruption
        self.log_variance: UnsetLinear | None = None
        if of_whole.is_variational:
            mean = self.linears[self.n_encoder_layers - 1]
            self.log_variance = UnsetLinear(mean.in_features, mean.out_features, dtype=dtype)
            self.draw = NormalDraw()
        if of_whole.is_tied:
            self._tie()

    @classmethod
    def from_widths(
        cls,
        inputs: InputSpec,
        n_outputs: int,
        middle: Sequence[int],
        activations: Sequence[ActivationLike],
        options: tuple[MLPOptions, AutoencoderOptions],
    ) -> "Autoencoder":
        """Build the network, its weights unset, for encoded inputs; `middle` are widths between."""
        sizes = inputs.n_numeric, *middle, n_outputs
        return cls(sizes, activations, getattr(torch, inputs.dtype), options, inputs.cardinalities)

    def _tie(self) -> None:
        """Let each layer of the decoder take its weights from the encoder where shapes agree."""
        n_layers = len(self.linears)
        for i in range(self.n_encoder_layers):
            first, last = self.linears[i], self.linears[n_layers - 1 - i]
            widths = first.in_features, first.out_features
            if isinstance(first, nn.Linear) and widths == (last.out_features, last.in_features):
                self.linears[n_layers - 1 - i] = TiedLinear(first)

    @property
    def computes_as_mlp(self) -> bool:
        """Whether a pass in training is that of an `MLP` with the same layers."""
        return self.corruption is None and self.computes_as_corrupted_mlp

    @property
    def computes_as_corrupted_mlp(self) -> bool:
        """Whether it is that of an `MLP`, once the corruption has changed X."""
        is_tied = any(isinstance(layer, TiedLinear) for layer in self.linears)
        return self.log_variance is None and not is_tied

    def initialize_weights(self, random_state: np.random.RandomState) -> None:
        """Draw weights anew, as an `MLP` does, and the seeds of noise."""
        super().initialize_weights(random_state)
        for part in self.modules():
            if isinstance(part, SeededNoise):
                part.set_seed(draw_seed(random_state))

    def _initialize_linears(self, random_state: np.random.RandomState) -> None:
        super()._initialize_linears(random_state)
        if self.log_variance is not None:  # a code that is hardly noisy at first
            nn.init.zeros_(self.log_variance.weight)
            # exp(-4 / 2) is a deviation of .14 beside codes of about 1: a decoder that got pure
            # noise at first would learn to ignore the code, which the divergence then takes to 0
            # for good.
            nn.init.constant_(self.log_variance.bias, -4.0)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return raw predictions of what X was before the corruption."""
        if self.corruption is not None:
            X = self.corruption(X)
        if self.log_variance is None:
            return super().forward(X)
        hidden = self._run(X, 0, self.n_encoder_layers - 1)
        last = self.linears[self.n_encoder_layers - 1]
        # The loss is the bound of Kingma and Welling: -E[log p(x | z)] + KL(q(z | x) || N(0, 1))
        # with z = m + sqrt(v) e, e standard normal, so that gradients flow through m and v to the
        # encoder.
        mean = linear(hidden, last.weight, last.bias)
        log_variance = linear(hidden, self.log_variance.weight, self.log_variance.bias)
        code = self.draw(mean, log_variance)
        # KL(N(m, v) || N(0, 1)) = 1/2 (v + m² - 1 - log v), summed over components
        divergence = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance)
        return torch.cat([self.decode(code), divergence.sum(1, keepdim=True)], dim=1)

    def embed(self, X: torch.Tensor) -> torch.Tensor:
        """Return X with embeddings in place of codes of categories."""
        return X if self.embeddings is None else self.embeddings(X)

    def encode(self, X: torch.Tensor) -> torch.Tensor:
        """Return codes, of shape (batch, n_components)."""
        return self._run(X, 0, self.n_encoder_layers)

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        """Return raw predictions for codes."""
        start = self.n_encoder_layers
        return self._run(self.activations[start - 1](code), start, len(self.linears))

    def _run(self, a: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Return what layers `start` to `stop` - 1 make of X, or of the values before them."""
        if start == 0:
            a = self.embed(a)
        for i in range(start, stop):
            layer = self.linears[i]
            a = linear(a, layer.weight, layer.bias)
            # No activation stands behind the code and the output, the last layers of `encode` and
            # of `decode`. A variational pass asks for the values before the code, which have
            # theirs.
            if i + 1 < stop or (stop == self.n_encoder_layers - 1):
                a = self.activations[i](a)
                a = self.dropouts[i](a) if self.dropouts else a
        return a

    def get_penalized(self) -> list[nn.Parameter]:
        """Return the parameters under the L2 penalty, weights that are shared once."""
        owned = super().get_penalized()
        return owned if self.log_variance is None else [*owned, self.log_variance.weight]

    def describe(self) -> list[LayerSpec]:
        """Return a `LayerSpec` for each layer; that of a code's variance is after the code's."""
        specs = super().describe()
        if self.log_variance is None:
            return specs
        layer = self.log_variance
        place = [spec.name for spec in specs].index(f"linears.{self.n_encoder_layers - 1}") + 1
        widths = layer.in_features, layer.out_features
        spec = make_layer_spec("log_variance", layer, widths, kind="LogVariance")
        return [*specs[:place], spec, *specs[place:]]

    def get_encoder(self) -> MLP:
        """Return the layers up to the code as an MLP, which shares them."""
        n = self.n_encoder_layers
        # Without `__init__`, which would make layers of its own.
        mlp = MLP.__new__(MLP)
        nn.Module.__init__(mlp)
        vars(mlp).update(
            layer_sizes=self.layer_sizes[: n + 1],
            activation_names=self.activation_names[: n - 1],
            has_named_activations=self.has_named_activations,
            initializer=self.initializer,
            skips=self.skips[: n - 1],
            init_factors=self.init_factors[:n],
        )
        mlp.embeddings = self.embeddings
        mlp.linears = self.linears[:n]
        mlp.norms = LayerList()
        mlp.activations = self.activations[: n - 1]
        mlp.dropouts = self.dropouts[: n - 1] if self.dropouts else LayerList()
        return mlp


def is_mlp(module: nn.Module) -> bool:
    """Return whether a pass of a module in training is that of an `MLP` with its layers."""
    return type(module) is MLP or (type(module) is Autoencoder and module.computes_as_mlp)


def is_corrupted_mlp(module: nn.Module) -> bool:
    """Return whether it is that of an `MLP` to which corrupted samples are given."""
    return type(module) is Autoencoder and module.computes_as_corrupted_mlp
