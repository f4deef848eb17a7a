"""List the estimators of the package, as ``sklearn.utils.discovery`` lists scikit-learn's."""

from importlib import import_module

from sklearn.base import (
    ClassifierMixin,
    ClusterMixin,
    OutlierMixin,
    RegressorMixin,
    TransformerMixin,
)

MIXINS = {
    "classifier": ClassifierMixin,
    "regressor": RegressorMixin,
    "transformer": TransformerMixin,
    "cluster": ClusterMixin,
    "outlier": OutlierMixin,
}


def all_estimators(type_filter: str | list[str] | None = None) -> list[tuple[str, type]]:
    """Return the estimators that can be imported from `sknn`.

    Parameters
    ----------
    type_filter : {'classifier', 'regressor', 'transformer', 'cluster', 'outlier'}, list of these \
            or None, default=None
        Kinds of estimators to return; None returns all.

    Returns
    -------
    list of tuple of (str, type)
        Name and class, sorted by name.

    Raises
    ------
    ValueError
        If a kind is unknown.

    Examples
    --------
    >>> from sknn.discovery import all_estimators
    >>> [name for name, _ in all_estimators("regressor")][:1]
    ['DeepMLPRegressor']
    """
    kinds = type_filter if isinstance(type_filter, list) else [type_filter]
    if type_filter is not None and not set(kinds) <= set(MIXINS):
        raise ValueError(
            f"type_filter must be None, one of {sorted(MIXINS)}, or a list of them; got "
            f"{type_filter!r}."
        )
    sknn = import_module("sknn")  # by name: the top stands above all levels
    names = [name for name in sorted(sknn.__all__) if name[0].isupper()]
    classes = [(name, getattr(sknn, name)) for name in names]
    if type_filter is None:
        return classes
    mixins = tuple(MIXINS[str(kind)] for kind in kinds)
    return [(name, cls) for name, cls in classes if issubclass(cls, mixins)]
