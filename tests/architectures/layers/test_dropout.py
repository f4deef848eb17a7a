import copy
import pickle

import numpy as np
import pytest
import torch

from sknn.architectures.layers._dropout import N_PARTS, DrawnMasks, Dropout, fill_words

ONES = torch.ones(400, 50)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_share_is_dropped_and_the_mean_kept(rate, dtype):
    out = Dropout(rate, seed=3)(ONES.to(dtype))
    assert out.dtype == dtype
    kept = (out != 0).double()
    spread = np.sqrt(rate * (1 - rate) / out.numel())
    assert abs(kept.mean() - (1 - rate)) < 4 * spread
    assert out.max().item() == pytest.approx(1 / (1 - rate), abs=2 / N_PARTS / (1 - rate) ** 2)
    assert abs(out.double().mean() - 1) < 4 * spread / (1 - rate)


def test_units_samples_and_batches_are_dropped_independently():
    """Shares of pairs dropped together, against rate squared, up to four standard errors."""
    dropout, rate = Dropout(0.3, seed=5), 0.3
    first, second = (dropout(ONES) == 0).double(), (dropout(ONES) == 0).double()
    other = (Dropout(0.3, seed=6)(ONES) == 0).double()
    error = 4 * rate / np.sqrt(ONES.numel())
    for a, b in [
        (first, second),
        (first, other),
        (first[1:], first[:-1]),
        (first[:, 1:], first[:, :-1]),
        (first[:, 4:], first[:, :-4]),  # four share one draw of 64 bits
    ]:
        assert abs((a * b).mean() - rate**2) < error


def test_the_first_units_of_many_batches_and_seeds_are_independent():
    """Each bit of the drawn numbers, and each pair of batches or seeds that are neighbours."""
    words = np.empty((2, 3000, 4), np.uint64)
    for i in range(words.shape[1]):
        fill_words(words[0, i], 5, i)  # batches of a seed
        fill_words(words[1, i], i, 5)  # a batch of each seed
    bits = (words[..., None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    bits = bits.reshape(2, 3000, 256).astype(float) - 0.5
    error = 5 * 0.25 / np.sqrt(3000)  # of 256 means of products, each of variance 1/16
    assert abs(bits.mean(axis=1)).max() < 2 * error
    for lag in (1, 2, 16):
        assert abs((bits[:, lag:] * bits[:, :-lag]).mean(axis=1)).max() < error
        assert abs((bits[..., lag:] * bits[..., :-lag]).mean(axis=1)).max() < error


@pytest.mark.parametrize(("rate", "kept_parts"), [(1e-9, N_PARTS - 1), (1 - 1e-9, 1), (0.5, 2**15)])
def test_rates_are_rounded_but_never_to_all_or_nothing(rate, kept_parts):
    assert Dropout(rate).n_parts == kept_parts
    assert torch.isfinite(Dropout(rate)(ONES)).all()


def test_gradient_flows_through_what_was_kept():
    X = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    out = Dropout(0.4, seed=1)(X)
    out.sum().backward()
    factor = (out != 0).double() * (N_PARTS / round(0.6 * N_PARTS))
    assert torch.equal(X.grad, factor)
    assert torch.allclose(out, X * factor)


def test_evaluation_changes_nothing_and_counts_nothing():
    dropout = Dropout(0.5).eval()
    assert dropout(ONES) is ONES
    dropout.train()
    assert torch.equal(dropout(ONES), Dropout(0.5)(ONES))


def test_a_seed_gives_the_same_batches_and_another_one_others():
    mine, same, other = Dropout(0.5, 7), Dropout(0.5, 7), Dropout(0.5, 8)
    batches = [mine(ONES) for _ in range(3)]
    assert all(torch.equal(batch, same(ONES)) for batch in batches)
    assert not torch.equal(batches[0], batches[1])
    assert not torch.equal(batches[0], other(ONES))
    same.set_seed(7)
    assert torch.equal(batches[0], same(ONES))


def test_torchs_generator_neither_matters_nor_moves():
    first = Dropout(0.5, 7)(ONES)
    torch.rand(1)
    before = torch.get_rng_state()
    assert torch.equal(Dropout(0.5, 7)(ONES), first)
    assert torch.equal(torch.get_rng_state(), before)


def through_state_dict(dropout):
    other = Dropout(0.5, seed=99)
    other.load_state_dict(copy.deepcopy(dropout.state_dict()))
    return other


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d)), through_state_dict],
    ids=["deepcopy", "pickle", "state_dict"],
)
def test_copies_go_on_as_the_original(copied):
    dropout = Dropout(0.5, seed=4)
    dropout(ONES)
    other = copied(dropout)
    for _ in range(2):
        assert torch.equal(dropout(ONES), other(ONES))


