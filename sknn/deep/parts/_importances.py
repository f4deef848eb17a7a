"""Permutation importances of the columns of X to a trained network."""

import numpy as np

from sknn._specs import Sample, TrainResult
from sknn.engine import compute_mean_loss, forward

#: maximum number of samples that are used
MAX_SAMPLES = 4096


def permutation_importances(
    result: TrainResult,
    sample: Sample,
    sources: np.ndarray,
    n_features: int,
    random_state: np.random.RandomState,
    *,
    max_samples: int = MAX_SAMPLES,
    max_stacked: int = 0,
) -> np.ndarray:
    """Return the share of each column in the loss that shuffling columns, one at a time, adds [1]_.

    `sources`, of shape (n_columns,), are the columns of X that the encoded ones come from; those
    of one are shuffled together. At most `max_samples` samples are looked at, drawn by chance, and
    at most `max_stacked` go through the network in a pass, so that columns of small tables are
    looked at in one; 0 takes a pass for each column, where neighbours must stay together. The
    shares, of shape (n_features,), sum to 1, or are all 0.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001, doi:10.1023/A:1010933404324.
    """
    # In their order, so that held-out samples of one member stay together.
    chosen = np.sort(random_state.permutation(len(sample.y))[:max_samples])
    weight = None if sample.sample_weight is None else sample.sample_weight[chosen]
    sample = Sample(sample.X[chosen], sample.y[chosen], weight)
    before = compute_mean_loss(result.net, sample, forward(result.net, sample.X))
    added = np.zeros(n_features)
    used = np.unique(sources[sources >= 0])
    at_once = max(1, max_stacked // len(chosen))
    for start in range(0, len(used), at_once):
        features = used[start : start + at_once]
        shuffled = np.tile(sample.X, (len(features), 1)).reshape(len(features), *sample.X.shape)
        for X, feature in zip(shuffled, features, strict=True):
            columns = np.flatnonzero(sources == feature)
            order = random_state.permutation(len(chosen))
            # Shuffling keeps the distribution of the column, and takes away what it says of y and
            # of other columns. The columns that one feature became are moved together, or a sample
            # would have two levels at once.
            X[:, columns] = sample.X[np.ix_(order, columns)]
        outputs = forward(result.net, shuffled.reshape(-1, sample.X.shape[1]))
        for feature, output in zip(features, np.split(outputs, len(features)), strict=True):
            added[feature] = compute_mean_loss(result.net, sample, output) - before
    # A column that means nothing may lower the loss by chance: that is 0, as shares are not
    # negative.
    added = np.maximum(np.nan_to_num(added), 0.0)
    total = added.sum()
    return added / total if total > 0 else added
