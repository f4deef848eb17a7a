"""Steps of the solvers as compiled loops over one flat vector of parameters.

The arithmetic is that of `sknn.engine.optimizers`: Adam with the epsilon of scikit-learn,
lr sqrt(1 - β₂ᵗ) / (1 - β₁ᵗ) m / (sqrt(v) + ε), and torch's for the others. Numbers are cast to the
dtype of the parameters first: a float64 among float32 would widen each operation, and halve how
many numbers a vector instruction takes.
"""

import math

import numpy as np

from sknn._jit import jit, jit_inlined, jit_sums
from sknn.engine.compiled._codes import (
    ADAM,
    ADAMW,
    BETA_1,
    BETA_2,
    DECAY,
    EPSILON,
    MOMENTUM_DECAY,
    MU_PRODUCT,
    N_STEPS,
    NADAM,
    NESTEROV,
    RATE,
    RMSPROP,
    SGD,
    SOLVER,
    FlatNetwork,
    SolverState,
)

Array = np.ndarray


@jit
def add_penalty(network: FlatNetwork, n_weights: int, l2: float, l1: float) -> None:
    """Add the slope of the penalty on the weights, which lie before the biases."""
    values, gradient = network.values, network.gradient
    kind = values.dtype.type
    l2, l1 = kind(l2), kind(l1)
    # The slope of l2 |w|² / 2 is l2 w, and of l1 |w|₁ it is l1 sign(w), with 0 at 0.
    if l2 != 0:
        for j in range(n_weights):
            gradient[j] += l2 * values[j]
    if l1 != 0:
        for j in range(n_weights):
            gradient[j] += l1 * np.sign(values[j])


@jit
def add_gradient(gradient: Array, total: Array, factor: float) -> None:
    """Add a multiple of the gradient of a mini-batch to that of all."""
    factor = gradient.dtype.type(factor)
    for j in range(len(gradient)):
        total[j] += factor * gradient[j]


@jit
def clip_gradient(gradient: Array, longest: float) -> None:
    """Scale a gradient down to the norm `longest`, as torch.nn.utils.clip_grad_norm_ does."""
    # g <- g * min(1, longest / (|g| + 1e-6)): the direction stays; 1e-6 is torch's guard against
    # a division by 0.
    factor = longest / (math.sqrt(sum_squares(gradient)) + 1e-6)
    # A gradient that is not a number stays so: the loss that follows says that training diverged.
    if factor < 1 or math.isnan(factor):
        gradient *= gradient.dtype.type(factor)


@jit_sums
def sum_squares(numbers: Array) -> float:
    """Return the sum of squares in float64."""
    total = 0.0
    for j in range(len(numbers)):
        total += float(numbers[j]) * float(numbers[j])
    return total


@jit_inlined
def update(network: FlatNetwork, n_weights: int, solver: SolverState) -> None:
    """Change the parameters by one step of the solver."""
    code, numbers = network.codes[SOLVER], solver.numbers
    solver.counts[N_STEPS] += 1
    if code in (ADAM, ADAMW):
        if code == ADAMW:
            # The decay is decoupled from the gradient (Loshchilov and Hutter, 2019): it shrinks
            # weights by a share of the rate, whatever their moments are, and before the step.
            kind = network.values.dtype.type
            network.values[:n_weights] *= kind(1 - numbers[RATE] * numbers[DECAY])
        _update_adam(network.values, network.gradient, solver)
    elif code == NADAM:
        _update_nadam(network.values, network.gradient, solver)
    elif code == RMSPROP:
        _update_rmsprop(network.values, network.gradient, solver)
    else:
        _update_sgd(code, network.values, network.gradient, solver)


