"""Strings of letters to arrays of numbers, and back."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknn._saved import SavedState
from sknn._sklearn import (
    Interval,
    StrOptions,
    check_feature_names,
    fit_context,
    get_output_container,
)
from sknn._suggestions import explain_unknown_parameters, validate_params
from sknn.preprocessing.sequences._alphabet import (
    encoding_table,
    is_nucleic,
    known_codes,
    letters_of_sets,
    resolve_alphabet,
)
from sknn.preprocessing.sequences._bytes import (
    PAD,
    as_sequences,
    as_strings,
    lengths_of,
    sequence_bytes,
)
from sknn.preprocessing.sequences._unknown_letters import LetterCheck, warn_if_cut

#: bytes of output written at a time, so that the codes they come from are still in the cache
CHUNK_BYTES = 2**21


class DNAOneHotEncoder(SavedState, TransformerMixin, BaseEstimator):
    """Encode DNA, RNA or protein sequences as one number for each letter at each position.

    Takes strings in a list, an array, a Series or a data frame's single column, in upper or lower
    case, of equal lengths or not. A base is 1 in its own channel and 0 in the others, as in
    D'haeseleer's position matrices [1]_ of a single sequence. The meaning of a channel is fixed
    by the alphabet, never by the letters that happen to occur.

    Parameters
    ----------
    alphabet : str, default='ACGT'
        ``'dna'``, ``'rna'``, ``'protein'``, or the letters in the order of the channels.
    length : int, default=None
        Number of positions of an encoded sequence. None is that of the longest sequence in `fit`.
    padding : {'right', 'left'}, default='right'
        Side on which shorter sequences are filled up with positions of zeros.
    truncate : {'right', 'left'}, default='right'
        Side on which longer sequences are cut.
    unknown : {'zero', 'uniform', 'iupac', 'error'}, default='zero'
        Encoding of a letter outside the alphabet, such as N: zeros; the same share in each
        channel; or for DNA and RNA equal shares in the channels of those bases that the IUPAC
        code [2]_ stands for, such as 1/2 for A and for G where there is R, and zeros where there
        is no such code; or an error, as by ``handle_unknown='error'``. Of DNA and RNA, T and U
        are always taken for each other. Letters other than N, X and gaps are warned of.
    handle_unknown : {'ignore', 'error'}, default='ignore'
        Whether to raise an error for a letter that has no meaning: one outside the alphabet, and
        with ``unknown='iupac'`` outside IUPAC's codes too.
    flatten : bool, default=False
        Whether to return two axes, position by position, instead of three.
    dtype : dtype, default=numpy.float32
        Dtype of the encoded array; a type of floats where `unknown` needs fractions.

    Attributes
    ----------
    alphabet_ : str
        The letters in the order of the channels.
    length_ : int
        Number of positions of an encoded sequence.
    n_features_in_ : int
        Number of columns of X, which is 1.
    feature_names_in_ : ndarray of shape (1,)
        Name of the column, if X was a data frame.

    See Also
    --------
    reverse_complement : The other strand of sequences or encoded sequences.
    sklearn.preprocessing.OneHotEncoder : For categories in columns.

    Notes
    -----
    Strings are joined to one block of bytes, which a table turns into numbers: a million
    sequences of 100 bases take about a second. At its peak, that needs the result (1.6 GB of
    float32 for those) and two bytes for each letter.

    References
    ----------
    .. [1] P. D'haeseleer, "What are DNA sequence motifs?", Nature Biotechnology 24, 2006,
       doi:10.1038/nbt0406-423.
    .. [2] A. Cornish-Bowden, "Nomenclature for incompletely specified bases in nucleic acid
       sequences: recommendations 1984", Nucleic Acids Research 13, 1985,
       doi:10.1093/nar/13.9.3021.

    Examples
    --------
    >>> from sknn.preprocessing import DNAOneHotEncoder
    >>> encoder = DNAOneHotEncoder()
    >>> X = encoder.fit_transform(["ACG", "tn"])
    >>> X.shape
    (2, 3, 4)
    >>> X[1]
    array([[0., 0., 0., 1.],
           [0., 0., 0., 0.],
           [0., 0., 0., 0.]], dtype=float32)
    >>> encoder.inverse_transform(X)
    array(['ACG', 'T'], dtype='<U3')
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn has it
        "alphabet": [str],
        "length": [Interval(Integral, 1, None, closed="left"), None],
        "padding": [StrOptions({"right", "left"})],
        "truncate": [StrOptions({"right", "left"})],
        "unknown": [StrOptions({"zero", "uniform", "iupac", "error"})],
        "handle_unknown": [StrOptions({"ignore", "error"})],
        "flatten": ["boolean"],
        "dtype": "no_validation",  # NumPy says what is no dtype
    }

    @explain_unknown_parameters()
    def __init__(
        self,
        alphabet="ACGT",
        *,
        length=None,
        padding="right",
        truncate="right",
        unknown="zero",
        handle_unknown="ignore",
        flatten=False,
        dtype=np.float32,
    ):
        self.alphabet = alphabet
        self.length = length
        self.padding = padding
        self.truncate = truncate
        self.unknown = unknown
        self.handle_unknown = handle_unknown
        self.flatten = flatten
        self.dtype = dtype

    _validate_params = validate_params

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> "DNAOneHotEncoder":
        """Check the parameters and the sequences, and find the length of the longest one.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1)
            Sequences.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        ValueError
            If a parameter or a sequence is not as described, or most letters of X are not in the
            alphabet.

        Warns
        -----
        UserWarning
            If there are letters without a meaning, see `unknown`.
        """
        alphabet = resolve_alphabet(self.alphabet)
        if self.unknown == "iupac" and not is_nucleic(alphabet):
            raise ValueError(
                f"unknown='iupac' is for the alphabets of DNA and RNA; got {self.alphabet!r}. "
                "Use 'zero' or 'uniform'."
            )
        dtype = np.dtype(self.dtype)
        whole = self.unknown in ("zero", "error")  # else there are fractions
        if dtype.kind not in ("fiub" if whole else "f"):
            raise ValueError(
                f"dtype must be a type of floats{', integers or bool' if whole else ''} with "
                f"unknown={self.unknown!r}; got {self.dtype!r}."
            )
        check_feature_names(self, X, reset=True)
        codes = sequence_bytes(X)
        self.alphabet_ = alphabet
        self.n_features_in_ = 1
        self.length_ = codes.shape[1] if self.length is None else int(self.length)
        self._table = encoding_table(alphabet, self.unknown, dtype)
        self._letters = LetterCheck(alphabet, known_codes(alphabet, self.unknown))
        if not any(
            self._letters.known[row[row != PAD]].any() for row in codes
        ):  # ends at the first
            raise ValueError(
                f"No letter of X is in the alphabet {alphabet!r}; the first sequence begins with "
                f"{str(as_strings(codes[:1, :20])[0])!r}. Set alphabet to the letters of X."
            )
        if not self._refuses_unknown():
            self._letters.warn(codes)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Encode sequences.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,) or (n_samples, 1)
            Sequences. Positions beyond the first `length_` are cut off.

        Returns
        -------
        ndarray of shape (n_samples, length_, n_letters)
            Or of shape (n_samples, length_ * n_letters) with `flatten`.

        Raises
        ------
        ValueError
            If a sequence is empty or not a string, or ``handle_unknown='error'`` and it has a
            letter that has no meaning, or most letters have none; or a data frame is asked for an
            array with three axes.

        Warns
        -----
        UserWarning
            If sequences are longer than those in `fit` and `length` is None, or there are letters
            that mean nothing.
        """
        check_is_fitted(self)
        if not self.flatten and (container := get_output_container(self)) != "default":
            raise ValueError(
                f"A data frame has two axes (set_output asks for {container!r}). Set "
                "flatten=True, or set_output(transform='default')."
            )
        check_feature_names(self, X, reset=False)
        sequences = as_sequences(X)
        if self.length is None:
            warn_if_cut(lengths_of(sequences), self.length_, self.truncate)
        cuts_left = self.truncate == "left"
        codes = sequence_bytes(
            sequences, self.length_, pad_left=self.padding == "left", cut_left=cuts_left
        )
        if self._refuses_unknown():
            self._letters.refuse(codes, sequences, cuts_left)
        else:
            self._letters.warn(codes)
        n_samples, n_letters = len(codes), len(self.alphabet_)
        encoded = np.empty((n_samples, self.length_, n_letters), self._table.dtype)
        rows = max(1, CHUNK_BYTES // (encoded.itemsize * self.length_ * n_letters))
        for start in range(0, n_samples, rows):
            part = slice(start, start + rows)
            # A table of 256 lines: code 0, padding, and codes that mean nothing are zeros in it, so
            # that every byte is encoded by one look-up, without a branch.
            self._table.take(codes[part], axis=0, out=encoded[part], mode="clip")
        return encoded.reshape(n_samples, -1) if self.flatten else encoded

    def _refuses_unknown(self) -> bool:
        """Return whether a letter without a meaning is an error."""
        return "error" in (self.unknown, self.handle_unknown)

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Return encoded sequences as strings.

        Positions of zeros at the padded end are left out. Others, and letters for which there
        are several channels, become the IUPAC code of the bases with a share; for alphabets
        other than DNA's and RNA's ``'X'``, or ``'*'`` if X is a letter of the alphabet.

        Parameters
        ----------
        X : array-like of shape (n_samples, length_, n_letters) or \
                (n_samples, length_ * n_letters)
            Encoded sequences.

        Returns
        -------
        ndarray of str of shape (n_samples,)
            Sequences in upper case.

        Raises
        ------
        ValueError
            If X has another shape.
        """
        check_is_fitted(self)
        shape = (self.length_, len(self.alphabet_))
        X = np.asarray(X)
        if X.shape[1:] not in (shape, (shape[0] * shape[1],)):
            raise ValueError(
                f"Expected encoded sequences of shape (n_samples, {shape[0]}, {shape[1]}) or "
                f"(n_samples, {shape[0] * shape[1]}); got shape {X.shape}."
            )
        X = X.reshape(-1, *shape)
        rows = max(1, CHUNK_BYTES // (X.itemsize * shape[0] * shape[1]))
        parts = [self._write_strings(X[i : i + rows] > 0) for i in range(0, len(X), rows)]
        return np.concatenate(parts).astype(f"U{self.length_}", copy=False)

    def _write_strings(self, present: np.ndarray) -> np.ndarray:
        """Return strings for which letters are present: bool (n_samples, length_, n_letters)."""
        codes = self._choose_letters(present)
        empty = np.asarray(~present.any(axis=2))
        if self.padding == "right":
            # Zeros up to the padded end are padding; zeros before a letter are an unknown letter.
            at_end = np.logical_and.accumulate(empty[:, ::-1], axis=1)
            codes[at_end[:, ::-1]] = PAD
            return as_strings(codes)
        starts = np.logical_and.accumulate(empty, axis=1).sum(axis=1)
        return np.array(
            [row[start:].tobytes().decode() for row, start in zip(codes, starts, strict=True)]
        )

    def _choose_letters(self, present: np.ndarray) -> np.ndarray:
        """Return an ASCII code for each position of bool (n_samples, length_, n_letters)."""
        if is_nucleic(self.alphabet_):
            # Four channels as four bits: a number from 0 to 15 that says which bases there are.
            sets = np.packbits(present, axis=2, bitorder="little")[:, :, 0]
            return letters_of_sets(self.alphabet_)[sets]
        letters = np.frombuffer(self.alphabet_.encode(), np.uint8)
        unclear = ord("*" if "X" in self.alphabet_ else "X")
        single = present.sum(axis=2) == 1
        return np.where(single, letters[present.argmax(axis=2)], unclear).astype(np.uint8)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return names of the numbers, such as ``'x0_12_A'`` for A at position 12, counted from 0.

        Parameters
        ----------
        input_features : array-like of str of shape (1,), default=None
            Name of the column of sequences; None is that in `fit`, or ``'x0'``.

        Returns
        -------
        ndarray of str objects of shape (length_ * n_letters,)
            Names, in the order of the flattened array.

        Raises
        ------
        ValueError
            If `input_features` is not one name, or not the one in `fit`.
        """
        check_is_fitted(self)
        own = getattr(self, "feature_names_in_", None)
        names = np.asarray(["x0"] if own is None else own, dtype=object)
        if input_features is not None:
            names = np.asarray(input_features, dtype=object)
            if names.shape != (1,):
                raise ValueError(
                    "input_features should have length equal to number of features (1), the "
                    f"column of sequences; got {input_features!r}."
                )
            if own is not None and names[0] != own[0]:
                raise ValueError(
                    f"input_features is not equal to feature_names_in_: got {names[0]!r}, the "
                    f"column in fit was {own[0]!r}."
                )
        return np.array(
            [f"{names[0]}_{i}_{letter}" for i in range(self.length_) for letter in self.alphabet_],
            dtype=object,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # of numbers, which is what scikit-learn means
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags
