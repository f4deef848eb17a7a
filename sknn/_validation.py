"""Checks of fit arguments, and the care for an estimator whose fit fails, that all levels share."""

import numbers
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeAlias, TypeGuard, TypeVar, cast, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from sknn._refusals import explain_refusal, find_fault, find_wrong_container, show
from sknn._sklearn import check_sample_weight

#: what users give as X
MatrixLike: TypeAlias = ArrayLike | sparse.sparray | sparse.spmatrix
Matrix = TypeVar("Matrix")
#: bytes of X from which samples are looked up in it rather than copied out of it
LARGE_BYTES = 2**28
#: what users give as random_state
RandomStateLike: TypeAlias = int | np.random.RandomState | None


@runtime_checkable
class NamedColumns(Protocol):
    """A data frame of any library, as far as its columns are read by name."""

    @property
    def columns(self) -> Iterable[Hashable]:
        """Names of the columns."""

    def __getitem__(self, name: Hashable, /) -> ArrayLike:
        """Return the cells of a column."""


@runtime_checkable
class Sliceable(Protocol):
    """Samples of which a slice can be taken."""

    def __getitem__(self, samples: slice, /) -> ArrayLike:
        """Return some samples."""


class _NoSeed(np.random.SeedSequence):
    """Stands for the seed of a generator whose state is to be overwritten."""

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint32) -> np.ndarray:
        """Return zeros."""
        # A list takes a twentieth of the time of an array, of which NumPy takes word by word.
        return cast("np.ndarray", [0] * n_words)

    def __reduce__(self) -> tuple:
        """Let copies and pickles of a generator hold a seed of NumPy."""
        return np.random.SeedSequence, (0,)


_NO_SEED = _NoSeed(0)


def make_local_random_state(random_state: RandomStateLike) -> np.random.RandomState:
    """Return a generator that is never NumPy's global one, which None means in scikit-learn."""
    if random_state is None:
        return np.random.RandomState()
    if not isinstance(random_state, int | np.integer):
        return check_random_state(random_state)
    made = np.random.RandomState(np.random.MT19937(_NO_SEED))
    made.seed(random_state)  # as RandomState(seed) does once it has drawn another one
    return made


def copy_random_state(random_state: np.random.RandomState) -> np.random.RandomState:
    """Return a generator, which was made of an int, in a tenth of the time of `copy.deepcopy`."""
    copied = np.random.RandomState(np.random.MT19937(_NO_SEED))
    state = random_state.get_state(legacy=False)
    # Here, too, NumPy takes word by word.
    state["state"]["key"] = state["state"]["key"].tolist()
    copied.set_state(state)
    return copied


def draw_seed(random_state: np.random.RandomState) -> int:
    """Return a seed for another generator."""
    return int(random_state.randint(np.iinfo(np.int32).max))


def is_above_zero(gains: np.ndarray, n_errors: float) -> bool:
    """Return whether the sum of gains (n_samples,) is `n_errors` standard errors above 0."""
    # Of a sum of independent numbers of mean 0 the variance is the sum of their squares' means.
    return bool(gains.sum() > n_errors * np.sqrt(np.square(gains).sum()))


def is_costly_to_copy(X: object) -> bool:
    """Return whether X holds numbers in a file, or so many that a copy would be felt."""
    if not isinstance(X, np.ndarray) or X.dtype.kind != "f":
        return False
    base: object = X
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return X.nbytes >= LARGE_BYTES


