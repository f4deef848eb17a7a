"""Seqlets: planted stretches are found, noise is not."""

import numpy as np
import pytest

from sknn.motifs import find_seqlets


@pytest.mark.parametrize("sign", [1, -1])
def test_planted_stretches_are_found_and_little_else(sign):
    rng = np.random.RandomState(0)
    attributions = rng.normal(scale=0.1, size=(200, 60, 4))
    starts = rng.randint(0, 49, size=100)
    for i, start in enumerate(starts):
        attributions[i, start : start + 11] += sign * 0.5
    seqlets = find_seqlets(attributions, random_state=0)
    found = {s.sample: s for s in seqlets[:100]}
    assert all(abs(found[i].start - start) <= 1 for i, start in enumerate(starts))
    assert len(seqlets) < 115
    assert np.sign(seqlets[0].attribution) == sign
    sizes = [abs(s.attribution) for s in seqlets]
    assert sizes == sorted(sizes, reverse=True)
    assert all(s.end - s.start == 11 for s in seqlets)


def test_seqlets_of_a_sequence_do_not_overlap():
    attributions = np.random.RandomState(0).normal(scale=0.01, size=(30, 50, 4))
    attributions[0, 4:12] += 1.0
    attributions[0, 12:20] += 0.9
    attributions[0, 40:48] += 0.8
    own = sorted(s.start for s in find_seqlets(attributions, 8, random_state=0) if s.sample == 0)
    assert len(own) >= 2
    assert np.diff(own).min() >= 8


def test_noise_has_none_and_bad_arguments_are_named():
    noise = np.random.RandomState(0).normal(size=(100, 60, 4))
    assert len(find_seqlets(noise, random_state=0)) < 5
    with pytest.raises(ValueError, match=r"shape \(n_samples, length, n_letters\) with 80"):
        find_seqlets(noise, 80)
    with pytest.raises(ValueError, match=r"false_discovery_rate must be in \(0, 1\); got 2"):
        find_seqlets(noise, false_discovery_rate=2)
