"""Methods that an estimator has for some of its parameters alone."""

from sklearn.base import BaseEstimator

from sknn.deep._base import DeepEstimator
from sknn.losses import find_value_loss, gives_probabilities


def supports_partial_fit(estimator: DeepEstimator) -> bool:
    """Return True; raise AttributeError if an estimator cannot be trained a part at a time."""
    try:
        parts = estimator._make_parts()
    except ValueError:  # a parameter that is out of range, which the method itself names
        return True
    obstacle = (
        parts.target.obstacle_to_partial_fit()
        or parts.training.obstacle_to_partial_fit()
        or parts.reader.obstacle_to_chunks()
    )
    if obstacle:
        raise AttributeError(obstacle)
    return True


def offers_probabilities(estimator: BaseEstimator) -> bool:
    """Return True; raise AttributeError if the loss of an estimator gives no probabilities."""
    codec = vars(estimator).get("_codec")  # of a fitted network: the loss that it was trained on
    loss = estimator._make_parts().target.loss if codec is None else codec.loss
    if not gives_probabilities(loss):
        raise AttributeError(
            f"loss={loss!r} gives no probabilities. Use decision_function, or loss='log_loss'."
        )
    return True


def offers_quantiles(estimator: BaseEstimator) -> bool:
    """Return True; raise AttributeError if the loss of an estimator has no levels of quantiles."""
    codec = vars(estimator).get("_codec")
    loss = estimator._make_parts().target.loss if codec is None else codec.loss
    if not find_value_loss(loss).output.has_levels:
        raise AttributeError(f"loss={loss!r} has no quantiles. Fit with loss='quantile'.")
    return True
