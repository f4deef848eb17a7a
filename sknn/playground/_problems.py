"""Problems of the playground: samples for training and for testing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from sknn.playground._shapes import SHAPES

#: name -> title, number of coordinates that it needs, function of points
FEATURES: dict[str, tuple[str, int, Callable[[np.ndarray], np.ndarray]]] = {
    "x1": ("x₁", 1, lambda p: p[:, 0]),
    "x2": ("x₂", 2, lambda p: p[:, 1]),
    "x1_squared": ("x₁²", 1, lambda p: p[:, 0] ** 2),
    "x2_squared": ("x₂²", 2, lambda p: p[:, 1] ** 2),
    "x1_x2": ("x₁x₂", 2, lambda p: p[:, 0] * p[:, 1]),
    "sin_x1": ("sin x₁", 1, lambda p: np.sin(p[:, 0])),
    "sin_x2": ("sin x₂", 2, lambda p: np.sin(p[:, 1])),
}
#: largest table that is taken
MAX_TABLE_SAMPLES, MAX_TABLE_INPUTS, MAX_TABLE_CLASSES = 10_000, 20, 10


@dataclass(frozen=True)
class Problem:
    """Samples to learn from and to test with, and how points become features.

    Attributes
    ----------
    kind : {'classification', 'regression'}
        Kind of y.
    feature_names : tuple of str
        Names of the columns of X, for people.
    classes : tuple of str
        Names of the classes, in the order of their numbers; empty for regression.
    axis_names : tuple of str
        Names of the one or two coordinates that are drawn.
    bounds : ndarray of shape (n_dims, 2)
        Smallest and largest value of each coordinate that is drawn.
    points_train, points_test : ndarray of shape (n_samples, n_dims)
        Coordinates of the samples.
    X_train, X_test : ndarray of shape (n_samples, n_features)
        Features of the samples.
    y_train, y_test : ndarray of shape (n_samples,)
        Class numbers, or real numbers.
    to_features : callable
        Function from points (n_points, n_dims) to features (n_points, n_features).
    """

    kind: str
    feature_names: tuple[str, ...]
    classes: tuple[str, ...]
    axis_names: tuple[str, ...]
    bounds: np.ndarray
    points_train: np.ndarray
    points_test: np.ndarray
    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray
    to_features: Callable[[np.ndarray], np.ndarray]

    def make_grid(self, n_steps: int) -> np.ndarray:
        """Return points at equal distances over the bounds.

        Parameters
        ----------
        n_steps : int
            Points along each coordinate, at the centres of as many equal cells.

        Returns
        -------
        ndarray of shape (n_steps ** n_dims, n_dims)
            The first coordinate runs fastest, from low to high; the second from high to low, as
            the lines of a picture do.
        """
        share = (np.arange(n_steps) + 0.5) / n_steps
        axes = [low + (high - low) * share for low, high in self.bounds]
        if len(axes) == 1:
            return axes[0][:, None]
        x1, x2 = np.meshgrid(axes[0], axes[1][::-1])
        return np.column_stack([x1.ravel(), x2.ravel()])


def make_problem(
    data: str = "circle",
    *,
    n_samples: int = 500,
    noise: float = 0.0,
    train_share: float = 0.5,
    features: Sequence[str] = ("x1", "x2"),
    random_state: int = 0,
) -> Problem:
    """Make one of the data sets of the playground.

    Parameters
    ----------
    data : {'circle', 'xor', 'gauss', 'spiral', 'moons', 'three-spirals', 'four-blobs', 'plane', \
            'multi-gauss', 'sine', 'cubic', 'lecture'}, default='circle'
        Name of the problem. The first seven have classes, others are a regression; the last three
        have a single coordinate.
    n_samples : int, default=500
        Number of samples, for training and testing together.
    noise : float, default=0.0
        Size of random displacements of points or values, from 0 to 0.5.
    train_share : float, default=0.5
        Share of the samples to train on, between 0 and 1.
    features : sequence of {'x1', 'x2', 'x1_squared', 'x2_squared', 'x1_x2', 'sin_x1', 'sin_x2'}, \
            default=('x1', 'x2')
        Features of each point. Those of x2 are left out if there is no x2.
    random_state : int, default=0
        Source of the samples.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        If there is no such data set or feature, or no feature is left.

    Examples
    --------
    >>> from sknn import DeepMLPClassifier
    >>> from sknn.playground import make_problem
    >>> problem = make_problem("xor", n_samples=200, random_state=1)
    >>> problem.X_train.shape, problem.classes
    ((100, 2), ('0', '1'))
    >>> model = DeepMLPClassifier((8,), solver="lbfgs", random_state=0)
    >>> model = model.fit(problem.X_train, problem.y_train)
    >>> model.score(problem.X_test, problem.y_test)
    1.0
    """
    if data not in SHAPES:
        raise ValueError(f"data must be one of {sorted(SHAPES)}; got {data!r}.")
    shape = SHAPES[data]
    unknown = [name for name in features if name not in FEATURES]
    if unknown:
        raise ValueError(f"features must be of {sorted(FEATURES)}; got {unknown[0]!r}.")
    names = [name for name in FEATURES if name in features and FEATURES[name][1] <= shape.n_dims]
    if not names:
        raise ValueError(f"No feature is left for {data!r}; choose 'x1', for instance.")
    generator = np.random.RandomState(random_state)
    points, y = shape.make(n_samples, noise, generator)

    def to_features(points: np.ndarray) -> np.ndarray:
        return np.column_stack([FEATURES[name][2](points) for name in names])

    n_classes = int(y.max()) + 1 if shape.kind == "classification" else 0
    return _split_problem(
        points,
        y,
        to_features,
        train_share,
        generator,
        kind=shape.kind,
        feature_names=tuple(FEATURES[name][0] for name in names),
        classes=tuple(str(i) for i in range(n_classes)),
        axis_names=("x₁", "x₂")[: shape.n_dims],
        bounds=np.array([shape.bounds] * shape.n_dims),
    )


def make_table_problem(
    table: pd.DataFrame,
    inputs: Sequence[str],
    target: str,
    *,
    train_share: float = 0.5,
    random_state: int = 0,
) -> Problem:
    """Make a problem of columns of a table.

    Parameters
    ----------
    table : DataFrame
        Table of samples; those with missing values in the chosen columns are left out.
    inputs : sequence of str
        Columns of numbers to learn from, 20 at most. They are standardised by the mean and the
        standard deviation of the training samples. The first two are drawn, the others are held
        at their means.
    target : str
        Column to predict. Text, and whole numbers of at most 10 values, are classes; other
        numbers are for regression.
    train_share : float, default=0.5
        Share of the samples to train on, between 0 and 1.
    random_state : int, default=0
        Chooses the samples to train on.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        If a column is missing or is not of numbers, or there are too few or too many samples,
        inputs or classes.

    Examples
    --------
    >>> import pandas as pd
    >>> from sknn.playground import make_table_problem
    >>> table = pd.DataFrame({"a": range(20), "b": [0.0, 1.0] * 10, "kind": ["x", "y"] * 10})
    >>> make_table_problem(table, ["a", "b"], "kind").classes
    ('x', 'y')
    """
    inputs = list(inputs)
    _check_columns(table, inputs, target)
    table = table[[*inputs, target]].dropna()
    if not 4 <= len(table) <= MAX_TABLE_SAMPLES:
        raise ValueError(
            f"The playground takes tables of 4 to {MAX_TABLE_SAMPLES:,} complete lines; got "
            f"{len(table):,}."
        )
    columns = table[inputs].to_numpy(dtype=float)
    y, classes = _read_target(table[target])
    generator = np.random.RandomState(random_state)
    train, test = _split_numbers(len(y), y if classes else None, train_share, generator)
    mean, scale = columns[train].mean(axis=0), columns[train].std(axis=0)
    scale[scale == 0] = 1.0
    n_dims = min(2, len(inputs))

    def to_features(points: np.ndarray) -> np.ndarray:
        features = np.zeros((len(points), len(inputs)))
        features[:, :n_dims] = (points - mean[:n_dims]) / scale[:n_dims]
        return features

    drawn = columns[:, :n_dims]
    margin = 0.05 * np.maximum(np.ptp(drawn, axis=0), 1e-12)
    standardised = (columns - mean) / scale
    return Problem(
        kind="classification" if classes else "regression",
        feature_names=tuple(inputs),
        classes=classes,
        axis_names=tuple(inputs[:n_dims]),
        bounds=np.column_stack([drawn.min(axis=0) - margin, drawn.max(axis=0) + margin]),
        points_train=drawn[train],
        points_test=drawn[test],
        X_train=standardised[train],
        X_test=standardised[test],
        y_train=y[train],
        y_test=y[test],
        to_features=to_features,
    )


def _check_columns(table: pd.DataFrame, inputs: list[str], target: str) -> None:
    missing = [name for name in [*inputs, target] if name not in table.columns]
    if missing:
        raise ValueError(f"The table has no column {missing[0]!r}; it has {list(table.columns)}.")
    if not 1 <= len(inputs) <= MAX_TABLE_INPUTS or len(set(inputs)) < len(inputs):
        raise ValueError(f"Choose 1 to {MAX_TABLE_INPUTS} different input columns; got {inputs}.")
    if target in inputs:
        raise ValueError(f"Column {target!r} cannot be the target and an input.")
    text = [name for name in inputs if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise ValueError(
            f"Column {text[0]!r} is not of numbers. Choose columns of numbers as inputs; the "
            "estimators themselves take categories too."
        )


def _read_target(column: pd.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class numbers and names of classes, or real numbers and no names."""
    values = column.to_numpy()
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if is_number:
        numbers = values.astype(float)
        if len(np.unique(numbers)) > MAX_TABLE_CLASSES or np.any(numbers != np.round(numbers)):
            return numbers, ()
    classes, codes = np.unique(values.astype(str), return_inverse=True)
    if not 2 <= len(classes) <= MAX_TABLE_CLASSES:
        raise ValueError(
            f"The target has {len(classes)} different values; 2 to {MAX_TABLE_CLASSES} can be "
            "classes. Numbers with more values are a regression."
        )
    return codes, tuple(classes.tolist())


