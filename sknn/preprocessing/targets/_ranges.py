"""Targets that lie in a range, which predictions never leave."""

import numpy as np


def find_range(
    columns: np.ndarray, given: tuple[float, ...] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return smallest value and width of columns, which may hold NaN, or those given."""
    low = np.nanmin(columns, axis=0) if given is None else np.full(columns.shape[1], given[0])
    high = np.nanmax(columns, axis=0) if given is None else np.full(columns.shape[1], given[1])
    return low, np.where(high > low, high - low, 1.0)


def check_in_range(columns: np.ndarray, given: tuple[float, ...]) -> None:
    """Raise ValueError that names a value which is out of a range."""
    low, high = given
    wrong = columns[(columns < low) | (columns > high)]
    if len(wrong):
        raise ValueError(
            f"y must lie in y_range, {low!r} to {high!r}, but holds {float(wrong[0])!r}. Widen the "
            "range, or leave such samples out."
        )


def check_range_is_given(loss: object, given: tuple[float, ...] | None) -> None:
    """Raise ValueError where a range would have to be found in samples that come in chunks."""
    if given is None:
        raise ValueError(
            f"loss={loss!r} needs to know the range of y where samples are read in chunks. Give "
            "loss__y_range=(lowest, highest)."
        )
