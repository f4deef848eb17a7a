"""Two processes train the network that one trains; the fits are those of `fits`."""

import pickle

import numpy as np
import pytest

from tests.engine.distributed import fits
from tests.engine.distributed.fits import CHECKPOINT, FAILURES, FITS, OTHERS

pytestmark = pytest.mark.filterwarnings("ignore")

LOST = "Process 0 of 2 lost another one"
#: name -> error of the first process, of the second
ERRORS = {
    "callback": ("ZeroDivisionError: in a", "PeerError: .* process 0 raised ZeroDivisionError: in"),
    "finish": ("PeerError: .* process 1 raised AttributeError", "AttributeError"),
    "other samples": ("ValueError: .* different things: X, parameters",) * 2,
    "other y": ("ValueError: .* different things: y",) * 2,
    "missing values": ("PeerError: .* process 1 raised ValueError: Input X", "ValueError: Input X"),
    "means over samples": ("ValueError: .* Centered .* on the other samples of a mini-batch",) * 2,
    "network": ("PeerError: .* process 1 raised ValueError: no fifth", "ValueError: no fifth"),
    "lost": (f"PeerError: {LOST}", None),
}


@pytest.fixture(scope="module")
def alone():
    """Return what the fits of one process ended in."""
    return {name: fits.fit(name) for name in FITS}


@pytest.fixture(scope="module")
def found(tmp_path_factory, alone):
    """Return what the fits of two processes ended in, by rank."""
    assert alone  # code that one process has compiled is there for two
    folder = tmp_path_factory.mktemp("world")
    codes, errors = fits.run_two(fits.__name__, folder)
    assert codes == [0, 3], errors
    return [pickle.loads((folder / f"{rank}.pickle").read_bytes()) for rank in range(2)]


def compare(first, second, rtol, but=("time",)):
    """Compare what two estimators have, and lists and dicts of it."""
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first.keys() - set(but):
            compare(first[key], second[key], rtol, but)
    elif isinstance(first, str) or first is None:
        assert first == second
    else:
        np.testing.assert_allclose(first, second, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", [*FITS, *OTHERS, CHECKPOINT])
def test_all_processes_have_the_same_estimator(found, name):
    first, second = found[0][name], found[1][name]
    assert not isinstance(first, str), first
    assert first["runner_"] == ("lbfgs" if name.startswith("lbfgs") else "distributed")
    compare(first, second, 0.0, but=())


@pytest.mark.parametrize("name", FITS)
def test_the_network_is_that_of_one_process(found, alone, name):
    expected = dict(alone[name])
    assert expected.pop("runner_") != "distributed"
    compare({k: v for k, v in found[0][name].items() if k != "runner_"}, expected, 1e-10)


@pytest.mark.parametrize("name", [name for name in OTHERS if name != "no seed"])
def test_fits_after_each_other_are_those_of_one_process(found, name):
    expected = OTHERS[name]()
    compare({**found[0][name], "runner_": expected["runner_"]}, expected, 1e-10)


def test_a_fit_goes_on_from_a_checkpoint_of_the_first_process(found):
    expected = fits.describe(fits.regressor().fit(fits.X, fits.Y), fits.X)
    compare({**found[0][CHECKPOINT], "runner_": expected["runner_"]}, expected, 1e-10)


def test_only_the_first_process_prints_and_calls_callbacks(found):
    first, second = found[0]["watched"], found[1]["watched"]
    assert first["printed"].count("Iteration") == first["seen"] == 3
    assert first["shapes"] == {(16, 16, 1), (7, 7, 1)}
    assert (second["printed"], second["seen"], second["shapes"]) == ("", 0, set())
    assert first["n_iter_"] == second["n_iter_"] == 3


@pytest.mark.parametrize("name", FAILURES)
def test_where_one_process_fails_the_other_does_not_wait(found, name):
    for ended, expected in zip((found[0][name], found[1].get(name)), ERRORS[name], strict=True):
        if expected is None:
            assert ended is None
        else:
            with pytest.raises(RuntimeError, match=expected):
                raise RuntimeError(ended)
