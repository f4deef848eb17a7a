"""Choice of strands: two small networks are compared on held-out samples."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from sknn._specs import Sample, TrainConfig, TrainPlan
from sknn._validation import copy_random_state, draw_seed
from sknn.architectures import SequenceCNN
from sknn.deep.parts._preparation import Arrangement, Preparation, take_samples
from sknn.deep.parts._training import OneNetwork
from sknn.deep.sequence._pretrained import TRAINING, score_nothing
from sknn.engine import compute_losses, train
from sknn.exceptions import NonFiniteLossError

#: steps that a network of the trial is trained for, its filters at most, and sequences to learn
#: from and to compare losses on at most
STEPS, MOST_FILTERS, MOST_SAMPLES, MOST_HELD_OUT = 300, 32, 8000, 4000
BATCH = 64
LEARNING_RATE = 0.003
#: standard errors by which one strand must be better. Of two seeds both strands are better by 1.5
#: and 1.8 for a transcription factor (mouse_2), one strand by 0.6 and 5.7 for TATA promoters, and
#: by 89 where the strand of a motif is all that tells 200 sequences apart.
MARGIN = 2.0


def choose_strands(preparation: Preparation, arranged: Arrangement) -> SequenceCNN:
    """Return the network that reads both strands, or one with its weights that reads one.

    The latter where the user leaves the choice, and a network of one strand has a smaller loss per
    held-out sample than one of both, by `MARGIN` standard errors of the difference.
    """
    # What the builder of networks for sequences has built, for a new fit.
    module, config = cast(SequenceCNN, arranged.module), preparation.config
    is_open = module.options.reverse_complement and not module.options.same_on_strands
    has_trial = config.early_stopping and config.solver != "lbfgs"
    if not (is_open and has_trial and arranged.held_out is not None):
        return module
    random_state = copy_random_state(preparation.random_state)
    draw = random_state.permutation
    training, held_out = arranged.training, arranged.held_out
    training = take_samples(training, draw(len(training.X))[:MOST_SAMPLES])
    held_out = take_samples(held_out, draw(len(held_out.X))[:MOST_HELD_OUT])
    # Both networks see the same samples in the same order, so that their losses are compared sample
    # by sample: the error of a mean of differences is far smaller than that of either mean.
    seed = draw_seed(random_state)
    losses = []
    for both in (True, False):
        options = replace(
            module.options,
            n_filters=min(module.options.n_filters, MOST_FILTERS),
            n_members=1,
            reverse_complement=both,
        )
        network = module.make_like(options)
        network.initialize_weights(np.random.RandomState(seed))
        try:
            losses.append(_try(preparation, network, (training, held_out), seed))
        except NonFiniteLossError:
            return module
    gain = losses[0] - losses[1]
    if not gain.mean() > MARGIN * gain.std() / np.sqrt(len(gain)):
        return module
    # Filters are the same on both strands; places have a bias for each, of which the first stays.
    one = module.make_like(replace(module.options, reverse_complement=False))
    state = module.state_dict()
    if module.bank.position_bias is not None:
        state["bank.position_bias"] = state["bank.position_bias"][:1]
    one.load_state_dict(state)
    return one


def _try(
    preparation: Preparation, network: SequenceCNN, samples: tuple[Sample, Sample], seed: int
) -> np.ndarray:
    """Return the loss of each held-out sample, (n_samples,), times its weight, after training."""
    training, held_out = samples
    n_epochs = max(-(-STEPS * BATCH // len(training.X)), 1)
    params = {
        **cast(OneNetwork, preparation.parts.training).params,
        **TRAINING,
        "learning_rate": "constant",
        "learning_rate_init": LEARNING_RATE,
        "batch_size": min(BATCH, len(training.X)),
        "max_iter": n_epochs,
        "n_processes": None,
    }
    plan = TrainPlan(
        module=network,
        X=training.X,
        y=training.y,
        sample_weight=training.sample_weight,
        config=TrainConfig(**params),
        target=preparation.codec.spec_,
        score=score_nothing,
        random_state=np.random.RandomState(seed),
    )
    result = train(plan)
    if result.progress.stopped_because == "interrupted":
        raise KeyboardInterrupt("Training interrupted by user.")
    losses = compute_losses(result.net, held_out)
    return losses if held_out.sample_weight is None else losses * held_out.sample_weight
