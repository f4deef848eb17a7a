"""Fashion-MNIST: from files, from OpenML, and the real data where they are."""

import re
import zlib
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sknn.datasets import load_fashion_mnist
from sknn.datasets._fashion_mnist import PUBLISHED, Edition, load_edition
from sknn.datasets._idx import write_idx

N_TRAIN, N_TEST = 6, 4
on_this_machine = pytest.mark.skipif(
    not (PUBLISHED.folder / "t10k-labels-idx1-ubyte.gz").exists(),
    reason="needs the Debian package dataset-fashion-mnist",
)


@pytest.fixture
def tiny():
    """Return ten images that take the place of the 70,000, and their labels."""
    images = np.random.default_rng(0).integers(256, size=(10, 28, 28), dtype=np.uint8)
    return images, np.arange(10, dtype=np.uint8)[::-1].copy()


@pytest.fixture
def edition(tiny, tmp_path):
    """Return what stands for all that was published; nothing is found outside tmp_path."""
    _, labels = tiny
    parts = {"train": labels[:N_TRAIN], "test": labels[N_TRAIN:]}
    crc = {part: zlib.crc32(own.tobytes()) for part, own in parts.items()}
    return Edition(N_TRAIN, crc, tmp_path / "debian", refuse_to_fetch)


@pytest.fixture
def load(edition):
    return partial(load_edition, edition)


def refuse_to_fetch(*args, **kwargs):
    raise AssertionError("OpenML was asked although the files are there")


def _write(folder, images, labels, parts=("train", "test")):
    folder.mkdir(exist_ok=True)
    rows = {"train": slice(N_TRAIN), "test": slice(N_TRAIN, None)}
    starts = {"train": "train", "test": "t10k"}
    for part in parts:
        write_idx(folder / f"{starts[part]}-images-idx3-ubyte.gz", images[rows[part]])
        write_idx(folder / f"{starts[part]}-labels-idx1-ubyte.gz", labels[rows[part]])


@pytest.mark.parametrize("place", [".", "fashion-mnist", "debian"])
@pytest.mark.parametrize(
    ("subset", "rows"),
    [("all", slice(None)), ("train", slice(N_TRAIN)), ("test", slice(N_TRAIN, None))],
)
def test_files_are_found_and_split(tiny, load, tmp_path, place, subset, rows):
    images, labels = tiny
    _write(tmp_path / place, images, labels)
    data = load(subset=subset, data_home=tmp_path)
    assert data.data.dtype == np.float32
    np.testing.assert_allclose(data.images, images[rows] / 255, rtol=1e-6)
    np.testing.assert_array_equal(data.data, data.images.reshape(-1, 784))
    assert data.target.dtype == np.int64
    np.testing.assert_array_equal(data.target, labels[rows])


def test_one_part_needs_only_its_own_files(tiny, load, tmp_path):
    _write(tmp_path, *tiny, parts=["test"])
    X, _ = load(subset="test", return_X_y=True, data_home=tmp_path)
    assert len(X) == N_TEST
    with pytest.raises(OSError, match="train-images-idx3-ubyte"):
        load(subset="train", data_home=tmp_path, download_if_missing=False)


def test_unscaled_grey_levels_are_the_bytes(tiny, load, tmp_path):
    images, labels = tiny
    _write(tmp_path, images, labels)
    X, y = load(return_X_y=True, scale=False, data_home=str(tmp_path))
    assert X.dtype == np.uint8
    np.testing.assert_array_equal(X, images.reshape(-1, 784))
    np.testing.assert_array_equal(y, labels)
    X[0, 0] = 7  # a caller may write into the result
    assert X[0, 0] == 7


def test_uncompressed_files_are_read(tiny, load, tmp_path):
    images, labels = tiny
    header = bytes([0, 0, 8, 3, 0, 0, 0, N_TEST, 0, 0, 0, 28, 0, 0, 0, 28])
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(header + images[N_TRAIN:].tobytes())
    header = bytes([0, 0, 8, 1, 0, 0, 0, N_TEST])
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(header + labels[N_TRAIN:].tobytes())
    _, y = load(subset="test", return_X_y=True, data_home=tmp_path)
    np.testing.assert_array_equal(y, labels[N_TRAIN:])


