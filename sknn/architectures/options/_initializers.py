"""First weights of linear layers and embeddings, all drawn from a NumPy generator.

With n the inputs of a layer and m its outputs, the named initializers draw from

=================  ================================  ============================================
name               variance of a weight
=================  ================================  ============================================
'glorot_*'         2 / (n + m)                       keeps the variance of values and gradients
'he_*'             2 / n                             for 'relu', which halves the variance
'lecun_*'          1 / n                             for 'selu' and linear layers
'orthogonal'       orthonormal rows or columns       keeps lengths
'zeros'            0                                 for a network without hidden layers
=================  ================================  ============================================

uniform or normal, with biases 0. 'auto' is scikit-learn's Glorot, biases drawn too.

References
----------
- X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
  networks", AISTATS 2010.
- K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", ICCV 2015,
  doi:10.1109/ICCV.2015.123.
- Y. LeCun, L. Bottou, G. Orr and K.-R. Müller, "Efficient BackProp", 1998,
  doi:10.1007/3-540-49430-8_2.
- A. Saxe, J. McClelland and S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in
  deep linear neural networks", ICLR 2014, arXiv:1312.6120.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from sknn.architectures.layers._blocks import initialize_uniform

Draw = Callable[[int, int, np.random.RandomState], np.ndarray]
Initializer = str | Callable[[torch.Tensor, np.random.RandomState], Any]


def _make_uniform(variance: Callable[[int, int], float]) -> Draw:
    def draw(n: int, m: int, random_state: np.random.RandomState) -> np.ndarray:
        bound = np.sqrt(3 * variance(n, m))  # uniform in ±b has variance b² / 3
        return random_state.uniform(-bound, bound, (n, m))

    return draw


def _make_normal(variance: Callable[[int, int], float]) -> Draw:
    def draw(n: int, m: int, random_state: np.random.RandomState) -> np.ndarray:
        return random_state.normal(0.0, np.sqrt(variance(n, m)), (n, m))

    return draw


def _draw_orthogonal(n: int, m: int, random_state: np.random.RandomState) -> np.ndarray:
    longer, shorter = max(n, m), min(n, m)
    # The Q of a matrix of normal numbers is uniform over all orthonormal columns (Haar), provided
    # that the diagonal of R is positive; else LAPACK chooses the signs.
    q, r = np.linalg.qr(random_state.normal(size=(longer, shorter)))
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # else the signs are not random, but LAPACK's
    return q if n == longer else q.T


def _make_zeros(n: int, m: int, random_state: np.random.RandomState) -> np.ndarray:
    return np.zeros((n, m))


#: name -> variance of a weight of a layer with n inputs and m outputs. A unit sums n products of
#: independent weights and values of mean 0, so that its variance is n times that of a weight times
#: that of a value: LeCun's 1 / n keeps it. A ReLU sets half of the values to 0 and halves their
#: mean square, for which He's 2 / n makes up. In the backward pass a gradient sums m products, and
#: would be kept by 1 / m: Glorot's 2 / (n + m) is the harmonic mean of both.
VARIANCES: dict[str, Callable[[int, int], float]] = {
    "glorot": lambda n, m: 2 / (n + m),
    "he": lambda n, m: 2 / n,
    "lecun": lambda n, m: 1 / n,
}

#: name -> weights of shape (n_inputs, n_outputs); 'auto' is not among them
INITIALIZERS: dict[str, Draw] = {
    **{
        f"{name}_{kind}": make(variance)
        for name, variance in VARIANCES.items()
        for kind, make in (("uniform", _make_uniform), ("normal", _make_normal))
    },
    "orthogonal": _draw_orthogonal,
    "zeros": _make_zeros,
}


def check_initializer(initializer: Initializer) -> Initializer:
    """Return an initializer, a callable or one of the names, or say which there are."""
    if callable(initializer):
        return initializer
    if not isinstance(initializer, str) or initializer not in {"auto", *INITIALIZERS}:
        raise ValueError(
            f"initializer must be one of {['auto', *INITIALIZERS]}, or a callable "
            f"initializer(weight, random_state); got {initializer!r}."
        )
    return initializer


def initialize_linear(
    layer: nn.Linear, initializer: Initializer, factor: float, random_state: np.random.RandomState
) -> None:
    """Draw the first weights of a linear layer in place; biases are 0 but with ``'auto'``.

    A callable fills the weights, of shape (n_outputs, n_inputs), in place by
    ``initializer(weight, random_state)``. `factor` is for ``'auto'``, see `initialize_uniform`.
    """
    if initializer == "auto":
        initialize_uniform(layer, factor, random_state)
        return
    n_outputs, n_inputs = layer.weight.shape
    if callable(initializer):
        layer.weight.detach().fill_(torch.nan)  # what it does not write will be seen
        with torch.no_grad():
            initializer(layer.weight, random_state)
        if not torch.isfinite(layer.weight).all():
            raise ValueError(
                "initializer(weight, random_state) must fill the tensor weight in place with "
                f"finite numbers, as weight.copy_(...) does; some of the {n_outputs} x {n_inputs} "
                "are NaN, infinite or not written."
            )
    else:
        weight = INITIALIZERS[initializer](n_inputs, n_outputs, random_state)
        layer.weight.detach().copy_(torch.from_numpy(weight.T))
    if layer.bias is not None:
        layer.bias.detach().zero_()