@jit
def _update_adam(values: Array, gradient: Array, solver: SolverState) -> None:
    m, v, numbers, n_steps = solver.first, solver.second, solver.numbers, solver.counts[N_STEPS]
    kind = values.dtype.type
    beta_1, beta_2 = numbers[BETA_1], numbers[BETA_2]
    # m and v start at 0, so that after t steps their expectations are 1 - βᵗ of those of g and g²
    # (Kingma and Ba, 2015, section 3). The corrected step is
    #
    #     lr (m / (1 - β₁ᵗ)) / sqrt(v / (1 - β₂ᵗ)) = [lr sqrt(1 - β₂ᵗ) / (1 - β₁ᵗ)] m / sqrt(v),
    #
    # whose bracket is computed once a step. Epsilon is then added to sqrt(v) itself, as in
    # scikit-learn, and not to the corrected root, as in torch.
    rate = numbers[RATE] * math.sqrt(1 - beta_2**n_steps) / (1 - beta_1**n_steps)
    old_1, new_1, old_2, new_2 = kind(beta_1), kind(1 - beta_1), kind(beta_2), kind(1 - beta_2)
    rate, epsilon = kind(rate), kind(numbers[EPSILON])
    for j in range(len(values)):
        g = gradient[j]
        m[j] = old_1 * m[j] + new_1 * g
        v[j] = old_2 * v[j] + new_2 * g * g
        values[j] -= rate * m[j] / (np.sqrt(v[j]) + epsilon)


@jit
def _update_nadam(values: Array, gradient: Array, solver: SolverState) -> None:
    m, v, numbers, counts = solver.first, solver.second, solver.numbers, solver.counts
    kind = values.dtype.type
    beta_1, beta_2, t = numbers[BETA_1], numbers[BETA_2], counts[N_STEPS]
    # Nesterov's momentum in Adam (Dozat, 2016): the step looks ahead by the next momentum, and
    # 1 - the product of all momenta takes the place of 1 - beta_1^t.
    mu = beta_1 * (1 - 0.5 * 0.96 ** (t * numbers[MOMENTUM_DECAY]))
    mu_next = beta_1 * (1 - 0.5 * 0.96 ** ((t + 1) * numbers[MOMENTUM_DECAY]))
    # torch keeps the product in float32, whatever the weights are. Rounded so, it is the same in
    # one call as in several, between which it lies there.
    counts[MU_PRODUCT] = np.float32(counts[MU_PRODUCT]) * np.float32(mu)
    of_gradient = kind(numbers[RATE] * (1 - mu) / (1 - counts[MU_PRODUCT]))
    of_moment = kind(numbers[RATE] * mu_next / (1 - counts[MU_PRODUCT] * mu_next))
    correction, epsilon = kind(1 - beta_2**t), kind(numbers[EPSILON])
    old_1, new_1, old_2, new_2 = kind(beta_1), kind(1 - beta_1), kind(beta_2), kind(1 - beta_2)
    for j in range(len(values)):
        g = gradient[j]
        m[j] = old_1 * m[j] + new_1 * g
        v[j] = old_2 * v[j] + new_2 * g * g
        size = np.sqrt(v[j] / correction) + epsilon
        values[j] -= (of_gradient * g + of_moment * m[j]) / size


@jit
def _update_rmsprop(values: Array, gradient: Array, solver: SolverState) -> None:
    squares, numbers, kind = solver.first, solver.numbers, values.dtype.type
    # v <- β v + (1 - β) g², and w <- w - η g / (sqrt(v) + ε): each weight has a rate of its own,
    # but v, unlike Adam's, is not corrected for its start at 0 (Tieleman and Hinton, 2012).
    old, new = kind(numbers[BETA_2]), kind(1 - numbers[BETA_2])
    rate, epsilon = kind(numbers[RATE]), kind(numbers[EPSILON])
    for j in range(len(values)):
        g = gradient[j]
        squares[j] = old * squares[j] + new * g * g
        values[j] -= rate * g / (np.sqrt(squares[j]) + epsilon)


@jit
def _update_sgd(code: int, values: Array, gradient: Array, solver: SolverState) -> None:
    velocity, numbers, kind = solver.first, solver.numbers, values.dtype.type
    rate, momentum = kind(numbers[RATE]), kind(numbers[BETA_1])
    # With u <- μ u + g the step is
    #     plain       η g
    #     momentum    η u
    #     Nesterov    η (g + μ u), the gradient's step from where the momentum is going to lead
    if code == SGD:
        for j in range(len(values)):
            values[j] -= rate * gradient[j]
        return
    for j in range(len(values)):
        g = gradient[j]
        velocity[j] = momentum * velocity[j] + g
        values[j] -= rate * (g + momentum * velocity[j] if code == NESTEROV else velocity[j])
