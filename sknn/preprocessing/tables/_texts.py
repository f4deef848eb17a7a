"""Columns of text that is no category, as a few numbers: tf-idf of words, then a truncated SVD."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from sknn._saved import saved
from sknn.exceptions import warn_user
from sknn.preprocessing.tables._columns import Column

#: text that differs in more than half of so many samples at least is no category
FEWEST_SAMPLES = 50
#: text of so many words on average is none either, where it has more levels than `FEWEST_LEVELS`
LONG, FEWEST_LEVELS = 5, 9
#: maximum number of words, of columns that are made of them, and of samples to learn from
MAX_WORDS, N_COMPONENTS, MAX_SAMPLES = 4096, 30, 50_000
#: numbers and dates as text, and the share of the levels of numbers that may be something else
NUMBER = re.compile(r"\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*")
DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([ T]\d.*)?\s*")
NOT_NUMBERS = 0.1


@saved
@dataclass(frozen=True)
class TextColumn:
    """Encoding of a column of text.

    Attributes
    ----------
    label : str or int
        Name, or position in an array, for messages.
    vectorizer : TfidfVectorizer or None
        Weights of words; None where fewer than two words were there twice.
    svd : TruncatedSVD or None
        Projection to the directions in which samples differ most.
    factor : float
        Factor that makes the variance of the outputs 1 on average.
    """

    label: str | int
    vectorizer: TfidfVectorizer | None
    svd: TruncatedSVD | None
    factor: float

    kind = "text"

    @property
    def n_outputs(self) -> int:
        """Number of columns that `encode` gives."""
        return 0 if self.svd is None else self.svd.n_components

    @property
    def is_scaled(self) -> np.ndarray:
        """Whether outputs are scaled: none is, because directions of little variance are noise."""
        return np.zeros(self.n_outputs, dtype=bool)

    def make_names(self, feature: str) -> list[str]:
        """Return names for the columns that `encode` gives."""
        return [f"{feature}_{i}" for i in range(self.n_outputs)]

    def encode(self, column: Column) -> list[np.ndarray]:
        """Return arrays of shape (n_samples,), float64 with NaN where the text is missing.

        Raises
        ------
        ValueError
            If the column holds something else than text.
        """
        codes, texts = _read_texts(column, f"Column {self.label!r} was text in fit and is")
        if self.svd is None or self.vectorizer is None:
            return []
        values = np.full((len(texts) + 1, self.n_outputs), np.nan)  # code -1 reads the last one
        if texts:
            values[:-1] = self.svd.transform(self.vectorizer.transform(texts)) * self.factor
        return list(values[codes].T)


def fit_text_column(column: Column, kept: np.ndarray | None) -> TextColumn:
    """Learn words and directions of a column; `kept` are the samples to learn from."""
    codes, texts = _read_texts(column, f"Column {column.label!r} is in text_features, but is")
    codes = codes if kept is None else codes[kept]
    codes = codes[codes >= 0]
    if len(codes) > MAX_SAMPLES:
        codes = np.random.RandomState(0).choice(codes, MAX_SAMPLES, replace=False)
    # A word of one sample alone says nothing of another; one-letter words do count.
    vectorizer = TfidfVectorizer(
        min_df=2,
        max_features=MAX_WORDS,
        sublinear_tf=True,
        strip_accents="unicode",
        token_pattern=r"(?u)\b\w+\b",
    )
    chosen = [texts[code] for code in codes]
    try:
        words = vectorizer.fit_transform(chosen)
    except ValueError:  # no word is there twice
        return TextColumn(column.label, None, None, 1.0)
    if words.shape[1] < 2:  # a single word has no directions
        return TextColumn(column.label, None, None, 1.0)
    # One factor for all directions: tf-idf vectors have norm 1, and directions of small variance,
    # mostly noise, must not be made as large as the first ones.
    n_components = min(N_COMPONENTS, words.shape[1])
    svd = TruncatedSVD(n_components, random_state=0).set_output(transform="default")
    # Shares of the variance, which nobody reads, do not exist where all texts are equal.
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = svd.fit_transform(words).var(axis=0).mean()
    return TextColumn(
        column.label, vectorizer, svd, float(1 / np.sqrt(variance)) if variance > 1e-12 else 1.0
    )


def _read_texts(column: Column, words: str) -> tuple[np.ndarray, list[str]]:
    """Return codes (n_samples,) and the texts that they stand for; raise unless it is text."""
    if column.kind not in ("text", "category", "empty"):
        raise ValueError(
            f"{words} {column.kind} now (first value: {column.find_first()!r}). Convert it to "
            "text, or change text_features and refit."
        )
    codes, levels = column.read_levels()
    if not all(isinstance(level, str) for level in levels):
        raise ValueError(
            f"{words} of levels such as {levels[0]!r} now. Convert it to text, or change "
            "text_features and refit."
        )
    return np.asarray(codes, dtype=np.int64), levels


def _find_by_values(columns: Sequence[Column], kept: np.ndarray | None) -> np.ndarray:
    """Return which columns hold text that is no category, of shape (n_features,).

    Those are columns of a text dtype, not of a category dtype, where most values differ, or where
    they are long. A column in which each sample has a word of its own is named in a warning.
    """
    is_text = np.zeros(len(columns), dtype=bool)
    for place, column in enumerate(columns):
        if column.kind != "text":
            continue
        codes, texts = column.read_levels()
        codes = codes if kept is None else codes[kept]
        codes = codes[codes >= 0]
        used = np.unique(codes)
        n_words = np.mean([len(texts[code].split()) for code in used[:1000]]) if len(used) else 0
        differs = len(codes) >= FEWEST_SAMPLES and 2 * len(used) > len(codes)
        is_text[place] = differs or (n_words >= LONG and len(used) > FEWEST_LEVELS)
        if _warns_of_disguise(column, [texts[code] for code in used]):
            continue
        if differs and len(used) == len(codes) and n_words < 2:
            warn_user(
                f"Column {column.label!r} is text that is distinct in every sample (first value: "
                f"{column.find_first()!r}), such as an id, from which nothing can be learned for "
                "other samples. Drop it, or split it into parts that samples share."
            )
    return is_text


def _warns_of_disguise(column: Column, levels: list[str]) -> bool:
    """Warn of a column of text in which numbers or dates were not read as such; return whether."""
    if len(levels) <= FEWEST_LEVELS:
        return False
    others = [level for level in levels if not NUMBER.fullmatch(level)]
    has_fractions = any(not level.strip().isdigit() for level in levels if level not in others)
    start = f"Column {column.label!r} is text (first value: {column.find_first()!r})"
    if len(others) <= NOT_NUMBERS * len(levels) and (others or has_fractions):
        # Whole numbers alone may be codes that someone made text of, such as those of towns.
        but = f" but for such as {others[0]!r}" if others else ""
        warn_user(
            f"{start}, but its values are numbers{but}, and as text they have no order. Convert it "
            "by pandas.to_numeric(..., errors='coerce'), or make it a category to say that it is "
            "one."
        )
    elif all(DATE.fullmatch(level) for level in levels):
        warn_user(
            f"{start}, but its values are dates. Convert it by pandas.to_datetime, from which "
            "years, months, weekdays and hours are read, or make it a category to say that it is "
            "one."
        )
    else:
        return False
    return True


def find_texts(
    estimator: BaseEstimator,
    columns: Sequence[Column] | None,
    names: Sequence[str] | None,
    kept: np.ndarray | None,
) -> np.ndarray:
    """Return which columns are text and not categories, of shape (n_features,).

    `estimator` is a `TabularEncoder`, `columns` are None of a table that holds numbers alone, and
    `kept` are the samples to learn from.
    """
    chosen, n_features = estimator.text_features, estimator.n_features_in_
    if isinstance(chosen, str) and isinstance(estimator.categorical_features, str):
        return np.zeros(n_features, bool) if columns is None else _find_by_values(columns, kept)
    named = [] if chosen is None or isinstance(chosen, str) else chosen
    mask = make_text_mask(named, n_features, names)
    if columns is None and mask.any():
        label = np.flatnonzero(mask)[0] if names is None else repr(names[int(mask.argmax())])
        raise ValueError(
            f"Column {label} is in text_features, but X holds numbers alone. Give its text, or "
            "take the column out of text_features."
        )
    return mask


def make_text_mask(
    text_features: ArrayLike, n_features: int, names: Sequence[str] | None
) -> np.ndarray:
    """Return which columns a user names as text, by names or positions, shape (n_features,)."""
    mask = np.zeros(n_features, dtype=bool)
    for item in np.asarray(text_features, dtype=object).ravel().tolist():
        is_place = isinstance(item, int) and not isinstance(item, bool) and 0 <= item < n_features
        if is_place:
            mask[item] = True
        elif names is not None and item in list(names):
            mask[list(names).index(item)] = True
        else:
            known = f"the names {list(names)}" if names is not None else "no names"
            raise ValueError(
                "text_features must be 'auto', None, or a list of names or positions of columns; "
                f"it holds {item!r}, but X has {n_features} columns and {known}."
            )
    return mask
