"""Sequences as estimators take them: strings, encoded arrays, or lines of numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sknn._saved import saved
from sknn._specs import Dtype, InputSpec
from sknn._validation import Sliceable
from sknn.exceptions import warn_user
from sknn.preprocessing.sequences._alphabet import COMPLEMENTS, resolve_alphabet
from sknn.preprocessing.sequences._bytes import as_sequences, is_text
from sknn.preprocessing.sequences._encoder import DNAOneHotEncoder

#: number of samples by which flattened one-hot sequences are told from other numbers
ROWS_LOOKED_AT = 100
#: columns from which on whole numbers from 0 to 3 may be letters
MIN_LETTERS = 8


@saved
@dataclass(frozen=True)
class SequenceFormat:
    """Format of sequences: their letters and their length.

    Attributes
    ----------
    alphabet : str or None, default='ACGT'
        Letters, see `DNAOneHotEncoder`; None without letters.
    length : int or None, default=None
        Number of positions; None is that of the longest string, or of the array.
    unknown, handle_unknown : str
        Treatment of unknown letters, see `DNAOneHotEncoder`.
    """

    alphabet: str | None = "ACGT"
    length: int | None = None
    unknown: str = "zero"
    handle_unknown: str = "ignore"


@saved
class SequenceInputs:
    """Encoder of sequences, as `TabularEncoder` is of tables: from a checked X to a flat array.

    X may be strings, an array of shape (n_samples, length, n_channels), or one of shape
    (n_samples, n_features): with a `length` in the layout those are such sequences, flattened
    position by position, and without one a number at each position, of one channel.

    Parameters
    ----------
    layout : SequenceFormat, default=SequenceFormat()
        Format of the sequences.
    dtype : {'float32', 'float64'}, default='float32'
        Dtype of the encoded array.

    Attributes
    ----------
    kind_ : {'strings', 'encoded', 'numbers'}
        Kind of X in `fit`.
    n_samples_ : int
        Number of sequences in `fit`.
    spec_ : InputSpec
        Length, channels and dtype.
    is_identity_ : bool
        True: nothing but the length is learned from the samples.
    """

    is_identity_ = True

    def __init__(self, layout: SequenceFormat | None = None, dtype: Dtype = "float32"):
        self.layout = SequenceFormat() if layout is None else layout
        self.dtype = dtype

    def fit(self, X: np.ndarray) -> "SequenceInputs":
        """Learn the kind and the shape of X.

        Parameters
        ----------
        X : ndarray of shape (n_samples,), (n_samples, n_features) or \
                (n_samples, length, n_channels)
            Strings, or numbers.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If X does not agree with the layout.
        """
        if X.ndim == 1:
            self.kind_, (length, n_channels) = "strings", self._fit_letters(X)
        elif X.ndim == 3:
            self.kind_, (length, n_channels) = "encoded", self._shape_of_encoded(X)
        elif self.layout.length is not None:
            shape = self._shape_of_flat(X, self.layout.length)
            self.kind_, (length, n_channels) = "encoded", shape
        else:
            self.kind_, (length, n_channels) = "numbers", (X.shape[1], 1)
            self._warn_if_letters(X)
        self.n_samples_ = len(X)
        self.spec_ = InputSpec("sequence", n_channels, self.dtype, length=length)
        return self

    def check_same_kind(self, is_strings: bool) -> None:
        """Raise ValueError if X is strings now and was numbers in `fit`, or the other way round."""
        if is_strings != (self.kind_ == "strings"):
            were, are = ("numbers", "strings") if is_strings else ("strings", "numbers")
            raise ValueError(
                f"X holds {are} now, but held {were} in fit. Give sequences in the form in which "
                "the estimator was fitted, or refit it."
            )

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Return sequences as flat arrays, position by position.

        Parameters
        ----------
        X : ndarray
            Sequences, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, length * n_channels)

        Raises
        ------
        ValueError
            If X has another shape than in `fit`, or a string has no letters or wrong ones.
        """
        if X.ndim == 1:
            return self._letters.transform(X)
        length, n_channels = self.spec_.n_positions, self.spec_.n_numeric
        if X.shape[1:] not in ((length, n_channels), (length * n_channels,)):
            raise ValueError(
                f"Expected sequences of {length} positions with {n_channels} numbers each, "
                f"as in fit; got an array of shape {X.shape}."
            )
        return np.ascontiguousarray(X, dtype=self.dtype).reshape(len(X), -1)

    def as_positions(self, X: np.ndarray) -> np.ndarray:
        """Return encoded samples with an axis of positions and one of channels."""
        return X.reshape(len(X), self.spec_.n_positions, self.spec_.n_numeric)

    @property
    def letters_(self) -> str | None:
        """The letters of the channels, None where X has no letters."""
        alphabet = self.layout.alphabet
        if self.kind_ == "numbers" or alphabet is None:
            return None
        return resolve_alphabet(alphabet)

    @property
    def is_dna_(self) -> bool:
        """Whether the letters are those of DNA; RNA has one strand unless a parameter says so."""
        return self.has_other_strand_ and "T" in (self.letters_ or "")

    @property
    def has_other_strand_(self) -> bool:
        """Whether channels in the opposite order are those of the complementary letters."""
        letters = self.letters_
        if letters is None or len(letters) != 4:
            return False
        turned = letters.encode().translate(COMPLEMENTS).decode()[::-1]
        return turned.replace("T", "U") == letters.replace("T", "U")

    def _fit_letters(self, X: np.ndarray) -> tuple[int, int]:
        if self.layout.alphabet is None:
            raise ValueError(
                "X holds strings, but alphabet is None. Set alphabet to their letters, as 'ACGT'."
            )
        encoder = DNAOneHotEncoder(
            self.layout.alphabet,
            length=self.layout.length,
            unknown=self.layout.unknown,
            handle_unknown=self.layout.handle_unknown,
            flatten=True,
            dtype=np.dtype(self.dtype),
        )
        # An array, whatever scikit-learn's configuration asks transformers for.
        self._letters = encoder.set_output(transform="default").fit(X)
        return self._letters.length_, len(self._letters.alphabet_)

    def _shape_of_encoded(self, X: np.ndarray) -> tuple[int, int]:
        length, n_channels = X.shape[1:]
        if self.layout.length not in (None, length):
            raise ValueError(
                f"length={self.layout.length}, but X has shape {X.shape}, which is sequences of "
                f"{length} positions. Leave length out, or cut X."
            )
        self._check_depth(X, n_channels)
        return length, n_channels

    def _shape_of_flat(self, X: np.ndarray, length: int) -> tuple[int, int]:
        n_features = X.shape[1]
        n_channels, left = divmod(n_features, length)
        if left:
            raise ValueError(
                f"X has {n_features} columns, which is no multiple of length={length}. Flattened "
                "sequences have length * n_channels columns."
            )
        self._check_depth(X, n_channels)
        return length, n_channels

    def _check_depth(self, X: np.ndarray, n_channels: int) -> None:
        alphabet = self.layout.alphabet
        if alphabet is None or n_channels == len(resolve_alphabet(alphabet)):
            return
        n_letters = len(resolve_alphabet(alphabet))
        raise ValueError(
            f"Expected encoded sequences of depth {n_letters}, a number for each letter of "
            f"alphabet={alphabet!r}, of shape (n_samples, length, {n_letters}) or (n_samples, "
            f"length * {n_letters}); got depth {n_channels} from an array of shape {X.shape}. "
            "Move the channels to the last axis, or set alphabet=None for other channels."
        )

    def _warn_if_letters(self, X: np.ndarray) -> None:
        """Warn of letters that lost their form: as a line of numbers they are hard to learn from.

        Shape of X: (n_samples, n_features).
        """
        if self.layout.alphabet is None:
            return
        head, n_letters = X[:ROWS_LOOKED_AT], len(resolve_alphabet(self.layout.alphabet))
        if is_flat_one_hot(head, n_letters):
            length = X.shape[1] // n_letters
            warn_user(
                "X looks like flattened one-hot sequences, but is read as one number at each of "
                f"{X.shape[1]} positions. Set length={length}, or give an array of shape "
                f"(n_samples, {length}, {n_letters}).",
            )
        elif is_letter_numbers(head, n_letters):
            warn_user(
                f"X looks like numbers of letters, 0 to {n_letters - 1}, but is read as one number "
                f"at each of {X.shape[1]} positions. Give strings, or one-hot letters such as "
                f"numpy.eye({n_letters})[X], or set alphabet=None if these are measurements.",
            )


