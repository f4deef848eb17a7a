"""Options of the hidden layers of a multilayer perceptron, and their limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Literal

import numpy as np

from sknn.architectures.options._initializers import Initializer


@dataclass(frozen=True)
class MLPOptions:
    """Options of the hidden layers beside weights and activation.

    Attributes
    ----------
    dropout : float or sequence of float, default=0.0
        Share of units set to 0 in training [1]_, in [0, 1), for all hidden layers or for each.
    normalization : {'batch', 'layer'} or None, default=None
        Normalization before the activation: by the statistics of a unit over the batch [2]_, and in
        prediction by their running means (momentum 0.1); or of a sample over the units [3]_. A
        batch of one sample is normalised by the running means. Sample weights are ignored.
    residual : bool, default=False
        Add the values before a hidden layer to those after it [4]_ wherever both are hidden
        and equally wide, so that the sum is a plain one, without weights.
    initializer : str or callable, default='auto'
        First weights: ``'auto'`` as scikit-learn draws them, ``'glorot_uniform'``,
        ``'glorot_normal'``, ``'he_uniform'``, ``'he_normal'``, ``'lecun_uniform'``,
        ``'lecun_normal'``, ``'orthogonal'``, ``'zeros'``, all these with biases 0; or
        ``initializer(weight, random_state)``, which changes the tensor in place.

    References
    ----------
    .. [1] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: A
       simple way to prevent neural networks from overfitting", JMLR 15, 2014.
    .. [2] S. Ioffe and C. Szegedy, "Batch normalization: Accelerating deep network training by
       reducing internal covariate shift", ICML 2015, arXiv:1502.03167.
    .. [3] J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", 2016, arXiv:1607.06450.
    .. [4] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition",
       CVPR 2016, doi:10.1109/CVPR.2016.90.

    Examples
    --------
    >>> from sknn.architectures import MLPOptions
    >>> MLPOptions(residual=True).find_skips((64, 64, 32))
    (False, True, False)
    >>> MLPOptions(dropout=0.5).get_dropout_rates(2)
    (0.5, 0.5)
    """

    dropout: float | Sequence[float] = 0.0
    normalization: Literal["batch", "layer"] | None = None
    residual: bool = False
    initializer: Initializer = "auto"

    def get_dropout_rates(self, n_hidden: int) -> tuple[float, ...]:
        """Return the rate of each hidden layer; raise ValueError unless all are in [0, 1)."""
        given = self.dropout
        rates = tuple(given) if isinstance(given, Sequence | np.ndarray) else (given,)
        several = isinstance(given, Sequence | np.ndarray)
        for rate in rates:
            known = isinstance(rate, Real) and not isinstance(rate, bool | np.bool_)
            if not known or not 0 <= rate < 1:
                raise ValueError(
                    "dropout must be a number in [0, 1), or one for each hidden layer; got "
                    f"{rate!r}{f' in {self.dropout!r}' if several else ''}."
                )
        if several and len(rates) != n_hidden:
            raise ValueError(
                f"dropout must have one rate for each of the {n_hidden} hidden layers; got "
                f"{len(rates)}: {self.dropout!r}."
            )
        return tuple(map(float, rates)) * (1 if several else n_hidden)

    def check_normalization(self, hidden: Sequence[int]) -> str | None:
        """Return `normalization` if it is known, and suits hidden layers of these widths."""
        if self.normalization not in (None, "batch", "layer"):
            raise ValueError(
                f"normalization must be 'batch', 'layer' or None; got {self.normalization!r}."
            )
        if self.normalization == "layer" and 1 in hidden:
            raise ValueError(
                "normalization='layer' compares the units of a layer, so that each hidden layer "
                f"needs two; got {tuple(hidden)}."
            )
        return self.normalization

    def find_skips(self, hidden: Sequence[int]) -> tuple[bool, ...]:
        """Return whether a residual connection leads around each hidden layer, by their widths."""
        # The first layer has none: whether its width is that of the inputs is chance.
        if not self.residual:
            return (False,) * len(hidden)
        skips = tuple(n == m for n, m in pairwise((0, *hidden)))
        if not any(skips):
            raise ValueError(
                "residual=True needs two hidden layers of the same width in a row, around the "
                f"second of which the connection leads; got the widths {tuple(hidden)}."
            )
        return skips
