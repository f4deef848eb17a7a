"""Scores after an epoch: of the held-out samples, and of the training samples as they passed."""

from typing import cast

import numpy as np

from sknn._specs import Sample, TrainConfig, TrainPlan
from sknn.engine.callbacks._kept_outputs import KeptOutputs
from sknn.engine.data._batches import SampleDataset
from sknn.engine.data._forward import predict_raw
from sknn.engine.net._net import Net


class Validation:
    """Computes loss and score of held-out samples, and the score of the training samples.

    The training score is that of the outputs during the epoch, each before the step of its
    batch, so it costs no second pass. The names are skorch's.

    Parameters
    ----------
    plan : TrainPlan
        Plan with validation samples.
    held_out : SampleDataset
        The same samples on the device of the net.

    Attributes
    ----------
    keeps_outputs : bool
        Whether the outputs of an epoch are to be kept.
    """

    def __init__(self, plan: TrainPlan, held_out: SampleDataset):
        config: TrainConfig = plan.config
        self.sample = cast("Sample", plan.validation)
        self.held_out, self.score, self.on_loss = held_out, plan.score, config.stop_on_loss
        scores_training = (
            config.scores_training_samples and not config.stop_on_loss and config.solver != "lbfgs"
        )
        self.keeps_outputs = scores_training and not plan.is_streamed
        #: of a stream the samples that it keeps are scored after the epoch
        self.kept = plan.X.kept if scores_training and plan.is_streamed else None

    def evaluate(
        self, net: Net, outputs: KeptOutputs, known: tuple[np.ndarray, float] | None
    ) -> dict[str, float]:
        """Return losses and scores; NaN where the network's output is not finite.

        Parameters
        ----------
        net : Net
            After an epoch.
        outputs : KeptOutputs
            Raw predictions of the training samples; empty if they are not scored.
        known : tuple or None
            Raw predictions and loss of the held-out samples, where a runner has computed them.
        """
        if known is None:
            output = predict_raw(net, self.held_out)
            known = output, net.measure_loss(output, self.held_out)
        output, loss = known
        if self.on_loss:
            return {"valid_loss": loss, "valid_score": -loss}
        sample = self.sample
        scores = {
            "valid_loss": loss,
            "valid_score": self._score(sample.y, output, sample.sample_weight),
        }
        if self.kept is not None:
            y, weight = self.kept.y, self.kept.sample_weight
            output = predict_raw(net, SampleDataset(self.kept.X, device=net.device))
            scores["train_score"] = self._score(y, output, weight)
        if outputs:
            scores["train_score"] = self._score(*outputs.make_arrays())
        return scores

    def _score(self, y: np.ndarray, output: np.ndarray, sample_weight: np.ndarray | None) -> float:
        finite = np.isfinite(output).all()
        return float(self.score(y, output, sample_weight)) if finite else float("nan")
