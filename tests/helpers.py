"""What tests of several parts need."""

import dataclasses
import itertools
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from pathlib import Path

import numpy as np
import pytest
from skorch.callbacks import Callback

import sknn
from sknn._old_names import TRANSLATIONS
from sknn.losses import ClassLoss, LossFunction, ValueLoss

ROOT = Path(__file__).parents[1]
#: parts of the package that users do not import; docs/architecture.md describes them
INTERNAL = {"architectures", "deep", "engine"}
PUBLIC_MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules(sknn.__path__)
    if not module.name.startswith("_") and module.name not in {*TRANSLATIONS, *INTERNAL}
)


def get_weights(model: object) -> list[np.ndarray]:
    """Return the arrays of weights of an estimator, or of a `TrainResult`, biases included."""
    if hasattr(model, "coefs_"):
        return [*model.coefs_, *model.intercepts_]
    return [p.detach().numpy() for p in model.net.module_.parameters()]


def has_same_weights(one: object, other: object) -> list[bool]:
    """Return for each array of weights whether two models have the same, bit for bit."""
    pairs = zip(get_weights(one), get_weights(other), strict=True)
    return [a.dtype == b.dtype and np.array_equal(a, b) for a, b in pairs]


def assert_same_weights(one: object, other: object, tolerance: float = 0.0) -> None:
    """Check the weights of two models: bit for bit, or up to a share of the largest of an array."""
    for mine, theirs in zip(get_weights(one), get_weights(other), strict=True):
        assert mine.dtype == theirs.dtype
        atol = tolerance * abs(theirs).max(initial=0.0)
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=atol)


def assert_same_units(one: object, other: object, tolerance: float = 1e-10) -> None:
    """Check the weights of two linear classifiers, up to an absolute difference."""
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=0, atol=tolerance)
    np.testing.assert_allclose(one.intercept_, other.intercept_, rtol=0, atol=tolerance)


class CtrlC:
    """Formulas of a loss, in which Ctrl-C is pressed once, after so many steps of training.

    Only steps ask for gradients. Copies of an estimator share the count, so that it is one count
    for all networks of a search.
    """

    def __init__(self, formulas: LossFunction, n_steps: int):
        self.formulas, self.n_steps_left = formulas, n_steps

    def compute(self, xp: object, z: object, y: object, **settings: object) -> object:
        return self.formulas.value(xp, z, y, **settings)

    def write_gradient(
        self, xp: object, z: object, y: object, out: object, **settings: object
    ) -> None:
        self.n_steps_left -= 1
        if self.n_steps_left == -1:
            raise KeyboardInterrupt
        self.formulas.gradient(xp, z, y, out, **settings)

    def __deepcopy__(self, memo: dict) -> "CtrlC":
        return self


def interrupt_after(n_steps: int, loss: ClassLoss | ValueLoss) -> ClassLoss | ValueLoss:
    """Return a loss that computes the same, and is Ctrl-C in the step after so many."""
    changes = {}
    for field in dataclasses.fields(loss):
        formulas = getattr(loss, field.name)
        if isinstance(formulas, LossFunction):
            pressed = CtrlC(formulas, n_steps)
            changes[field.name] = LossFunction(pressed.compute, pressed.write_gradient)
    return dataclasses.replace(loss, name="interrupted", **changes)


class Press(Callback):
    """Raises KeyboardInterrupt in one of its hooks, as Ctrl-C would."""

    def __init__(self, hook: str, at: int):
        self.hook, self.at = hook, at
        self.n_calls_ = 0

    def _count(self, hook: str) -> None:
        if hook == self.hook:
            self.n_calls_ += 1
            if self.n_calls_ == self.at:
                raise KeyboardInterrupt

    def on_epoch_begin(self, net: object, **kwargs: object) -> None:
        self._count("epoch")

    def on_batch_begin(self, net: object, training: bool, **kwargs: object) -> None:
        if training:
            self._count("before step")

    def on_grad_computed(self, net: object, **kwargs: object) -> None:
        self._count("within step")

    def on_batch_end(self, net: object, training: bool, **kwargs: object) -> None:
        if training:
            self._count("after step")


def in_pairs(**options: Iterable[object]) -> pytest.MarkDecorator:
    """Parametrize a test by the product of options, all but few cases of which are `full`.

    Those few hold each pair of values of two options, by which most faults show that one option
    alone does not show.
    """
    columns = [list(values) for values in options.values()]
    product = list(itertools.product(*(range(len(column)) for column in columns)))
    pairs = {case: set(itertools.combinations(enumerate(case), 2)) for case in product}
    missing, kept = set().union(*pairs.values()), set()
    while missing:  # the case that adds most, the first of equal ones
        best = max(product, key=lambda case: len(pairs[case] & missing))
        missing -= pairs[best]
        kept.add(best)
    cases = []
    for case in product:
        values = [column[i] for column, i in zip(columns, case, strict=True)]
        label = "-".join(getattr(value, "__name__", str(value)) for value in values)
        marks = [] if case in kept else [pytest.mark.full]
        cases.append(pytest.param(*values, id=label, marks=marks))
    return pytest.mark.parametrize(tuple(options), cases)


def damaged_copies(content: bytes, n_copies: int = 150) -> Iterator[bytes]:
    """Yield copies of a file that are cut short, or have bits or bytes changed."""
    rng = np.random.default_rng(0)
    for _ in range(n_copies):
        yield content[: rng.integers(len(content))]
        copy = bytearray(content)
        for place in rng.integers(len(content), size=rng.integers(1, 4)):
            copy[place] = copy[place] ^ (1 << rng.integers(8)) if rng.random() < 0.7 else 0xFF
        yield bytes(copy)


def load_tests_of_sklearn(dotted: str, swaps: dict[str, type]) -> dict[str, Callable]:
    """Return the tests of a module of scikit-learn's, imported with classes of ours for its own.

    `swaps` has dotted names of scikit-learn's classes, and ours. The names are swapped before the
    module is imported, and swapped back then.
    """
    spec = find_spec(dotted)
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name, ours in swaps.items():
            home, _, attribute = name.rpartition(".")
            patch.setattr(import_module(home), attribute, ours)
        spec.loader.exec_module(module)
    return {name: item for name, item in vars(module).items() if name.startswith("test_")}
