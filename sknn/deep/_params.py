"""Parameters of a parameter: ``module__width=64`` for the class given as `module`."""

import inspect
from typing import Any


class NestedParams:
    """Let an estimator take keyword arguments ``<name>__<argument>`` for some parameters.

    They are attributes and parameters like all others, so that ``set_params``, ``clone`` and grid
    searches know them. A final class says which parameters may have some in ``_nested``.
    """

    _nested: tuple[str, ...] = ()
    #: names in the signature, read once: scikit-learn reads it anew for each clone
    _shown: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any):
        """Leave ``**nested`` out of the signature: it is no parameter, but names of some."""
        super().__init_subclass__(**kwargs)
        signature = inspect.signature(cls.__init__)
        _, *shown = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        cls.__signature__ = signature.replace(parameters=shown)
        cls._shown = tuple(sorted(p.name for p in shown))

    def _set_nested(self, arguments: dict[str, Any]) -> None:
        for name in arguments:
            if name.partition("__")[0] not in self._nested or "__" not in name:
                prefixes = ", ".join(f"'{prefix}__'" for prefix in self._nested)
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument "
                    f"{name!r}. Further arguments begin with one of {prefixes}."
                )
        vars(self).update(arguments)

    def _nested_arguments(self, name: str) -> dict[str, Any]:
        """Return the arguments that begin with ``<name>__``, without it."""
        prefix = f"{name}__"
        return {
            key.removeprefix(prefix): value
            for key, value in vars(self).items()
            if key.startswith(prefix)
        }

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Also return those of nested estimators.

        Returns
        -------
        dict
        """
        params: dict[str, Any] = {}
        for name in self._shown:
            params[name] = value = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                inner = value.get_params(deep=True)
                params.update({f"{name}__{key}": item for key, item in inner.items()})
        prefixes = tuple(f"{name}__" for name in self._nested)
        params.update({k: v for k, v in vars(self).items() if k.startswith(prefixes)})
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Names and values; also ``<name>__<argument>`` as in the constructor.

        Returns
        -------
        self : object
        """
        prefixes = tuple(f"{name}__" for name in self._nested)
        nested = {key: value for key, value in params.items() if key.startswith(prefixes)}
        super().set_params(**{key: params[key] for key in params if key not in nested})
        vars(self).update(nested)
        return self
