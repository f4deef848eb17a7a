"""Two processes train one network, each on samples of its own; the fits are those of `shards`."""

import pickle

import numpy as np
import pytest
import torch

from sknn import (
    AutoencoderTransformer,
    DeepMLPClassifier,
    DeepMLPRegressor,
    TabularMLPClassifier,
)
from sknn._specs import Sample
from sknn.deep.sources._shard_stream import HeldStream, ShardStream
from sknn.engine.data._shards import ShardedBatches
from sknn.engine.data._stream import StreamedDataset
from sknn.model_selection import BatchedGridSearchCV
from tests.engine.distributed import fits, shards
from tests.engine.distributed.fits import LABELS, X, Y
from tests.engine.distributed.test_fits import compare
from tests.engine.distributed.test_refusals import world  # noqa: F401 - a fixture

pytestmark = pytest.mark.filterwarnings("ignore")

ALIKE = "ValueError: The processes of n_processes='shards' were given samples of different kinds: "
#: name -> error of the first process, of the second
ERRORS = {
    "missing values": ("PeerError: .* process 1 raised ValueError: Input X", "ValueError: Input X"),
    "columns": (f"{ALIKE}X has 4 columns in process 0, and 5 columns in process 1",) * 2,
    "names": (f"{ALIKE}X has the columns a0, b, .* 0, and the columns a1, b, .* process 1",) * 2,
    "kinds of labels": (f"{ALIKE}y has text of shape .n_samples,. in process 0, and numbers",) * 2,
    "kinds of columns": ("Column 4 of X holds numbers in process 0 and categories in pro",) * 2,
    "weights of one": (f"{ALIKE}sample_weight is an array in process 0, and None in process 1",)
    * 2,
    "no weight": (
        "PeerError: .* process 1 raised ValueError: All samples of process 1 have a weight of 0",
        "All samples of process 1 have a weight of 0. Give each process at least one",
    ),
    "too small batches": ("batch_size=1 gives some of 2 processes no sample of a mini-batch",) * 2,
    "means over samples": ("Centered would give other outputs",) * 2,
    "a callback": ("ZeroDivisionError", "PeerError: .* process 0 raised ZeroDivisionError"),
    "sources that change": (
        "PeerError: .* process 1 raised ValueError: The samples of this process were fewer",
        "ValueError: The samples of this process were fewer in an epoch than before training",
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Return what the fits of two processes ended in, by rank."""
    folder = tmp_path_factory.mktemp("shards")
    codes, errors = fits.run_two(shards.__name__, folder)
    assert codes == [0, 0], errors
    return [pickle.loads((folder / f"{rank}.pickle").read_bytes()) for rank in range(2)]


@pytest.mark.parametrize("name", [*shards.SAME_AS_ONE, *shards.OTHERS])
def test_all_processes_have_the_same_estimator(found, name):
    first, second = found[0][name], found[1][name]
    assert not isinstance(first, str), first
    assert first["runner_"] == "distributed"
    compare(first, second, 0.0, but=())


@pytest.mark.parametrize("name", shards.SAME_AS_ONE)
def test_a_batch_of_all_samples_gives_the_network_of_one_process(found, name):
    expected = shards.fit_same(name)
    compare({**found[0][name], "runner_": expected["runner_"]}, expected, 1e-10)


def test_each_sample_counts_once_in_an_epoch(found):
    model = found[0]["mini-batches"]
    n_held_out = int(np.ceil(0.1 * np.count_nonzero(shards.WEIGHT)))
    assert model["t_"] == model["n_iter_"] * (np.count_nonzero(shards.WEIGHT) - n_held_out)
    assert found[0]["chunks"]["t_"] == 5 * (len(X) - 5 - 30)


def test_mini_batches_of_shards_learn_what_one_process_learns(found):
    right = np.mean(found[0]["mini-batches"]["predictions"] == shards.CLASSES)
    one = fits.classifier(**shards.LEARNING)
    assert right > 0.7
    assert right > one.fit(X, shards.CLASSES, shards.WEIGHT).score(X, shards.CLASSES) - 0.1


def test_classes_of_one_process_are_those_of_all(found):
    assert found[0]["mini-batches"]["classes_"].tolist() == [0, 1, 2, 7]


def test_a_second_fit_goes_on(found):
    assert len(found[0]["going on"]["loss_curve_"]) == 4
    assert found[0]["going on"]["loss_curve_"][3] < found[0]["going on"]["loss_curve_"][0]


def test_a_fit_on_shards_goes_on_from_a_checkpoint(found):
    for of_rank in found:
        going_on, undisturbed = of_rank["from a checkpoint"]
        compare(going_on, undisturbed, 0.0)


def test_callbacks_see_the_samples_of_the_first_process(found):
    assert found[1]["watched"] == []
    sizes = np.array(found[0]["watched"])
    assert sizes.sum(axis=0).tolist() == [shards.N_FIRST] * 3
    assert set(sizes[:-1, 0]) == {10, 11}  # 16 * 70 / 103


@pytest.mark.parametrize("name", shards.FAILURES)
def test_where_one_process_fails_the_other_does_not_wait(found, name):
    for ended, expected in zip((found[0][name], found[1][name]), ERRORS[name], strict=True):
        with pytest.raises(RuntimeError, match=expected):
            raise RuntimeError(ended)


# --- in one process


def make_batches(n_samples, counts, rank, batch_size):
    own = np.arange(n_samples)
    kept = Sample(np.zeros((1, 1)), np.zeros(1), None)
    samples = Sample(own[:, None] + 100.0 * rank, own + 100.0 * rank, None)
    stream = ShardStream(HeldStream(samples, (n_samples, 1), kept), counts, rank)
    random_state = np.random.RandomState(0)
    return ShardedBatches(StreamedDataset(stream), batch_size, True, random_state)


@pytest.mark.parametrize(
    ("counts", "batch_size"), [((60, 43), 16), ((5, 2000, 1), 7), ((3, 3), 2), ((9, 1), 100)]
)
def test_mini_batches_have_a_part_of_every_shard(counts, batch_size):
    ranks = range(len(counts))
    shares = [list(make_batches(counts[r], counts, r, batch_size).iterate_shares()) for r in ranks]
    n_batches = -(-sum(counts) // batch_size)
    assert {len(of_rank) for of_rank in shares} == {n_batches}
    for of_batch in zip(*shares, strict=True):
        assert len({share.n_samples for share in of_batch}) == 1
        places = [i for share in of_batch for i in range(share.place.start, share.place.stop)]
        assert places == list(range(of_batch[0].n_samples))
        assert 0 < len(places) < batch_size + len(counts)
        assert all(share.is_empty or len(share.X) == len(share.target) for share in of_batch)
    for rank in ranks:
        own = torch.cat([s.target for s in shares[rank] if not s.is_empty])
        assert sorted(own.tolist()) == [100.0 * rank + i for i in range(counts[rank])]


def test_an_epoch_goes_on_in_its_middle():
    whole = make_batches(60, (60, 43), 0, 16)
    targets = [share.target for share in whole.iterate_shares()]
    rest = [share.target for share in whole.iterate_shares(first=3)]
    assert torch.cat(rest).tolist() == torch.cat(targets[3:]).tolist()


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("model", "match"),
    [
        (DeepMLPClassifier(solver="lbfgs"), r"as a source gives them. solver='lbfgs' looks at all"),
        (DeepMLPClassifier(target_encoding=5), r"as a source gives them. target_encoding=5 takes"),
        (DeepMLPClassifier(pretrained=AutoencoderTransformer(2)), r"source gives them. pretrained"),
    ],
)
def test_what_needs_all_samples_at_once_is_refused(model, match):
    with pytest.raises(ValueError, match=match):
        model.set_params(n_processes="shards").fit(X, LABELS)
    assert not hasattr(model, "net_")


@pytest.mark.usefixtures("world")
def test_parts_of_shards_are_refused():
    model = DeepMLPRegressor(n_processes="shards")
    with pytest.raises(ValueError, match="partial_fit takes no shards: n_processes='shards' joins"):
        model.partial_fit(X, Y)


def test_shards_without_a_world_are_refused():
    with pytest.raises(RuntimeError, match=r"n_processes='shards' trains with .* not initialized"):
        DeepMLPRegressor(n_processes="shards").fit(X, Y)


@pytest.mark.usefixtures("world")
def test_batched_searches_of_shards_are_refused():
    search = BatchedGridSearchCV(
        DeepMLPRegressor(n_processes="shards"), {"alpha": [0.1, 1.0]}, cv=2, error_score="raise"
    )
    with pytest.raises(ValueError, match="is for one fit at a time, which all processes call"):
        search.fit(X, Y)


@pytest.mark.usefixtures("world")
def test_a_world_of_one_process_has_one_shard():
    params = {"max_iter": 3, "random_state": 0, "dtype": "float64", "batch_size": len(X)}
    alone = DeepMLPRegressor(**params).fit(X.tolist(), Y.tolist())
    together = DeepMLPRegressor(**params, n_processes="shards").fit(X.tolist(), Y.tolist())
    assert together.loss_curve_ == pytest.approx(alone.loss_curve_, rel=1e-12)


@pytest.mark.usefixtures("world")
def test_few_samples_hold_none_out():
    params = {"max_iter": 2, "n_members": 2, "hidden_width": 4, "random_state": 0}
    model = TabularMLPClassifier(**params, n_processes="shards").fit(X[:20], LABELS[:20] > 0)
    assert model.validation_scores_ is None
    assert model.feature_importances_.shape == (5,)