@contextmanager
def restore_on_error(estimator: object) -> Iterator[None]:
    """Give an estimator back all its attributes if the block ends in an error or Ctrl-C.

    The attributes of before are kept and not copied: replace by a copy what changes in place.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def check_weights(
    sample_weight: ArrayLike | None, X: MatrixLike, dtype: DTypeLike = np.float64
) -> np.ndarray | None:
    """Return sample weights of shape (n_samples,) for X, non-negative and not all 0, or None.

    `dtype` is that of the result, unless they are float32 already; a number counts for all.
    """
    if sample_weight is None:
        return None
    fault = find_wrong_container(sample_weight, "sample_weight")
    if fault is not None:
        raise fault
    with explain_refusal(sample_weight, "sample_weight"):
        if (given := np.asarray(sample_weight)).dtype.kind in "mM":
            # NumPy would count nanoseconds; there is a fault in such an array.
            raise cast("Exception", find_fault(given, "sample_weight"))
        weights = check_sample_weight(sample_weight, X, dtype=dtype, ensure_non_negative=True)
    if not np.any(weights):  # scikit-learn says so itself from 1.9 on
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def check_class_weights(weights: np.ndarray, class_weight: object) -> None:
    """Raise ValueError unless all weights that `class_weight` gives are finite and not negative."""
    if not np.all(np.isfinite(weights) & (weights >= 0)):
        raise ValueError(f"class_weight must hold weights >= 0 and finite, got {class_weight!r}.")


def check_container(X: object) -> None:
    """Raise TypeError for an X that holds no samples, or that can be read only once."""
    fault = find_wrong_container(X, "X")
    if fault is not None:
        raise fault


def read_array_like(X: MatrixLike) -> MatrixLike:
    """Return X as an array where it says by ``__array__`` alone what it holds, else as it is."""
    # scikit-learn counts the columns of X as it was given, and finds none where samples come one by
    # one, such as from a data set of torch.
    known = isinstance(X, np.ndarray) or sparse.issparse(X)
    is_frame = hasattr(X, "columns") or hasattr(X, "iloc")
    return X if known or is_frame or not hasattr(X, "__array__") else np.asarray(X)


def sort_classes(classes: ArrayLike) -> np.ndarray:
    """Return the classes that ``partial_fit`` is given, sorted, each once, of shape (n_classes,).

    >>> sort_classes(["yes", "no", "no"]).tolist()
    ['no', 'yes']
    """
    try:
        labels = np.asarray(classes)
        found = np.unique(labels)
    except Exception as error:  # libraries raise errors of many kinds
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(
            "classes must be an array-like of shape (n_classes,) of labels that are all text or "
            f"all numbers; got {type(classes).__name__}, which cannot be put in order ({reason}). "
            "Give np.unique(y) of all of y."
        ) from error
    is_mixed = labels.dtype.kind == "U" and isinstance(classes, (list, tuple))
    is_mixed = is_mixed and not all(
        isinstance(label, str) for label in cast("Sequence[object]", classes)
    )
    if labels.ndim != 1 or labels.size == 0 or labels.dtype.kind in "mMcV" or is_mixed:
        raise ValueError(
            "classes must be an array-like of shape (n_classes,) of labels that are all text or "
            f"all numbers; got {classes!r:.60} of shape {labels.shape}. Give np.unique(y) of all "
            "of y."
        )
    return found


def to_dense(values: MatrixLike) -> np.ndarray:
    """Return an array with the zeros that a sparse matrix leaves out."""
    if sparse.issparse(values):
        return cast("sparse.csr_matrix", values).toarray()
    return np.asarray(values)


def sum_duplicates(X: Matrix) -> Matrix:
    """Return X; of a CSR matrix that names a place twice a copy with the sums of such entries."""
    # Squares of entries, as a variance needs them, are not those of the numbers that they sum to.
    if not sparse.issparse(X) or cast("sparse.csr_matrix", X).has_canonical_format:
        return X
    copied = cast("sparse.csr_matrix", X).copy()
    copied.sum_duplicates()
    return cast("Matrix", copied)


def is_clean_array(X: MatrixLike, n_features: int | None = None) -> TypeGuard[np.ndarray]:
    """Return whether X is an array of finite numbers of that width, or of any, at little cost."""
    # ``validate_data`` takes as long as a small network; it has to look where this is False.
    if type(X) is not np.ndarray or X.dtype.kind not in "fiu" or X.ndim != 2:
        return False
    if 0 in X.shape or (n_features is not None and X.shape[1] != n_features):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(X.sum()))  # not so if an entry is not, or the sum overflows


def note_width(estimator: BaseEstimator, X: np.ndarray) -> None:
    """Note in `fit` how wide an X without names is, as ``validate_data`` does."""
    vars(estimator).pop("feature_names_in_", None)  # of an earlier fit
    estimator.n_features_in_ = X.shape[1]


def check_layer_sizes(hidden_layer_sizes: int | Sequence[int] | np.ndarray) -> tuple[int, ...]:
    """Return the numbers of hidden units as a tuple of int above 0; one int is one layer."""
    try:
        sizes = list(cast("Sequence[int]", hidden_layer_sizes))
    except TypeError:  # a single number
        sizes = [cast("int", hidden_layer_sizes)]
    for n in sizes:
        if not isinstance(n, numbers.Integral) or isinstance(n, bool):
            raise ValueError(
                f"hidden_layer_sizes must be whole numbers, one for each hidden layer; got "
                f"{show(n)} in {show(hidden_layer_sizes)}."
            )
    if min(sizes, default=1) <= 0:
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return tuple(map(int, sizes))


def check_layers_say_all(model: BaseEstimator, purpose: str) -> None:
    """Check that weights, biases and activations are all that a network computes with.

    Parameters
    ----------
    model : object
        Fitted model with ``coefs_``.
    purpose : str
        Subject of the message: the operation that needs the network.

    Raises
    ------
    ValueError
        If it has normalization, residual connections, embeddings, a user-defined module, or
        layers of another kind.
    """
    reasons = {
        f"normalization={getattr(model, 'normalization', None)!r}": "normalization",
        "residual=True": "residual",
        "a module of its own": "module",
    }
    found = [words for words, name in reasons.items() if getattr(model, name, None)]
    if getattr(getattr(model, "_inputs", None), "cardinalities", ()):
        found.append("embeddings of categories")
    if not found:
        found = [f"a layer {kind!r}" for kind in _find_further_kinds(model)]
    if found:
        raise ValueError(
            f"{purpose} needs a network of weights, biases and activations alone; "
            f"{type(model).__name__} has {' and '.join(found)}. Look at its summary() and module_, "
            "or fit it without."
        )


def _find_further_kinds(model: BaseEstimator) -> list[str]:
    """Return the kinds of layers that are neither linear nor at work in training alone."""
    layers = model.summary().layers if hasattr(model, "summary") else ()
    known = ("Linear", "Dropout")
    kinds = [x.kind for x in layers if x.kind not in known and x.activation != x.kind]
    return list(dict.fromkeys(kinds))


def rescale_weights(weights: np.ndarray) -> np.ndarray:
    """Return sample weights (n_samples,) whose sums and quotients a network's precision can hold.

    A weight below 1e-30 times the largest becomes 0.
    """
    # A batch of samples of such weights alone would be a step of its own with an infinite share:
    # its gradient is divided by a sum that is 0 in float32.
    largest = weights.max()
    if not 1e-15 <= largest <= 1e15:  # a power of two changes no digit
        weights = np.ldexp(weights.astype(np.float64), -int(np.frexp(largest)[1]))
        largest = weights.max()
    is_lost = (weights > 0) & (weights < 1e-30 * largest)
    return np.where(is_lost, 0.0, weights).astype(weights.dtype) if is_lost.any() else weights
