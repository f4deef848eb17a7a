"""The reader and writer of IDX files."""

import gzip
import re
import tracemalloc

import numpy as np
import pytest

from sknn.datasets._idx import read_idx, write_idx
from tests.helpers import damaged_copies

# Two images of 2 × 3 pixels, spelled out byte by byte after the format's description.
HEADER = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3])
VALUES = bytes([0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255])
IMAGES = np.array([[[0, 1, 2], [3, 4, 5]], [[250, 251, 252], [253, 254, 255]]], dtype=np.uint8)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_file_written_by_hand_is_read(tmp_path, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(HEADER + VALUES))
    images = read_idx(path, 3)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, IMAGES)


@pytest.mark.parametrize("array", [IMAGES, IMAGES[0, 1], IMAGES[:0]], ids=["3d", "1d", "empty"])
def test_what_is_written_is_read_back(tmp_path, array):
    path = tmp_path / "array.gz"
    write_idx(path, array)
    np.testing.assert_array_equal(read_idx(path, array.ndim), array)
    assert [file.name for file in tmp_path.iterdir()] == ["array.gz"]


def test_written_bytes_follow_the_format(tmp_path):
    write_idx(tmp_path / "images.gz", IMAGES)
    assert gzip.decompress((tmp_path / "images.gz").read_bytes()) == HEADER + VALUES


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must start with the bytes 00 00 08 03 .*starts with ''"),
        (b"<html>", "must start with the bytes 00 00 08 03 .*starts with '3c 68 74 6d'"),
        (HEADER[:3] + b"\x01" + HEADER[4:], "starts with '00 00 08 01'"),
        (b"\x00\x00\x0d" + HEADER[3:] + VALUES, "starts with '00 00 0d 03'"),
        (HEADER[:9], "ends within its header"),
        (HEADER + VALUES[:-1], re.escape("announces 12 values, of shape (2, 2, 3), and holds 11")),
        (HEADER + VALUES + b"\x00", "announces 12 values.* holds 13"),
        (gzip.compress(HEADER + VALUES, mtime=0)[:-9], "is a damaged gzip file"),
        (b"\x1f\x8bno gzip", "is a damaged gzip file"),
    ],
    ids=["empty", "html", "labels", "floats", "header", "short", "long", "cut gzip", "bad gzip"],
)
def test_damaged_file_is_refused(tmp_path, content, message):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path, 3)
    assert repr(str(path)) in str(caught.value)


@pytest.mark.parametrize("content", [HEADER + VALUES, gzip.compress(HEADER + VALUES, mtime=0)])
def test_damaged_copies_give_images_or_an_error_that_names_the_file(content, tmp_path):
    path = tmp_path / "images"
    for copy in damaged_copies(content):
        path.write_bytes(copy)
        try:
            assert read_idx(path, 3).ndim == 3
        except ValueError as error:
            assert repr(str(path)) in str(error)  # noqa: PT017 - either may happen


@pytest.mark.parametrize("n_values", [10, 2**32 - 1])
def test_no_more_is_read_than_the_header_announces_or_data_unfold_to(n_values, tmp_path):
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb") as file:
        file.write(bytes([0, 0, 8, 1]) + n_values.to_bytes(4, "big"))
        for _ in range(80):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"holds .* or more|unpacks to more than"):
        read_idx(path, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < (8 << 20 if n_values == 10 else 160 << 20)


def test_damaged_data_inside_gzip_are_refused(tmp_path):
    content = bytearray(gzip.compress(HEADER + VALUES * 100, mtime=0))
    content[20] ^= 0xFF
    (tmp_path / "images").write_bytes(content)
    with pytest.raises(ValueError, match="is a damaged gzip file"):
        read_idx(tmp_path / "images", 3)