def is_flat_one_hot(head: np.ndarray, n_letters: int) -> bool:
    """Return whether numbers of shape (n_samples, n_features) are most likely one-hot letters."""
    if head.shape[1] % n_letters or head.shape[1] < 4 * n_letters:
        return False
    hot = head.reshape(len(head), -1, n_letters)
    return bool(((head == 0) | (head == 1)).all() and (hot.sum(axis=2) == 1).mean() > 0.5)


def is_letter_numbers(head: np.ndarray, n_letters: int) -> bool:
    """Return whether numbers of shape (n_samples, n_features) are most likely those of letters.

    They are whole, from 0 to the number of letters (which then is N), and nearly all occur.
    """
    if head.shape[1] < MIN_LETTERS:
        return False
    values = np.unique(head)
    in_range = values[0] >= 0 and values[-1] <= n_letters
    return bool(
        in_range and len(values) >= n_letters - 1 > 1 and (values == np.floor(values)).all()
    )


def strings_in(X: ArrayLike) -> np.ndarray | None:
    """Return the sequences as an array of one axis if X holds strings, None if it does not.

    Parameters
    ----------
    X : object
        Input of a user.

    Returns
    -------
    ndarray of str or object of shape (n_samples,), or None

    Raises
    ------
    ValueError
        If X is a single string, or has several columns of which one holds strings.
    """
    if not hasattr(X, "shape") and hasattr(X, "__array__"):  # a column of pyarrow
        X = np.asarray(X)
    if not holds_strings(X):
        return None
    sequences = as_sequences(X)
    if isinstance(sequences, list):
        array = np.empty(len(sequences), dtype=object)
        array[:] = [getattr(s, "seq", s) if is_text(s) else s for s in sequences]
        return array
    return sequences


def holds_strings(X: ArrayLike) -> bool:
    """Return whether X is sequences of letters, or text that `as_sequences` has words for."""
    if isinstance(X, str | bytes):  # NumPy's strings have a shape
        return True
    shape = getattr(X, "shape", None)
    if shape is None:
        if isinstance(X, list | tuple):
            return any(is_text(s) or _begins_with_text(s) for s in X)
        return is_text(X)
    if len(shape) not in (1, 2) or 0 in shape or not hasattr(X, "__array__"):
        return False
    kind = getattr(getattr(X, "dtype", None), "kind", None)
    if isinstance(kind, str) and kind in "biufcmMSUT":
        return kind in "SUT"
    is_wide = len(shape) == 2 and shape[1] > 1  # its beginning says enough
    values = np.asarray(X[:ROWS_LOOKED_AT] if is_wide and isinstance(X, Sliceable) else X)
    if values.dtype.kind != "O":
        return values.dtype.kind in "SUT"
    return any(map(is_text, values.ravel()))


def _begins_with_text(values: object) -> bool:
    """Return whether a list's first entry is a letter or a text, not a number."""
    return isinstance(values, list | tuple) and len(values) > 0 and is_text(values[0])
