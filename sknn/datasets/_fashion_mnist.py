"""Fashion-MNIST: 70,000 small pictures of clothes, in ten classes."""

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml, get_data_home
from sklearn.utils import Bunch

from sknn.datasets._idx import read_idx, write_idx

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
SIDE = 28  # pixels
#: part of the data -> how its files' names start
FILE_STARTS = {"train": "train", "test": "t10k"}
#: what `subset` may be -> the parts it has
SUBSETS = {"all": ("train", "test"), "train": ("train",), "test": ("test",)}


@dataclass(frozen=True)
class Edition:
    """Origin of a data set in the four files of MNIST, and marks by which it is recognised.

    Attributes
    ----------
    n_train : int
        Number of training images.
    labels_crc : dict of str to int
        Part -> CRC-32 of its labels, since MNIST's digits and others come in files of the same
        names.
    folder : Path
        Folder of its Debian package.
    fetch : callable
        Fetches images and labels, as `sklearn.datasets.fetch_openml` does.
    """

    n_train: int
    labels_crc: dict[str, int]
    folder: Path
    fetch: Callable[..., tuple[np.ndarray, np.ndarray]]


PUBLISHED = Edition(
    60_000,
    {"train": 0x2ED6E46A, "test": 0x242BC73F},
    Path("/usr/share/datasets/fashion-mnist"),
    fetch_openml,
)

DESCR = """\
Fashion-MNIST
-------------

Pictures of articles of the shop Zalando, made as a harder replacement of the handwritten digits
of MNIST, with the same size, layout and split.

=================   ==========================
Classes                                     10
Samples, training       60000, 6000 of a class
Samples, test           10000, 1000 of a class
Dimensionality                  784 (28 x 28)
Features            grey levels, 0 = background
=================   ==========================

Copyright 2017 Zalando SE, MIT licence. H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel
image dataset for benchmarking machine learning algorithms", 2017, arXiv:1708.07747.
"""


