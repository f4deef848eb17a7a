"""Logic gates, each one threshold unit."""

from numbers import Integral

import numpy as np

from sknn.threshold._unit import ThresholdUnit


def at_least(k: int, n_inputs: int) -> ThresholdUnit:
    """Return the unit that fires where at least k of its inputs are 1.

    The other gates are this one, counting ones or, with weights -1, zeros.

    Parameters
    ----------
    k : int
        Minimum number of inputs that are 1, from 1 to n_inputs.
    n_inputs : int
        Number of inputs.

    Returns
    -------
    ThresholdUnit

    Raises
    ------
    ValueError
        If k or n_inputs is not such a number.

    References
    ----------
    .. [1] McCulloch, W. S., & Pitts, W. (1943). "A logical calculus of the ideas immanent in
       nervous activity." Bulletin of Mathematical Biophysics 5, 115-133.
       doi:10.1007/bf02478259

    Examples
    --------
    >>> from sknn.threshold import at_least
    >>> at_least(2, 3)([[0, 1, 0], [1, 0, 1]])
    array([0, 1])
    """
    weights = _make_ones(n_inputs)
    if not isinstance(k, Integral) or not 1 <= k <= n_inputs:
        raise ValueError(f"k must be a whole number from 1 to n_inputs={n_inputs}, got {k!r}.")
    return ThresholdUnit(weights, k)


def AND(n_inputs: int = 2) -> ThresholdUnit:  # noqa: N802 (lower case is Python's own)
    """Return the unit that fires where all inputs are 1.

    Parameters
    ----------
    n_inputs : int, default=2
        Number of inputs.

    Returns
    -------
    ThresholdUnit

    Examples
    --------
    >>> from sknn.threshold import AND, truth_table
    >>> print(truth_table(AND(), names=["a", "b"]).to_string(index=False))
     a  b  output
     0  0       0
     0  1       0
     1  0       0
     1  1       1
    """
    return at_least(n_inputs, n_inputs)


def OR(n_inputs: int = 2) -> ThresholdUnit:  # noqa: N802
    """Return the unit that fires where an input is 1.

    Parameters
    ----------
    n_inputs : int, default=2
        Number of inputs.

    Returns
    -------
    ThresholdUnit

    Examples
    --------
    >>> from sknn.threshold import OR
    >>> OR(3)
    ThresholdUnit(weights=[1, 1, 1], threshold=1)
    """
    return at_least(1, n_inputs)


def MAJORITY(n_inputs: int = 3) -> ThresholdUnit:  # noqa: N802
    """Return the unit that fires where more than half of the inputs are 1.

    Parameters
    ----------
    n_inputs : int, default=3
        Number of inputs; if it is even, one half is not enough.

    Returns
    -------
    ThresholdUnit

    Examples
    --------
    >>> from sknn.threshold import MAJORITY
    >>> MAJORITY(5)
    ThresholdUnit(weights=[1, 1, 1, 1, 1], threshold=3)
    """
    return ThresholdUnit(_make_ones(n_inputs), n_inputs // 2 + 1)


def NOT() -> ThresholdUnit:  # noqa: N802
    """Return the unit that fires where its only input, an inhibitory one, is 0.

    Returns
    -------
    ThresholdUnit

    Examples
    --------
    >>> from sknn.threshold import NOT
    >>> NOT()([[0], [1]])
    array([1, 0])
    """
    return NOR(1)


def NAND(n_inputs: int = 2) -> ThresholdUnit:  # noqa: N802
    """Return the unit that fires where an input is 0.

    Parameters
    ----------
    n_inputs : int, default=2
        Number of inputs.

    Returns
    -------
    ThresholdUnit

    Examples
    --------
    >>> from sknn.threshold import NAND
    >>> NAND()
    ThresholdUnit(weights=[-1, -1], threshold=-1)
    """
    return ThresholdUnit(-_make_ones(n_inputs), 1 - n_inputs)


def NOR(n_inputs: int = 2) -> ThresholdUnit:  # noqa: N802
    """Return the unit that fires where all inputs are 0.

    Parameters
    ----------
    n_inputs : int, default=2
        Number of inputs.

    Returns
    -------
    ThresholdUnit

    Examples
    --------
    >>> from sknn.threshold import NOR
    >>> NOR()
    ThresholdUnit(weights=[-1, -1], threshold=0)
    """
    return ThresholdUnit(-_make_ones(n_inputs), 0)


def IMPLIES(n_inputs: int = 2) -> ThresholdUnit:  # noqa: N802
    """Return the unit for "if all inputs but the last are 1, so is the last".

    Parameters
    ----------
    n_inputs : int, default=2
        Number of inputs: the premises, then the conclusion.

    Returns
    -------
    ThresholdUnit

    Examples
    --------
    >>> from sknn.threshold import IMPLIES
    >>> IMPLIES()([[0, 0], [0, 1], [1, 0], [1, 1]])
    array([1, 1, 0, 1])
    """
    weights = -_make_ones(n_inputs)
    weights[-1] = 1
    return ThresholdUnit(weights, 2 - n_inputs)  # a premise is 0 or the conclusion is 1


def _make_ones(n_inputs: int) -> np.ndarray:
    if not isinstance(n_inputs, Integral) or isinstance(n_inputs, bool) or n_inputs < 1:
        raise ValueError(
            f"n_inputs must be a whole number above 0, got {n_inputs!r}. Make a gate, then call "
            "it on samples: AND(2)([[0, 1]])."
        )
    return np.ones(n_inputs)
