"""Scores of a detector of anomalies, and what it learns for them once its network is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import OutlierMixin

from sknn._saved import saved
from sknn._sklearn import fit_context, with_callbacks
from sknn._specs import TrainConfig, TrainPlan, TrainResult
from sknn.deep._array_api import follow_array_api
from sknn.deep._base import DeepEstimator
from sknn.deep._fit_arguments import explain_unknown_arguments, make_data_without_labels
from sknn.deep.autoencoder._neighbors import FLOOR, References, fit_references
from sknn.deep.autoencoder._network import AutoencoderTraining, make_autoencoder_parts
from sknn.deep.parts._preparation import Arrangement, Circumstances, Parts, PartsOf, Preparation
from sknn.deep.sources._predict import read_by_chunk
from sknn.engine import Net, forward
from sknn.preprocessing import TableCodec, TabularEncoder

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike
    from sklearn.base import BaseEstimator
    from sklearn.utils import Tags

    from sknn.deep.sources._prepare import SourcePreparation


@saved
@dataclass(frozen=True)
class Normality:
    """Statistics and samples with which others are compared.

    Attributes
    ----------
    references : References or None
        Known samples; None where the reconstruction alone counts.
    floor : float or None
        Smallest deviance that is told apart; None where distances alone count.
    """

    references: References | None
    floor: float | None


def score_normality(
    normality: Normality, net: Net, encoded: np.ndarray, deviance: np.ndarray
) -> np.ndarray:
    """Return scores of shape (n_samples,), higher for more normal samples.

    `encoded` is as the network takes it, and `deviance` of shape (n_samples,) that of samples.
    """
    if normality.references is None:
        return -deviance
    city, whitened = normality.references.measure(forward(net, encoded, "embed")).T
    distance = 2 * city + whitened
    if normality.floor is None:
        return -distance / 3
    # All are lengths, whose logarithms say how many times as far, or as bad, a sample is.
    return -(distance + 0.5 * np.log(deviance + normality.floor)) / 4


@dataclass(frozen=True)
class DetectorTraining:
    """A `sknn.deep.parts._preparation.Training` after which known samples are kept.

    Attributes
    ----------
    network : AutoencoderTraining
        Part that trains the network.
    criterion : {'both', 'reconstruction', 'distance'}
        Criterion by which a sample is abnormal.
    n_neighbors : int
        Nearest references whose distances are averaged.
    trim_fraction : float
        Share of the samples that are no references.
    contamination : 'auto' or float
        Share of anomalies.
    """

    network: AutoencoderTraining
    criterion: str
    n_neighbors: int
    trim_fraction: float
    contamination: str | float
    scoring: None = None

    def obstacle_to_partial_fit(self) -> str:
        """Return why training cannot go on a part of X at a time."""
        return "A detector has no partial_fit, as neighbours and offset follow from all samples."

    def make_config(self, circumstances: Circumstances) -> TrainConfig:
        """Return how to train: to the end, which deserves no warning."""
        return replace(self.network.make_config(circumstances), runs_to_the_end=True)

    def arrange_new(self, preparation: Preparation) -> Arrangement:
        """Return a new network, and the samples to train and validate on."""
        return self.network.arrange_new(preparation)

    def arrange_continued(self, preparation: Preparation) -> Arrangement:
        """Return the samples to train a network further on."""
        return self.network.arrange_continued(preparation)

    def obstacle_to_source(self) -> str | None:
        """Return why training cannot read its samples a chunk at a time, or None."""
        return self.network.obstacle_to_source()

    def arrange_source(self, preparation: SourcePreparation, *, is_new: bool) -> Arrangement:
        """Return samples of a source as a stream, those to validate on, and a network if new."""
        return self.network.arrange_source(preparation, is_new=is_new)

    def finish(self, estimator: BaseEstimator, plan: TrainPlan, result: TrainResult) -> None:
        """Set ``offset_``, and what samples are compared with: of a source those it keeps."""
        references, floor = None, None
        own = plan.X.kept if plan.is_streamed else plan.select_own_samples()
        deviance = estimator._codec.measure_deviance(own.y, forward(result.net, own.X))
        if self.criterion != "reconstruction":
            Z = forward(result.net, own.X, "embed")
            references = fit_references(Z, self.n_neighbors, self.trim_fraction)
        if self.criterion != "distance":
            # A sample that is reconstructed perfectly would have log 0: below a thousandth of the
            # usual deviance nothing is told apart.
            floor = float(FLOOR * np.median(deviance)) or np.finfo(np.float64).tiny
        estimator._normality = Normality(references, floor)
        scores = score_normality(estimator._normality, result.net, own.X, deviance)
        estimator.offset_ = self._choose_offset(scores)

    def _choose_offset(self, scores: np.ndarray) -> float:
        """Return the score below which a sample is an anomaly."""
        if not isinstance(self.contamination, str):
            return float(np.percentile(scores, 100.0 * self.contamination))
        # Tukey's fence: below the lower quartile by 1.5 times the distance of the quartiles lie .35
        # % of a normal distribution, and most of what is no part of it.
        low, high = np.percentile(scores, [25, 75])
        return float(low - 1.5 * (high - low))


class DeepDetector(OutlierMixin, DeepEstimator):
    """Tables in, and scores and signs out."""

    _make_fit_data = staticmethod(make_data_without_labels)
    _encoder: TabularEncoder
    _codec: TableCodec

    @with_callbacks
    @fit_context(prefer_skip_nested_validation=True)
    @explain_unknown_arguments
    @follow_array_api
    def fit(self, X: ArrayLike, y: None = None, *, X_val: ArrayLike | None = None) -> Self:
        """Fit the network, and keep samples to compare others with.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Training samples, most of which are normal.
        y : None
            Ignored.
        X_val : array-like, default=None
            Validation samples such as X, in place of samples held out by `early_stopping`.

        Returns
        -------
        self : object
            The fitted detector. If fitting fails it is as it was before.

        Raises
        ------
        ValueError
            If a parameter or X is not as described.
        sknn.exceptions.NonFiniteLossError
            If training diverges; a ``ValueError`` too.
        """
        self._fit_watched(self._make_fit_data(X, X_val=X_val))
        return self

    @follow_array_api
    @read_by_chunk
    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return how normal samples are: higher is more normal.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            See `criterion`; with 'reconstruction' the same as of `AutoencoderTransformer`.
        """
        checked = self._check_inputs(X)
        encoded = self._encoder.encode(checked)
        deviance = self._codec.compute_deviance(checked, forward(self.net_, encoded))
        return score_normality(self._normality, self.net_, encoded, deviance)

    @follow_array_api
    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return scores, of which those below 0 are of anomalies.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``score_samples(X) - offset_``.
        """
        return self.score_samples(X) - self.offset_

    @follow_array_api
    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return 1 for normal samples and -1 for anomalies.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame} of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        self._make_parts().reader.set_tags(tags)
        return tags


def make_detector_parts(estimator: BaseEstimator) -> Parts:
    """Return what a detector holds."""
    parts = make_autoencoder_parts(estimator, is_dense=True)

    def make_training() -> DetectorTraining:
        names = ("criterion", "n_neighbors", "trim_fraction", "contamination")
        return DetectorTraining(parts.training, *(getattr(estimator, name) for name in names))

    return PartsOf(parts.reader, parts.target, parts.make_network, make_training)
