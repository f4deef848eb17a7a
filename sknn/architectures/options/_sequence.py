"""Options of a network for sequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sknn._saved import saved


@saved
@dataclass(frozen=True)
class SequenceOptions:
    """Layers of a `SequenceCNN`.

    Attributes
    ----------
    n_filters : int, default=64
        Filters in each convolutional layer, those of all members.
    kernel_size : int, default=11
        Positions that a filter of the first layer covers.
    n_conv_layers : int, default=1
        Convolutional layers. Those after the first cover five of the stretches of two windows
        that max-pooling leaves before each of them.
    first_activation : {'relu', 'exp', 'linear'}, default='relu'
        Of the first layer; ``'exp'`` makes filters more like motifs [1]_, and goes on as a straight
        line from 5. Later ones have 'relu'.
    pooling : {'max', 'mean', 'maxmean'} or int, default='maxmean'
        Over all windows: the largest value of a filter, the mean, or both. Or the largest of each
        stretch of so many windows, all of which go to the next layer with their places.
    position_bias : bool, default=True
        Whether filters learn to prefer places, see `FilterBank`.
    hidden_layer_sizes : sequence of int, default=(32,)
        Units of the hidden layers after pooling, with 'relu'.
    dropout : float, default=0.3
        Share of the pooled values, and of the hidden units, set to 0 in training, in [0, 1).
    batch_norm : bool or None, default=None
        Batch normalization of each convolutional layer; None means where there are several.
    reverse_complement : bool, default=False
        Whether both strands are compared with the filters, and the larger value counts.
    first_bias : float, default=0.0
        First value of the biases of the first layer. Below 0 few windows fire at first.
    same_on_strands : bool, default=False
        Whether a sequence that is not shorter than a filter and its reverse complement give the
        same output. With `reverse_complement`, places are then counted on each strand from its own
        start; else on both from the start of the sequence, so that the strands may differ.
    n_members : int, default=1
        Number of networks, each with its share of the filters and hidden layers of its own.

    References
    ----------
    .. [1] P. K. Koo and M. Ploenzke, "Improving representations of genomic sequence motifs in
       convolutional networks with exponential activations", Nature Machine Intelligence 3, 2021,
       doi:10.1038/s42256-020-00291-x.
    """

    n_filters: int = 64
    kernel_size: int = 11
    n_conv_layers: int = 1
    first_activation: Literal["relu", "exp", "linear"] = "relu"
    pooling: Literal["max", "mean", "maxmean"] | int = "maxmean"
    position_bias: bool = True
    hidden_layer_sizes: Sequence[int] = (32,)
    dropout: float = 0.3
    batch_norm: bool | None = None
    reverse_complement: bool = False
    first_bias: float = 0.0
    same_on_strands: bool = False
    n_members: int = 1

    @property
    def bias_of_places(self) -> bool | str:
        """Kind of the position bias of filters, see `FilterBank`."""
        mirrored = self.position_bias and self.reverse_complement and self.same_on_strands
        return "mirrored" if mirrored else self.position_bias

    @property
    def has_norms(self) -> bool:
        """Whether convolutional layers are normalised."""
        return self.n_conv_layers > 1 if self.batch_norm is None else self.batch_norm
