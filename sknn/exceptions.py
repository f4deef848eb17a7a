"""Errors of our own; everywhere else scikit-learn's classes are used."""


class NonFiniteLossError(ValueError):
    """Training ran into a loss or weights that are infinite or not a number."""


class OptionalDependencyError(ImportError):
    """A feature was used whose optional package is not installed."""
