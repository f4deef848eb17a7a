"""Cross-validation that keeps like sequences on one side: by chromosome, or by their k-mers."""

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from sknn._saved import saved
from sknn._validation import NamedColumns, RandomStateLike
from sknn.preprocessing import PAD, sequence_bytes

#: bases of the k-mers by which sequences are compared
KMER = 12
#: smallest hashes of a sequence's k-mers, by which candidates are found
SKETCH = 16
#: sequences of a bucket that each further one is compared with
PER_BUCKET = 8


@saved
class ChromosomeSplit:
    """Cross-validation in which no chromosome is on both sides.

    Neighbouring regions of a genome overlap and have a common history, so that a network that was
    trained on one knows something of the other.

    Parameters
    ----------
    folds : int or sequence of sequence of str, default=5
        Number of folds of about equal size, to which whole chromosomes are given, the largest
        first; or the chromosomes of each test set, such as ``[["chr8", "chr9"]]`` for one split.

    Examples
    --------
    >>> from sknn.genomics import ChromosomeSplit
    >>> chroms = ["chr1", "chr1", "chr2", "chr3"]
    >>> [test.tolist() for _, test in ChromosomeSplit(2).split(chroms, groups=chroms)]
    [[0, 1], [2, 3]]
    """

    def __init__(self, folds: int | Sequence[Sequence[str]] = 5):
        self.folds = folds

    def get_n_splits(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        int
        """
        return self.folds if isinstance(self.folds, int) else len(self._list_folds())

    def split(
        self,
        X: ArrayLike | NamedColumns,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the numbers of training and test samples of each fold.

        Parameters
        ----------
        X : data frame or array-like of n_samples
            Its column ``'chrom'`` is read where `groups` is None.
        y : array-like of shape (n_samples,), default=None
            Ignored.
        groups : array-like of str of shape (n_samples,), default=None
            Chromosomes.

        Yields
        ------
        train, test : ndarray of int
            Sample numbers.

        Raises
        ------
        ValueError
            If there are no chromosomes, too few of them, a named one has no sample, or `folds` is
            a text or a list of texts.
        """
        if groups is None:
            if not isinstance(X, NamedColumns) or "chrom" not in list(X.columns):
                raise ValueError(
                    "ChromosomeSplit needs the chromosomes: as groups, or as the column 'chrom' "
                    "of a data frame."
                )
            groups = X["chrom"]
        chroms = np.array([str(name) for name in np.asarray(groups, dtype=object)])
        for names in self._choose_folds(chroms):
            is_test = np.isin(chroms, names)
            yield np.flatnonzero(~is_test), np.flatnonzero(is_test)

    def _list_folds(self) -> list[list[str]]:
        """Return the chromosomes of each test set, where `folds` names them."""
        folds = cast("Sequence[Sequence[str]]", self.folds)
        if isinstance(folds, str) or any(isinstance(names, str) for names in folds):
            names = [folds] if isinstance(folds, str) else list(folds)
            raise ValueError(
                "folds must be a number, or a list with a list of chromosomes for each test set; "
                f"got {folds!r}. Write [{names!r}] for one test set."
            )
        return [list(map(str, names)) for names in folds]

    def _choose_folds(self, chroms: np.ndarray) -> list[list[str]]:
        """Return the chromosomes of each test set."""
        present, counts = np.unique(chroms, return_counts=True)
        if not isinstance(self.folds, int):
            folds = self._list_folds()
            absent = [name for names in folds for name in names if name not in present]
            if absent:
                raise ValueError(
                    f"No sample is of {absent}, which folds names; there are {present.tolist()}."
                )
            return folds
        if not 2 <= self.folds <= len(present):
            raise ValueError(
                f"folds={self.folds} must be at least 2 and at most the number of chromosomes, "
                f"{len(present)}: {present.tolist()[:10]}."
            )
        folds, sizes = [[] for _ in range(self.folds)], np.zeros(self.folds, int)
        for i in np.argsort(-counts, kind="stable"):  # the largest to the smallest fold so far
            smallest = int(sizes.argmin())
            folds[smallest].append(str(present[i]))
            sizes[smallest] += counts[i]
        return folds


@saved
class SimilarSequencesSplit:
    """Cross-validation that keeps near-duplicates and reverse complements on one side.

    A network that reads both strands has seen the test sequence where its reverse complement is
    among the training sequences: a random split of such copies is always solved.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds.
    min_similarity : float, default=0.5
        Smallest similarity of a group, see `group_similar_sequences`.
    shuffle : bool, default=False
        Whether groups are put into random order before they are divided.
    random_state : int, RandomState instance or None, default=None
        Source of the order.

    Examples
    --------
    >>> from sknn.datasets import make_motif_sequences
    >>> from sknn.genomics import SimilarSequencesSplit
    >>> from sknn.preprocessing import reverse_complement
    >>> X, y, _ = make_motif_sequences(100, random_state=0)
    >>> X, y = [*X, *reverse_complement(X)], [*y, *y]
    >>> train, test = next(SimilarSequencesSplit().split(X, y))
    >>> set(train % 100) & set(test % 100)
    set()
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        min_similarity: float = 0.5,
        shuffle: bool = False,
        random_state: RandomStateLike = None,
    ):
        self.n_splits = n_splits
        self.min_similarity = min_similarity
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        int
        """
        return self.n_splits

    def split(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the numbers of training and test samples of each fold.

        Parameters
        ----------
        X : array-like of str of shape (n_samples,)
            Sequences.
        y : array-like of shape (n_samples,), default=None
            Labels, whose shares are kept equal in all folds; numbers are ignored.
        groups : object
            Ignored.

        Yields
        ------
        train, test : ndarray of int
            Sample numbers.

        Raises
        ------
        ValueError
            If there are fewer groups than folds.
        """
        own = group_similar_sequences(X, self.min_similarity)
        n_groups = len(np.unique(own))
        if n_groups < self.n_splits:
            raise ValueError(
                f"The sequences are {n_groups} groups of similar ones, fewer than n_splits="
                f"{self.n_splits}. Raise min_similarity, or lower n_splits."
            )
        is_labels = y is not None and len(np.unique(np.asarray(y))) <= max(2, len(own) // 20)
        options = {"shuffle": self.shuffle, "random_state": self.random_state}
        if not self.shuffle:
            options = {}
        folds = (StratifiedGroupKFold if is_labels else GroupKFold)(self.n_splits, **options)
        yield from folds.split(np.zeros(len(own)), y if is_labels else None, own)


def group_similar_sequences(X: ArrayLike, min_similarity: float = 0.5) -> np.ndarray:
    """Return a group number for each sequence, the same for those that are alike.

    Two are alike if they have a share of their k-mers of 12 letters in common (Jaccard's index
    [1]_), a k-mer and its reverse complement being one; and so are those that a chain of such
    pairs leads to. Pairs to compare are found by the smallest hashes of their k-mers [2]_, so that
    the work grows with the number of sequences, not with its square. Two windows of a genome that
    overlap by three quarters have an index of about 0.6.

    Parameters
    ----------
    X : array-like of str of shape (n_samples,)
        DNA or RNA; or proteins, which are compared on one strand.
    min_similarity : float, default=0.5
        Smallest index, in (0, 1].

    Returns
    -------
    ndarray of int of shape (n_samples,)
        Group numbers, for ``GroupKFold`` and similar splitters.

    Raises
    ------
    ValueError
        If `min_similarity` is out of range.

    References
    ----------
    .. [1] P. Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11,
       1912, doi:10.1111/j.1469-8137.1912.tb05611.x.
    .. [2] A. Z. Broder, "On the resemblance and containment of documents", SEQUENCES 1997,
       doi:10.1109/SEQUEN.1997.666900.

    Examples
    --------
    >>> from sknn.genomics import group_similar_sequences
    >>> group_similar_sequences(["ACGTTGCAAGGTC", "GACCTTGCAACGT", "TTTTTTTTTTTTTT"]).tolist()
    [0, 0, 1]
    """
    if not 0 < min_similarity <= 1:
        raise ValueError(f"min_similarity must be in (0, 1]; got {min_similarity!r}.")
    kmers = [np.unique(row[row != 0]) for row in hash_kmers(sequence_bytes(X))]
    pairs = find_pairs(kmers, min_similarity)
    shape = (len(kmers), len(kmers))
    linked = coo_matrix((np.ones(len(pairs)), tuple(np.array(pairs).reshape(-1, 2).T)), shape)
    return connected_components(linked, directed=False)[1]


def hash_kmers(codes: np.ndarray) -> np.ndarray:
    """Return a hash for each k-mer of ASCII codes (n_samples, length), 0 where there is padding.

    It is the smaller one of the hashes of the k-mer and of its reverse complement. Of sequences
    shorter than a k-mer the whole is hashed.
    """
    width = min(KMER, int((codes != PAD).sum(axis=1).min()))
    # A k-mer x_1 ... x_k has the polynomial hash Σ x_i f^(k - i) modulo 2⁶⁴, which Horner's scheme
    # computes for all windows at once. The reverse complement's is that of the complements read
    # backwards. Bases are numbers whose complement is 5 less it; U is T.
    letters = np.zeros(256, np.uint64)
    letters[:] = np.arange(256, dtype=np.uint64) + np.uint64(5)
    letters[[ord(base) for base in "ACGTU"]] = [1, 2, 3, 4, 4]
    other = letters.copy()
    other[[ord(base) for base in "ACGTU"]] = [4, 3, 2, 1, 1]
    n_windows = codes.shape[1] - width + 1
    forward, backward = np.zeros((2, len(codes), n_windows), np.uint64)
    factor = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing
    for i in range(width):
        forward = forward * factor + letters[codes[:, i : i + n_windows]]
        j = width - 1 - i
        backward = backward * factor + other[codes[:, j : j + n_windows]]
    # The smaller of both hashes is that of both strands; padding inside the window makes it 0.
    smaller = np.minimum(mix_bits(forward), mix_bits(backward))
    smaller[codes[:, width - 1 :] == PAD] = 0
    return smaller


def mix_bits(numbers: np.ndarray) -> np.ndarray:
    """Return uint64 scrambled one to one (Vigna's SplitMix64): the smallest are a random sample."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (numbers ^ (numbers >> np.uint64(31))) | np.uint64(1)  # 0 stands for padding


def find_pairs(kmers: list[np.ndarray], min_similarity: float) -> list[tuple[int, int]]:
    """Return pairs of samples with enough k-mers in common."""
    # Samples meet in the buckets of their smallest hashes; in a bucket each is compared with the
    # first few that it is not yet linked to.
    pairs, tried = [], set()
    buckets: dict[int, list[int]] = {}
    for i, own in enumerate(kmers):
        for number in own[:SKETCH].tolist():
            # The smallest of all hashes of two sets is the same with the probability |A ∩ B| / |A ∪
            # B|, their index (min-wise hashing): with 16 smallest ones two that are alike share a
            # bucket almost surely, and most that are not share none.
            members = buckets.setdefault(number, [])
            for j in members[:PER_BUCKET]:
                if (j, i) in tried:
                    continue
                tried.add((j, i))
                # |A ∩ B| >= s |A ∪ B| with |A ∪ B| = |A| + |B| - |A ∩ B|.
                common = len(np.intersect1d(own, kmers[j], assume_unique=True))
                if common >= min_similarity * (len(own) + len(kmers[j]) - common):
                    pairs.append((j, i))
            members.append(i)
    return pairs