def load_fashion_mnist(
    *,
    subset: str = "all",
    return_X_y: bool = False,
    scale: bool = True,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load the Fashion-MNIST images (classification), and download them if necessary.

    The images [1]_ are read from `data_home`, or from the folder of the Debian package
    ``dataset-fashion-mnist``, or else fetched from OpenML (30 MB) and kept in `data_home`.

    Parameters
    ----------
    subset : {'all', 'train', 'test'}, default='all'
        Images to load: the 60,000 training images, the 10,000 test images, or both in this order.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` in place of a Bunch.
    scale : bool, default=True
        Whether grey levels are float32 in [0, 1], or uint8 from 0 to 255.
    data_home : str or path-like, default=None
        Folder with the four files, ``train-images-idx3-ubyte.gz`` and so on, compressed or not;
        they may also lie in its folder ``fashion-mnist``. None is scikit-learn's data folder, see
        `sklearn.datasets.get_data_home`.
    download_if_missing : bool, default=True
        Whether to download files that are not on this machine; if not, OSError is raised.

    Returns
    -------
    data : sklearn.utils.Bunch
        Data set with the attributes

        data : ndarray of shape (n_samples, 784)
            Images, one in each row, with their pixels line by line.
        target : ndarray of shape (n_samples,)
            Class numbers, 0 to 9, as int64.
        images : ndarray of shape (n_samples, 28, 28)
            The same memory as `data`.
        feature_names : list of str
            ``'pixel_0_0'`` to ``'pixel_27_27'``, line first.
        target_names : ndarray of shape (10,)
            Names of the classes.
        DESCR : str
            Description of the data.
    (data, target) : tuple of ndarray
        If ``return_X_y=True``.

    Raises
    ------
    OSError
        If ``download_if_missing=False`` and the files are not found, or OpenML cannot be reached.
    ValueError
        If `subset` is unknown, or a file is damaged or is not Fashion-MNIST's.

    References
    ----------
    .. [1] H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for
       benchmarking machine learning algorithms", 2017, arXiv:1708.07747.

    Examples
    --------
    >>> from sknn.datasets import load_fashion_mnist
    >>> fashion = load_fashion_mnist(subset="test")  # doctest: +SKIP
    >>> fashion.data.shape, fashion.target_names[fashion.target[0]]  # doctest: +SKIP
    ((10000, 784), np.str_('Ankle boot'))
    """
    return load_edition(
        PUBLISHED,
        subset=subset,
        return_X_y=return_X_y,
        scale=scale,
        data_home=data_home,
        download_if_missing=download_if_missing,
    )


def load_edition(
    edition: Edition,
    *,
    subset: str = "all",
    return_X_y: bool = False,
    scale: bool = True,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load an edition of the images; see `load_fashion_mnist`."""
    if subset not in SUBSETS:
        raise ValueError(f"subset must be one of {sorted(SUBSETS)}; got {subset!r}.")
    parts, folders = SUBSETS[subset], [*_list_folders(data_home), edition.folder]
    files = _find_files(parts, folders)
    if files is None and download_if_missing:
        _fetch(edition, data_home)
        files = _find_files(parts, folders)
    if files is None:
        looked_in = " or ".join(repr(str(folder)) for folder in folders)
        raise OSError(
            f"No Fashion-MNIST files, {FILE_STARTS[parts[0]]}-images-idx3-ubyte.gz and so on, were "
            f"found in {looked_in}. Put them there, name their folder by data_home, or call with "
            "download_if_missing=True."
        )
    pairs = _read(files, edition)
    images, target = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    return _make_bunch(images, target.astype(np.int64), return_X_y=return_X_y, scale=scale)


def _list_folders(data_home: str | os.PathLike[str] | None) -> list[Path]:
    """Return where files are kept; unlike scikit-learn's `get_data_home`, create nothing."""
    if data_home is None:
        data_home = os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data")
    home = Path(data_home).expanduser()
    return [home, home / "fashion-mnist"]


def _find_files(parts: tuple[str, ...], folders: list[Path]) -> dict[str, tuple[Path, Path]] | None:
    """Return part -> files of images and labels, all from the first folder that has them."""
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    for folder in folders:
        files = {}
        for part in parts:
            images, labels = (_find_file(folder, f"{FILE_STARTS[part]}-{kind}") for kind in kinds)
            if images is not None and labels is not None:
                files[part] = images, labels
        if len(files) == len(parts):
            return files
    return None


def _find_file(folder: Path, name: str) -> Path | None:
    """Return the packed file of a name, or else the plain one, or None."""
    files = (folder / f"{name}.gz", folder / name)
    return next((file for file in files if file.is_file()), None)


def _read(
    files: dict[str, tuple[Path, Path]], edition: Edition
) -> list[tuple[np.ndarray, np.ndarray]]:
    pairs = []
    for part, (image_file, label_file) in files.items():
        images, labels = read_idx(image_file, 3), read_idx(label_file, 1)
        if images.shape != (len(labels), SIDE, SIDE):
            raise ValueError(
                f"{str(image_file)!r} must hold {len(labels)} images of {SIDE} × {SIDE} pixels, as "
                f"many as there are labels beside it; its shape is {images.shape}."
            )
        remedy = "MNIST's own files have the same names; keep them in another folder."
        _check_labels(labels, edition.labels_crc[part], f"{part} labels", str(label_file), remedy)
        pairs.append((images, labels))
    return pairs


def _check_labels(labels: np.ndarray, expected: int, name: str, origin: str, remedy: str) -> None:
    crc = zlib.crc32(labels.tobytes())
    if crc != expected:
        raise ValueError(
            f"The {len(labels)} labels of {origin!r} are not the {name} of Fashion-MNIST: their "
            f"CRC-32 is {crc:#010x}, not {expected:#010x}. {remedy}"
        )


def _fetch(edition: Edition, data_home: str | os.PathLike[str] | None) -> None:
    """Fetch all from OpenML, and keep it in the four files the data set is published in."""
    home = get_data_home(data_home)
    # cache=False: the data are kept below, as the files that are looked for.
    X, y = edition.fetch(
        "Fashion-MNIST",
        version=1,
        data_home=home,
        cache=False,
        return_X_y=True,
        as_frame=False,
        parser="auto",
    )
    images, labels = X.reshape(-1, SIDE, SIDE).astype(np.uint8), y.astype(np.uint8)
    n_train = edition.n_train
    samples = {"train": slice(n_train), "test": slice(n_train, None)}
    for part in FILE_STARTS:
        remedy = "Its copy has changed; get the files elsewhere and name their folder by data_home."
        own = labels[samples[part]]
        _check_labels(own, edition.labels_crc[part], f"{part} labels", "OpenML", remedy)
    folder = Path(home, "fashion-mnist")
    folder.mkdir(exist_ok=True)
    for part, start in FILE_STARTS.items():
        write_idx(folder / f"{start}-images-idx3-ubyte.gz", images[samples[part]])
        write_idx(folder / f"{start}-labels-idx1-ubyte.gz", labels[samples[part]])


def _make_bunch(
    images: np.ndarray, target: np.ndarray, *, return_X_y: bool, scale: bool
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    if scale:
        images = images.astype(np.float32)
        images /= 255
    data = images.reshape(len(images), -1)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        images=images,
        feature_names=[f"pixel_{line}_{column}" for line in range(SIDE) for column in range(SIDE)],
        target_names=np.array(CLASSES),
        DESCR=DESCR,
    )