def test_state_can_be_put_back():
    dropout = Dropout(0.5, seed=4)
    dropout(ONES)
    backup = copy.deepcopy(dropout.state_dict())
    expected = dropout(ONES)
    dropout(ONES)
    dropout.load_state_dict(backup)
    assert torch.equal(dropout(ONES), expected)
    assert torch.equal(backup["_extra_state"], torch.tensor([4, 1]))  # it was copied


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (3, 5), (2, 3, 4)])
def test_any_shape_is_taken(shape):
    assert Dropout(0.5)(torch.ones(shape)).shape == shape


def test_transposed_values_are_taken():
    assert torch.equal(Dropout(0.5)(ONES.t()), Dropout(0.5)(ONES.t().contiguous()))


def test_compiled_network_drops_the_same_and_is_compiled_once():
    compiled = []

    def backend(graph, inputs):
        compiled.append(graph)
        return graph.forward

    mine, other = Dropout(0.5, 3), Dropout(0.5, 3)
    fast = torch.compile(other, backend=backend)
    for _ in range(4):
        assert torch.equal(mine(ONES), fast(ONES))
    assert len(compiled) == 1


def test_rate_is_shown():
    assert repr(Dropout(0.25)) == "Dropout(rate=0.25)"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_a_seed_gives_the_same_batches():
    X, before = ONES.cuda(), torch.cuda.get_rng_state()
    mine, same = Dropout(0.3, 7).cuda(), Dropout(0.3, 7).cuda()
    batches = [mine(X) for _ in range(2)]
    assert all(torch.equal(batch, same(X)) for batch in batches)
    assert not torch.equal(*batches)
    assert abs((batches[0] == 0).float().mean() - 0.3) < 0.02
    assert torch.equal(torch.cuda.get_rng_state(), before)
    through = Dropout(0.3)
    through.load_state_dict(mine.state_dict())
    assert torch.equal(through(X), mine(X))


def test_masks_drawn_before_are_those_that_layers_would_draw():
    def network():
        return torch.nn.Sequential(
            Dropout(0.3, seed=1), torch.nn.Linear(6, 5), Dropout(0.6, seed=2)
        )

    X, bank = torch.ones(4, 6), DrawnMasks()
    own, given = network(), network()
    given.load_state_dict(own.state_dict())
    places = None
    for epoch in range(3):
        bank.draw_again()
        with bank.give_to(given):
            for _ in range(2):  # two batches at each run
                torch.testing.assert_close(given(X), own(X), rtol=0, atol=0)
        masks = [mask.data_ptr() for _, mask in bank.drawn]
        assert len(masks) == 4
        assert places in (None, masks), epoch
        places = masks
    for one, other in zip(own.modules(), given.modules(), strict=True):
        if isinstance(one, Dropout):
            assert one.state.tolist() == other.state.tolist()
            assert other.masks is None


def test_a_layer_draws_for_itself_after_an_error_with_masks_given():
    layer, bank = Dropout(0.5, seed=1), DrawnMasks()
    with pytest.raises(ZeroDivisionError), bank.give_to(layer):
        raise ZeroDivisionError
    assert layer.masks is None
    assert not bank.is_complete
