"""The whole state of a page of the playground, checked before anything is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from sknn.activations import ACTIVATIONS
from sknn.playground._problems import FEATURES
from sknn.playground._shapes import SHAPES

#: what a message of the page is made of
Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | float | bool | None"
MODELS = ("network", "perceptron", "gate", "xor")
SOLVERS = ("sgd", "momentum", "adam", "adamw", "lbfgs")
PENALTIES = ("none", "L1", "L2")
#: truth tables that a gate can be asked for: outputs for (0, 0), (0, 1), (1, 0) and (1, 1)
GATES = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "nand": (1, 1, 1, 0),
    "nor": (1, 0, 0, 0),
    "xor": (0, 1, 1, 0),
}
#: activations that gradient descent can follow
TRAINABLE = tuple(name for name, entry in ACTIVATIONS.items() if entry.torch_name is not None)
MAX_LAYERS, MAX_UNITS = 8, 16


@dataclass(frozen=True)
class Layer:
    """A hidden layer.

    Attributes
    ----------
    units : int
        Number of units, from 1 to 16.
    activation : str
        Name of an activation that has a derivative.
    dropout : float
        Share of units left out in training, from 0 to 0.9.
    """

    units: int = 4
    activation: str = "tanh"
    dropout: float = 0.0


@dataclass(frozen=True)
class Settings:
    """Everything that is chosen on the page.

    Attributes
    ----------
    model : {'network', 'perceptron', 'gate', 'xor'}
        A network that is trained, Rosenblatt's perceptron, a threshold unit, or three of them.
    data : str
        Name of made-up data, or ``'table'`` for the table that was handed over.
    noise, train_share : float
        Parameters of `sknn.playground.make_problem`.
    n_samples, data_seed : int
        Number of samples, and what draws them.
    features : tuple of str
        Features of a point.
    inputs, target : tuple of str, str
        Columns of the table.
    layers : tuple of Layer
        Hidden layers.
    solver : {'sgd', 'momentum', 'adam', 'adamw', 'lbfgs'}
        'momentum' is 'sgd' with Nesterov's momentum of 0.9.
    learning_rate, penalty_rate : float
        Step size, and strength of the penalty.
    penalty : {'none', 'L1', 'L2'}
        Penalty on the weights.
    batch_size, seed, speed : int
        Samples in a mini-batch, random state of the network, epochs a second (0: no limit).
    early_stopping : bool
        Whether training ends when the score of the test data stalls.
    gate : {'and', 'or', 'nand', 'nor', 'xor'}
        Truth table of the threshold unit.
    """

    model: str = "network"
    data: str = "circle"
    noise: float = 0.0
    n_samples: int = 500
    train_share: float = 0.5
    data_seed: int = 0
    features: tuple[str, ...] = ("x1", "x2")
    inputs: tuple[str, ...] = ()
    target: str = ""
    layers: tuple[Layer, ...] = (Layer(4), Layer(2))
    solver: str = "adam"
    learning_rate: float = 0.03
    penalty: str = "none"
    penalty_rate: float = 0.0
    batch_size: int = 10
    seed: int = 0
    speed: int = 0
    early_stopping: bool = False
    gate: str = "and"


@dataclass(frozen=True)
class _Rule:
    """Rule for a value: a type, with limits or choices."""

    kind: type
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()

    def read(self, name: str, value: Json) -> Any:
        if not self._is_met(value):
            raise ValueError(f"{name} must be {self._describe()}; got {value!r}.")
        return self.kind(value)

    def _is_met(self, value: Json) -> bool:
        if self.kind is bool:
            return isinstance(value, bool)
        if self.kind is str:
            is_text = isinstance(value, str) and len(value) <= 200
            return is_text and (not self.choices or value in self.choices)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and (self.kind is float or value == int(value))

    def _describe(self) -> str:
        if self.choices:
            return f"one of {list(self.choices)}"
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "a text of at most 200 characters"
        return f"a{' whole' * (self.kind is int)} number from {self.low:g} to {self.high:g}"


_RULES: dict[str, _Rule] = {
    "model": _Rule(str, choices=MODELS),
    "data": _Rule(str, choices=(*SHAPES, "table")),
    "noise": _Rule(float, 0, 0.5),
    "n_samples": _Rule(int, 10, 2000),
    "train_share": _Rule(float, 0.1, 0.9),
    "data_seed": _Rule(int, 0, 2**31),
    "target": _Rule(str),
    "solver": _Rule(str, choices=SOLVERS),
    "learning_rate": _Rule(float, 1e-6, 100),
    "penalty": _Rule(str, choices=PENALTIES),
    "penalty_rate": _Rule(float, 0, 100),
    "batch_size": _Rule(int, 1, 2000),
    "seed": _Rule(int, 0, 2**31),
    "speed": _Rule(int, 0, 1000),
    "early_stopping": _Rule(bool),
    "gate": _Rule(str, choices=tuple(GATES)),
}
_LAYER_RULES = {
    "units": _Rule(int, 1, MAX_UNITS),
    "activation": _Rule(str, choices=TRAINABLE),
    "dropout": _Rule(float, 0, 0.9),
}
_MOST_NAMES = 20


def read_settings(given: Json) -> Settings:
    """Return the settings that a page sent.

    Parameters
    ----------
    given : dict
        Names and values, from JSON; what is left out has its default.

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        If a name is unknown or a value is outside its limits.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"Settings must be an object of names and values; got {given!r:.80}.")
    known = {each.name for each in fields(Settings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"There is no setting {unknown[0]!r}; there are {sorted(known)}.")
    values = {name: rule.read(name, given[name]) for name, rule in _RULES.items() if name in given}
    if "features" in given:
        rule = _Rule(str, choices=tuple(FEATURES))
        values["features"] = tuple(rule.read("features", x) for x in _get_items(given, "features"))
    if "inputs" in given:
        values["inputs"] = tuple(_Rule(str).read("inputs", x) for x in _get_items(given, "inputs"))
    if "layers" in given:
        values["layers"] = tuple(map(_read_layer, _get_items(given, "layers", MAX_LAYERS)))
    return Settings(**values)


def _get_items(given: Mapping[str, Json], name: str, most: int = _MOST_NAMES) -> list[Json]:
    items = given[name]
    if not isinstance(items, list) or len(items) > most:
        raise ValueError(f"{name} must be a list of at most {most} items; got {items!r:.80}.")
    return items


def _read_layer(given: Json) -> Layer:

    if not isinstance(given, Mapping) or set(given) - set(_LAYER_RULES):
        raise ValueError(f"A layer has {sorted(_LAYER_RULES)} and nothing else; got {given!r:.80}.")
    return Layer(**{name: _LAYER_RULES[name].read(name, value) for name, value in given.items()})