def test_names_and_description(tiny, load, tmp_path):
    _write(tmp_path, *tiny)
    data = load(data_home=tmp_path)
    assert len(data.feature_names) == 784
    assert data.feature_names[29] == "pixel_1_1"
    assert data.target_names[[0, 9]].tolist() == ["T-shirt/top", "Ankle boot"]
    assert "arXiv:1708.07747" in data.DESCR


def test_default_folder_is_scikit_learns(tiny, load, tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    _write(tmp_path / "fashion-mnist", *tiny)
    assert len(load(subset="test").target) == N_TEST


def test_missing_files_without_download_are_an_error(load, tmp_path):
    home = tmp_path / "nothing here"
    message = f"found in {str(home)!r} or .*fashion-mnist' or .*debian'.* data_home"
    with pytest.raises(OSError, match=message):
        load(data_home=home, download_if_missing=False)
    assert not home.exists()


def test_unknown_subset_is_an_error(load):
    with pytest.raises(ValueError, match=re.escape("['all', 'test', 'train']; got 'valid'")):
        load(subset="valid")


def test_digits_in_place_of_clothes_are_refused(tiny, load, tmp_path):
    images, labels = tiny
    _write(tmp_path, images, labels[::-1])
    with pytest.raises(ValueError, match=r"are not the test labels of Fashion-MNIST.*same names"):
        load(subset="test", data_home=tmp_path)


@pytest.mark.parametrize("fault", ["rows", "pixels"])
def test_images_that_do_not_match_their_labels_are_refused(tiny, load, tmp_path, fault):
    images, labels = tiny
    _write(tmp_path, images, labels)
    wrong = images[N_TRAIN:-1] if fault == "rows" else images[N_TRAIN:, 1:]
    write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", wrong)
    with pytest.raises(ValueError, match=r"must hold 4 images of 28 × 28 pixels.*its shape is \("):
        load(subset="test", data_home=tmp_path)


def test_openml_is_asked_once_and_the_files_are_kept(tiny, edition, tmp_path):
    images, labels = tiny
    calls = []

    def fetch_openml(name, **options):
        calls.append((name, options))
        return images.reshape(-1, 784).astype(np.int64), labels.astype(str).astype(object)

    load = partial(load_edition, replace(edition, fetch=fetch_openml))
    home = tmp_path / "home"
    X, y = load(return_X_y=True, scale=False, data_home=home)
    np.testing.assert_array_equal(X, images.reshape(-1, 784))
    np.testing.assert_array_equal(y, labels)
    again, _ = load(return_X_y=True, scale=False, data_home=home, download_if_missing=False)
    np.testing.assert_array_equal(again, X)
    ((name, options),) = calls
    assert name == "Fashion-MNIST"
    assert options["version"] == 1
    assert options["data_home"] == str(home)
    assert not options["as_frame"]


def test_openml_in_another_order_is_refused_and_not_kept(tiny, edition, tmp_path):
    images, labels = tiny

    def fetch_openml(name, **options):
        return images.reshape(-1, 784), labels[::-1].astype(str)

    with pytest.raises(ValueError, match=r"'OpenML' are not the train labels.*data_home"):
        load_edition(replace(edition, fetch=fetch_openml), data_home=tmp_path)
    assert not list(tmp_path.rglob("*.gz"))


@on_this_machine
def test_real_test_images():
    data = load_fashion_mnist(subset="test", scale=False, download_if_missing=False)
    assert data.images.shape == (10_000, 28, 28)
    assert np.bincount(data.target).tolist() == [1000] * 10
    assert data.target_names[data.target[:3]].tolist() == ["Ankle boot", "Pullover", "Trouser"]
    assert data.data.mean() == pytest.approx(73.147, abs=0.001)


@on_this_machine
def test_real_images_in_all():
    X, y = load_fashion_mnist(return_X_y=True, download_if_missing=False)
    assert X.shape == (70_000, 784)
    assert X.dtype == np.float32
    assert (X.min(), X.max()) == (0, 1)
    assert np.bincount(y[:60_000]).tolist() == [6000] * 10
