"""Training sets of a perceptron: classes or several labels a sample, and held-out samples."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from sknn._targets import SPARSE, TargetMatrix
from sknn._validation import sort_classes
from sknn.threshold._inputs import FeatureMatrix
from sknn.threshold._linear_base import (
    ClassWeight,
    TrainingSet,
    check_two_classes,
    make_multilabel_set,
    make_training_set,
)


def make_whole_set(
    X: FeatureMatrix, y: TargetMatrix, sample_weight: np.ndarray | None, class_weight: ClassWeight
) -> TrainingSet:
    """Return the training set of a whole fit; y has two classes at least, or is multilabel."""
    if is_multilabel(y):
        return make_multilabel_set(X, _make_dense_labels(y, class_weight), sample_weight)
    training = make_training_set(X, y, sample_weight, class_weight)
    check_two_classes(training.classes)
    return training


def make_part(
    X: FeatureMatrix,
    y: TargetMatrix,
    sample_weight: np.ndarray | None,
    class_weight: ClassWeight,
    classes: np.ndarray,
) -> TrainingSet:
    """Return the training set of a call of ``partial_fit``; `classes` are all labels, sorted."""
    if is_multilabel(y):
        y = _make_dense_labels(y, class_weight)
        if not np.array_equal(classes, np.arange(y.shape[1])):
            raise ValueError(
                f"y has {y.shape[1]} columns of labels, but the classes are {classes.tolist()}. "
                "Leave classes out for multilabel y, and give the same columns in each call."
            )
        return make_multilabel_set(X, y, sample_weight)
    check_two_classes(classes)
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y holds the label {unknown.tolist()[0]!r}, which is not in classes "
            f"{classes.tolist()}. Name all labels in the first call of partial_fit."
        )
    return make_training_set(X, y, sample_weight, class_weight, classes)


def check_parts_will_do(class_weight: ClassWeight, early_stopping: bool) -> None:
    """Refuse parameters that need all samples at once."""
    if isinstance(class_weight, str):
        raise ValueError(
            "class_weight='balanced' needs all samples at once, which partial_fit never sees. "
            "Give a dictionary, such as sklearn.utils.class_weight.compute_class_weight computes."
        )
    if early_stopping:
        raise ValueError(
            "early_stopping=True holds out some of all samples, which partial_fit never sees. "
            "Set early_stopping=False, and look at the score on samples of your own."
        )


def is_multilabel(y: TargetMatrix) -> bool:
    """Return whether y has a column for each label."""
    return y.ndim == 2


def check_target(y: TargetMatrix) -> TargetMatrix:
    """Return y, a single column made flat; refuse what is neither classes nor labels."""
    # A column vector is taken for a vector with scikit-learn's warning, as its classifiers do.
    if is_multilabel(y) and y.shape[1] == 1:
        y = column_or_1d(y.toarray() if isinstance(y, SPARSE) else y, warn=True)
    check_classification_targets(y)
    if is_multilabel(y):
        # A sparse y names its ones alone; zeros are what it leaves out.
        values = np.unique(y.data if sparse.issparse(y) else y)
        if not np.all(np.isin(values, [0, 1])):
            raise ValueError(
                f"y has {y.shape[1]} columns with the values {values[:5].tolist()}. Give one "
                "column of classes, or a column of 0 and 1 for each label."
            )
    return y


def choose_all_classes(
    y: TargetMatrix, classes: ArrayLike | None, known: np.ndarray | None
) -> np.ndarray:
    """Return the labels of all parts, and check that they stay the same, (n_classes,).

    `classes` are those given to ``partial_fit``, `known` those of earlier calls.
    """
    given = None if classes is None else sort_classes(classes)
    # The first two messages begin with scikit-learn's words, for which its own tests look.
    if known is None:
        if given is None and not is_multilabel(y):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return np.arange(y.shape[1]) if given is None else given
    if given is not None and not np.array_equal(given, known):
        raise ValueError(
            f"`classes={given.tolist()}` is not the same as on last call to partial_fit, was: "
            f"{known.tolist()}. Name the same in each call, or leave them out after the first."
        )
    return known


def _make_dense_labels(y: TargetMatrix, class_weight: ClassWeight) -> np.ndarray:
    if class_weight is not None:
        raise ValueError(
            "class_weight needs samples of one class each, but y has a column for each label, got "
            f"class_weight={class_weight!r}. Leave it out, or give sample_weight."
        )
    return y.toarray() if isinstance(y, SPARSE) else y


def hold_out(
    training: TrainingSet, fraction: float, random_state: np.random.RandomState
) -> tuple[TrainingSet, TrainingSet]:
    """Split into samples to learn from and a held-out share, of each class the same."""
    if training.codes is None:
        split = ShuffleSplit(1, test_size=fraction, random_state=random_state)
    else:
        split = StratifiedShuffleSplit(1, test_size=fraction, random_state=random_state)
    # The splitters look at the number of samples alone, and X may be sparse or large.
    placeholder = np.zeros((len(training.weights), 1))
    learning, held_out = next(split.split(placeholder, training.codes))
    # Sorted, as with shuffle=False the online rule is to see samples in the order given.
    return training.select(np.sort(learning)), training.select(np.sort(held_out))


def check_same_table(coef: np.ndarray, classes: np.ndarray, training: TrainingSet) -> None:
    """Refuse to go on from weights (n_units, n_features) with other classes or features."""
    if not np.array_equal(classes, training.classes) or len(coef) != training.signs.shape[1]:
        raise ValueError(
            f"warm_start=True goes on with the classes {classes.tolist()}, but y has "
            f"{training.classes.tolist()}. Set warm_start=False, or give samples of every class."
        )
    if coef.shape[1] != training.X.shape[1]:
        raise ValueError(
            f"warm_start=True goes on with {coef.shape[1]} features, but X has "
            f"{training.X.shape[1]}. Set warm_start=False, or give the same features."
        )
