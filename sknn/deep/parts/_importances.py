"""How much each column of X matters to a trained network."""

import numpy as np

from sknn._specs import Sample, TrainResult
from sknn.engine import compute_mean_loss, forward

#: maximum number of samples that are looked at
MAX_SAMPLES = 4096


def permutation_importances(
    result: TrainResult,
    sample: Sample,
    sources: np.ndarray,
    n_features: int,
    random_state: np.random.RandomState,
    *,
    max_samples: int = MAX_SAMPLES,
) -> np.ndarray:
    """Return the share of each column in the loss that shuffling columns, one at a time, adds [1]_.

    Parameters
    ----------
    result : TrainResult
        Of training.
    sample : Sample
        Encoded samples, at best those that were not trained on.
    sources : ndarray of int of shape (n_columns,)
        Which column of X each encoded column comes from. Those of one are shuffled together.
    n_features : int
        Columns of X.
    random_state : numpy.random.RandomState
        Shuffles.
    max_samples : int, default=4096
        Maximum number of samples that are looked at, drawn by chance.

    Returns
    -------
    ndarray of shape (n_features,)
        Not negative; they sum to 1, or are all 0.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001, doi:10.1023/A:1010933404324.
    """
    # In their order, so that samples that one member judges stay together.
    chosen = np.sort(random_state.permutation(len(sample.y))[:max_samples])
    weight = None if sample.sample_weight is None else sample.sample_weight[chosen]
    sample = Sample(sample.X[chosen], sample.y[chosen], weight)
    before = compute_mean_loss(result.net, sample, forward(result.net, sample.X))
    added = np.zeros(n_features)
    for feature in range(n_features):
        columns = np.flatnonzero(sources == feature)
        if not len(columns):
            continue
        shuffled = sample.X.copy()
        order = random_state.permutation(len(chosen))
        shuffled[:, columns] = sample.X[np.ix_(order, columns)]
        added[feature] = (
            compute_mean_loss(result.net, sample, forward(result.net, shuffled)) - before
        )
    added = np.maximum(np.nan_to_num(added), 0.0)
    total = added.sum()
    return added / total if total > 0 else added
