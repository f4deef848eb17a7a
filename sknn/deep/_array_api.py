"""Arrays of other libraries in and out: tensors of torch, on any device, while dispatch is on."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from sklearn import config_context, get_config

from sknn._sklearn import Method, convert_to_numpy, get_namespace_and_device

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator


class ArrayPlace(NamedTuple):
    """Library and device of an array.

    Attributes
    ----------
    namespace : module
        Namespace, as in the array API standard.
    device : object
        The device, as that library says it.
    """

    namespace: ModuleType
    device: object

    def __str__(self) -> str:
        """Return the words that an error and a saved file have for it."""
        return f"{self.namespace.__name__.rpartition('.')[2]} on {self.device}"


def follow_array_api(method: Method) -> Method:
    """Let a method whose first argument is X take arrays of other libraries, and return such.

    While ``sklearn.config_context(array_api_dispatch=True)`` holds, arguments are copied to NumPy,
    and what is returned is copied to where X is. Labels that are text stay NumPy's.
    """

    @wraps(method)
    def call(self: BaseEstimator, X: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        fits = method.__name__ in ("fit", "partial_fit")
        if not get_config()["array_api_dispatch"]:  # a prediction of one sample takes 50 µs in all
            result = method(self, X, *args, **kwargs)
            if fits:
                _note_place(self, None)
            return result
        place = find_place(X)
        if not fits:
            _check_place(self, method.__name__, place)
        X, *others = (_to_numpy(value) for value in (X, *args))
        kwargs = {name: _to_numpy(value) for name, value in kwargs.items()}
        # What the method calls gets NumPy's arrays, and shall not look for others.
        with config_context(array_api_dispatch=False):
            result = method(self, X, *others, **kwargs)
        if fits:
            _note_place(self, place)
            return result
        if isinstance(result, tuple):
            return tuple(_move_to(value, place) for value in result)
        return _move_to(result, place)

    return cast(Method, call)


def find_place(X: object) -> ArrayPlace | None:
    """Return where X is, None for what is NumPy's, no array, or while dispatch is off."""
    if not get_config()["array_api_dispatch"] or isinstance(X, np.ndarray | np.generic):
        return None
    if not (hasattr(X, "__dlpack__") or hasattr(X, "__array_namespace__")):
        return None  # frames, sparse matrices, lists, which every method reads itself
    try:
        namespace, is_array, device = get_namespace_and_device(X)
    except TypeError:  # such as a column of pyarrow: a buffer, but no array with arithmetic
        return None
    return ArrayPlace(namespace, device) if is_array else None


def _to_numpy(value: Any) -> Any:
    """Return an array of another library as NumPy's, and anything else as it is."""
    place = find_place(value)
    return value if place is None else convert_to_numpy(value, xp=place.namespace)


def _move_to(result: Any, place: ArrayPlace | None) -> Any:
    """Return what a method computed as an array at a place; text has none but NumPy's."""
    if place is None or not isinstance(result, np.ndarray) or result.dtype.kind in "OSTU":
        return result
    return place.namespace.asarray(result, device=place.device)


def _note_place(estimator: BaseEstimator, place: ArrayPlace | None) -> None:
    """Keep where the training samples were, and move fitted attributes there, except labels."""
    vars(estimator).pop("_array_place", None)
    if place is None:
        return
    for name, value in vars(estimator).items():
        if name.endswith("_") and name != "classes_":
            vars(estimator)[name] = _move_to(value, place)
    vars(estimator)["_array_place"] = str(place)  # text, which every file format can hold


def _check_place(estimator: BaseEstimator, method: str, place: ArrayPlace | None) -> None:
    """Refuse samples that are elsewhere than those of `fit`, as scikit-learn does."""
    fitted = vars(estimator).get("_array_place")
    given = "numpy on cpu" if place is None else str(place)
    if fitted is not None and given != fitted:
        raise ValueError(
            f"Inputs passed to {type(estimator).__name__}.{method}() must use the same namespace "
            f"and the same device as those passed to fit(). Expected arrays of {fitted}, got "
            f"{given}. Move the samples there, or turn array_api_dispatch off to get NumPy arrays."
        )
