"""The made-up data of the playground: points in the plane or on a line, with their targets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import make_moons

#: points lie in a square of this half-width around 0
RADIUS = 5.0
#: centres of the bumps of 'multi-gauss', with their signs
BUMPS = ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1))
#: radius of a bump of 'multi-gauss'
BUMP_RADIUS = 2.0

Maker = Callable[[int, float, np.random.RandomState], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Shape:
    """One kind of made-up data.

    Attributes
    ----------
    title : str
        Title that is shown.
    kind : {'classification', 'regression'}
        Whether targets are class numbers or real numbers.
    n_dims : {1, 2}
        Coordinates of a point.
    make : callable
        ``make(n_samples, noise, random_state)`` returns points of shape (n_samples, n_dims) and
        targets of shape (n_samples,).
    bounds : tuple of float
        Smallest and largest coordinate that is drawn.
    """

    title: str
    kind: str
    n_dims: int
    make: Maker
    bounds: tuple[float, float] = (-6.0, 6.0)


def make_circle(
    n_samples: int, noise: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return a disc of class 1 inside a ring of class 0; noise moves points after labelling."""
    y = np.arange(n_samples) % 2
    low, high = np.where(y == 1, 0.0, 0.7 * RADIUS), np.where(y == 1, 0.5 * RADIUS, RADIUS)
    radius = random_state.uniform(low, high)
    angle = random_state.uniform(0, 2 * np.pi, n_samples)
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return _displace(points, noise, random_state), y


def make_xor(
    n_samples: int, noise: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return points of class 1 in two opposite quadrants, of class 0 in the other two."""
    points = random_state.uniform(0.3, RADIUS, (n_samples, 2))
    points *= random_state.choice([-1.0, 1.0], (n_samples, 2))
    y = (points[:, 0] * points[:, 1] >= 0).astype(int)
    return _displace(points, noise, random_state), y


def make_gauss(
    n_samples: int, noise: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return two normal distributions around (2, 2) and (-2, -2)."""
    y = np.arange(n_samples) % 2
    centres = np.where(y[:, None] == 1, 2.0, -2.0)
    return centres + random_state.normal(0, 0.7 + 2.5 * noise, (n_samples, 2)), y


def make_spiral(
    n_samples: int, noise: float, random_state: np.random.RandomState, n_arms: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Return arms that wind around each other, a class each."""
    y = np.arange(n_samples) % n_arms
    share = random_state.uniform(0.02, 1, n_samples)
    angle = 1.75 * 2 * np.pi * share + 2 * np.pi * y / n_arms
    points = RADIUS * share[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    return _displace(points, 0.5 * noise, random_state), y


def make_three_spirals(
    n_samples: int, noise: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return a spiral of three arms."""
    return make_spiral(n_samples, noise, random_state, n_arms=3)


def make_half_moons(
    n_samples: int, noise: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's two moons, stretched to the plane of the playground."""
    points, y = make_moons(n_samples, noise=0.5 * noise + 1e-9, random_state=random_state)
    return 3.2 * (points - [0.5, 0.25]), y


def make_four_blobs(
    n_samples: int, noise: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return four normal distributions, a class each."""
    y = np.arange(n_samples) % 4
    centres = 2.8 * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], dtype=float)
    return centres[y] + random_state.normal(0, 0.7 + 2 * noise, (n_samples, 2)), y


def make_plane(
    n_samples: int, noise: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return values that rise from one corner of the square to the other."""
    points = random_state.uniform(-RADIUS, RADIUS, (n_samples, 2))
    y = points.sum(axis=1) / (2 * RADIUS)
    return points, y + random_state.normal(0, noise, n_samples)


def make_bumps(
    n_samples: int, noise: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return values that are 1 or -1 on six bumps and fall to 0 between them."""
    points = random_state.uniform(-RADIUS - 1, RADIUS + 1, (n_samples, 2))
    heights = np.zeros((n_samples, len(BUMPS)))
    for i, (x1, x2, sign) in enumerate(BUMPS):
        distance = np.hypot(points[:, 0] - x1, points[:, 1] - x2)
        heights[:, i] = sign * np.clip(1 - distance / BUMP_RADIUS, 0, None)
    strongest = np.abs(heights).argmax(axis=1)
    y = heights[np.arange(n_samples), strongest]
    return points, y + random_state.normal(0, noise, n_samples)


def lecture_polynomial(x: np.ndarray) -> np.ndarray:
    """Return ``2x³ + 4x² − 5x + 1``, the lecture's function on [−4, 2)."""
    return 2 * x**3 + 4 * x**2 - 5 * x + 1


def make_function(function: Callable, low: float, high: float) -> Maker:
    """Return a maker of points on a line whose targets are values of a function.

    Noise is in units of the standard deviation of the function's values.
    """

    def make(
        n_samples: int, noise: float, random_state: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        x = random_state.uniform(low, high, n_samples)
        y = function(x)
        return x[:, None], y + random_state.normal(0, noise * y.std(), n_samples)

    return make


def _displace(points: np.ndarray, noise: float, random_state: np.random.RandomState) -> np.ndarray:
    return points + random_state.normal(0, noise * RADIUS / 2, points.shape)


SHAPES: dict[str, Shape] = {
    "circle": Shape("Circle", "classification", 2, make_circle),
    "xor": Shape("Exclusive or", "classification", 2, make_xor),
    "gauss": Shape("Gauss", "classification", 2, make_gauss),
    "spiral": Shape("Spiral", "classification", 2, make_spiral),
    "moons": Shape("Moons", "classification", 2, make_half_moons),
    "three-spirals": Shape("Three spirals", "classification", 2, make_three_spirals),
    "four-blobs": Shape("Four blobs", "classification", 2, make_four_blobs),
    "plane": Shape("Plane", "regression", 2, make_plane),
    "multi-gauss": Shape("Multi gauss", "regression", 2, make_bumps),
    "sine": Shape("Sine", "regression", 1, make_function(np.sin, -6, 6)),
    "cubic": Shape("Cubic", "regression", 1, make_function(lambda x: x**3 / 25 - x, -6, 6)),
    "lecture": Shape(
        "2x³ + 4x² − 5x + 1",
        "regression",
        1,
        make_function(lecture_polynomial, -4, 2),
        (-4.0, 2.0),
    ),
}
