"""What is kept of an estimator in files and copies."""

from typing import Any


class ShortState:
    """Leave out of the state what follows from the result of training.

    Formats such as skops write a thing as often as they meet it, and would hold net and curves
    twice.
    """

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "_result" in state:
            for name, value in self._fitted_attributes(state["_result"]).items():
                if name != "_result" and state.get(name) is value:
                    del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_result" in state:
            derived = self._fitted_attributes(self._result)
            vars(self).update({k: v for k, v in derived.items() if k not in state})