def _split_numbers(
    n_samples: int,
    strata: np.ndarray | None,
    train_share: float,
    random_state: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sample numbers to train on and to test with; classes keep their shares."""
    options = {"train_size": train_share, "random_state": random_state}
    try:
        return tuple(train_test_split(np.arange(n_samples), stratify=strata, **options))
    except ValueError:  # a class has too few samples to be in both parts
        return tuple(train_test_split(np.arange(n_samples), **options))


def _split_problem(
    points: np.ndarray,
    y: np.ndarray,
    to_features: Callable[[np.ndarray], np.ndarray],
    train_share: float,
    random_state: np.random.RandomState,
    *,
    kind: str,
    feature_names: tuple[str, ...],
    classes: tuple[str, ...],
    axis_names: tuple[str, ...],
    bounds: np.ndarray,
) -> Problem:
    strata = y if kind == "classification" else None
    train, test = _split_numbers(len(y), strata, train_share, random_state)
    return Problem(
        points_train=points[train],
        points_test=points[test],
        X_train=to_features(points[train]),
        X_test=to_features(points[test]),
        y_train=y[train],
        y_test=y[test],
        to_features=to_features,
        kind=kind,
        feature_names=feature_names,
        classes=classes,
        axis_names=axis_names,
        bounds=bounds,
    )
