"""The orthogonal matrix near a given one, by Newton–Schulz iterations: products alone."""

import torch

Tensor = torch.Tensor

#: coefficients of a x + b x³ + c x⁵, steep at 0, so that small singular values grow fast [1]_
COEFFICIENTS = 3.4445, -4.7750, 2.0315
#: how often the polynomial is applied: singular values from .005 to 1 are between .6 and 1.3 then
N_ITERATIONS = 5


def orthogonalize(matrices: Tensor) -> Tensor:
    """Return matrices (..., n, m) with singular values near 1, and the singular vectors they had.

    All are done at once [1]_. A matrix of zeros stays as it is; the scale of others, however small
    or large, does not matter.

    References
    ----------
    .. [1] K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon.
    """
    # By the largest entry first: squares of small numbers would be 0, those of large ones infinite.
    largest = matrices.abs().amax(dim=(-2, -1), keepdim=True)
    X = matrices / largest.clamp(min=torch.finfo(matrices.dtype).tiny)
    # |X|_2 <= |X|_F, so no singular value is above 1; |X|_F >= 1, the largest entry, unless X is 0.
    X = X / torch.linalg.matrix_norm(X, keepdim=True).clamp(min=1.0)
    is_tall = X.shape[-2] > X.shape[-1]
    if is_tall:  # so that X X^T is the smaller of two
        X = X.mT
    a, b, c = COEFFICIENTS
    for _ in range(N_ITERATIONS):
        # X = U S V^T and A = X X^T give a X + (b A + c A²) X = U (a S + b S³ + c S⁵) V^T.
        A = X @ X.mT
        X = a * X + (b * A + c * A @ A) @ X
    return X.mT if is_tall else X
