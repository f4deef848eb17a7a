"""Few labels: networks that begin with an autoencoder's layers, and that label samples themselves.

``python -m benchmarks.few_labels`` prints a table for images and one for tables, as means over
seeds. Each line tells the test error, or log loss, of networks that begin at random, of those that
begin with the layers of an autoencoder, and of `PseudoLabelClassifier`, whose teachers are several
of them; and the ratios to the first.

- Images: digits, and the 60,000 training images of Fashion-MNIST. The settings were fixed on a
  validation split of the latter, and digits had no part in it. Teachers begin with the layers of
  two autoencoders, from which different shares of the pixels were hidden.
- Tables: 10 % of at most 4,000 samples have labels. The log loss is the mean of five networks; that
  of their mean probabilities stands there, too, as the teachers of tables are several.

- Peers: scikit-learn's ``SelfTrainingClassifier`` around the same network and around
  ``MLPClassifier``, and its ``LabelSpreading``. Their settings are the best of a few on another
  choice of labels, by the true labels of the other samples, which ours do not see; ours are the
  defaults. See `benchmarks.few_labels_peers`.

``--tables`` and ``--images`` are the folders of the data, ``--seeds`` the number of seeds,
``--parts`` some of images, tables and peers, ``--cases`` the names of some data sets, and
``--quick`` only shows that everything works.
"""

import argparse
import gzip
import json
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from benchmarks.autoencoders import print_table
from benchmarks.few_labels_peers import NAMES, compare_peers, load_table
from sknn import AutoencoderTransformer, DeepMLPClassifier
from sknn.semi_supervised import PseudoLabelClassifier

PARTS = ("images", "tables", "peers")
#: tables of two classes
TABLES = (
    "mammography",
    "phoneme",
    "magic",
    "bank_marketing",
    "adult",
    "credit_default",
    "german_credit",
    "electricity",
)
#: what peers are compared on: tables without categories, and labels of images
PEER_TABLES = ("phoneme", "magic", "mammography")
PEER_IMAGES = {"digits": (20, 135), "Fashion-MNIST": (600,)}
#: labels of images
IMAGES = {"digits": (20, 135), "Fashion-MNIST": (600, 6000)}
#: most samples of a table, share of them with labels, and images without labels
MAX_SAMPLES, SHARE, MAX_IMAGES = 4000, 0.1, 60_000
#: steps of an autoencoder of images, samples of each, and shares of pixels that are hidden
STEPS, BATCH, MASKS = 6000, 128, (0.75, 0.5)
#: teachers of images, and of tables, of each beginning; networks whose mean is shown
IMAGE_TEACHERS, TABLE_TEACHERS = 2, 5


def make_of_images(
    n_images: int, seed: int, n_steps: int
) -> tuple[DeepMLPClassifier, list[AutoencoderTransformer]]:
    """Return a network for images in [0, 1] that begins at random, and autoencoders for it."""
    autoencoder = AutoencoderTransformer(
        256,
        (512,),
        kind="masked",
        scale=None,
        initializer="auto",
        batch_size=BATCH,
        max_iter=max(1, n_steps * BATCH // n_images),
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=seed,
    )
    network = DeepMLPClassifier((512, 256), dropout=0.3, dtype="float32", random_state=seed)
    autoencoders = [clone(autoencoder).set_params(mask_fraction=share) for share in MASKS]
    return network.set_params(max_iter=150), autoencoders


def compare_images(
    name: str, images: tuple, numbers: tuple[int, ...], seeds: range, n_steps: int = STEPS
) -> list[list]:
    """Return lines with test errors: at random, pretrained, and taught; means over seeds.

    There is a line for each number of labels.
    """
    X, y, X_test, y_test = images
    errors: dict[int, list] = {n_labels: [] for n_labels in numbers}
    for seed in seeds:
        network, autoencoders = make_of_images(len(X), seed, n_steps)
        begun = [
            clone(network).set_params(pretrained=autoencoder.fit(X), freeze_epochs=50)
            for autoencoder in autoencoders
        ]
        for n_labels in numbers:
            few, others = train_test_split(
                np.arange(len(y)), train_size=n_labels, random_state=seed, stratify=y
            )
            models = (
                clone(network).fit(X[few], y[few]),
                clone(begun[0]).fit(X[few], y[few]),
                teach_images(begun, len(X), seed, n_steps).fit(
                    X[few], y[few], X_unlabelled=X[others]
                ),
            )
            errors[n_labels].append([1 - model.score(X_test, y_test) for model in models])
            print(name, n_labels, seed, errors[n_labels][-1], file=sys.stderr, flush=True)  # noqa: T201
    return [[name, n, *compare_with_first(of_number)] for n, of_number in errors.items()]


def compare_with_first(errors: list[list[float]]) -> list[float]:
    """Return the mean of the first kind, then of each other its mean and the ratio of both."""
    first, *others = map(float, np.mean(errors, axis=0))
    return [first, *(value for mean in others for value in (mean, mean / first))]


def teach_images(
    begun: list[DeepMLPClassifier], n_images: int, seed: int, n_steps: int
) -> PseudoLabelClassifier:
    """Return a classifier that labels images by networks such as those of `begun`."""
    params = {
        "max_iter": max(1, n_steps // 2 * 200 // n_images),
        "freeze_epochs": 0,
        "learning_rate": "cosine",
        "learning_rate_init": 0.002,
    }
    return PseudoLabelClassifier(
        begun[0],
        teachers=begun * IMAGE_TEACHERS,
        soft=False,
        round_params=params,
        random_state=seed,
    )


def read_idx(path: Path) -> np.ndarray:
    """Return the array of a file in the format of MNIST, packed or not."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    n_axes = content[3]
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(n_axes)]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def load_fashion(folder: Path) -> tuple:
    """Return training images, their classes, test images and theirs."""
    parts = []
    for part in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        parts.append(read_idx(next(folder.glob(f"{part}*"))))
    X, y, X_test, y_test = parts
    chosen = np.random.default_rng(0).permutation(len(X))[:MAX_IMAGES]
    flat = [images.reshape(len(images), -1).astype(np.float32) / 255 for images in (X, X_test)]
    return flat[0][chosen], y[chosen], flat[1], y_test


def load_digits_split() -> tuple:
    """Return digits in the form of `load_fashion`."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    return X.astype(np.float32), y, X_test.astype(np.float32), y_test


def load_classes(name: str, folder: Path, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a data frame and its classes, at most `MAX_SAMPLES` of them."""
    meta = {entry["name"]: entry for entry in json.loads((folder / "meta.json").read_text())}
    frame = pd.read_parquet(folder / f"{name}.parquet")
    for column in meta[name]["cats"]:
        frame[column] = frame[column].astype("category")
    frame = frame.sample(frac=1, random_state=seed)[:MAX_SAMPLES].reset_index(drop=True)
    return frame, frame.pop("__target__").to_numpy()


def compare_tables(name: str, folder: Path, seeds: range) -> list:
    """Return a line with log losses: at random, their mean, pretrained, and taught."""
    losses, n_labels = [], 0
    for seed in seeds:
        frame, y = load_classes(name, folder, seed)
        train, test = train_test_split(
            np.arange(len(y)), test_size=0.3, random_state=seed, stratify=y
        )
        few, others = train_test_split(
            train, train_size=SHARE, random_state=seed, stratify=y[train]
        )
        n_labels = len(few)
        autoencoder = AutoencoderTransformer(
            64, (128,), kind="masked", max_iter=60, random_state=seed
        ).fit(frame.iloc[train])
        network = DeepMLPClassifier(
            (128, 64),
            scale="standard",
            dropout=0.3,
            early_stopping=True,
            scoring="loss",
            random_state=seed,
        )
        begun = clone(network).set_params(pretrained=autoencoder)
        taught = PseudoLabelClassifier(
            begun, teachers=[network, begun] * TABLE_TEACHERS, random_state=seed
        )
        X, X_test = frame.iloc[few], frame.iloc[test]
        taught.fit(X, y[few], X_unlabelled=frame.iloc[others])
        alone, first = (
            [
                clone(model).set_params(random_state=100 * i + seed).fit(X, y[few])
                for i in range(TABLE_TEACHERS)
            ]
            for model in (network, begun)
        )
        proba = [[model.predict_proba(X_test) for model in kind] for kind in (alone, first)]
        usual, usual_begun = (np.mean([log_loss(y[test], p) for p in kind]) for kind in proba)
        together = log_loss(y[test], np.mean(proba[0], axis=0))
        loss = log_loss(y[test], taught.predict_proba(X_test))
        losses.append([usual, together, usual_begun, loss])
    return [name, n_labels, *compare_with_first(losses)]


def is_chosen(cases: list[str] | None, name: str, n_labels: int) -> bool:
    """Return whether a line is to be printed: all of a data set, or one such as digits-20."""
    return cases is None or bool({name, f"{name}-{n_labels}"} & set(cases))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, default=Path("../shared/data/tabular"))
    parser.add_argument("--images", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--cases", nargs="+")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    seeds = range(1 if options.quick else options.seeds)
    if "images" in options.parts:
        cases = {"digits": (20,)} if options.quick else IMAGES
        n_steps, lines = 50 if options.quick else STEPS, []
        for name, numbers in cases.items():
            some = [n for n in numbers if is_chosen(options.cases, name, n)]
            if some:
                images = load_digits_split() if name == "digits" else load_fashion(options.images)
                lines += compare_images(name, images, tuple(some), seeds, n_steps)
        print_table(
            ["error", "labels", "at random", "pretrained", "ratio", "taught", "ratio"], lines
        )
    if "tables" in options.parts:
        names = ("german_credit",) if options.quick else options.cases or TABLES
        lines = [compare_tables(name, options.tables, seeds) for name in names if name in TABLES]
        ratios = np.mean([line[4::2] for line in lines], axis=0)
        lines.append(["mean", "", "", *(cell for ratio in ratios for cell in ("", float(ratio)))])
        head = ["log loss", "labels", "at random", f"mean of {TABLE_TEACHERS}", "ratio"]
        print_table([*head, "pretrained", "ratio", "taught", "ratio"], lines)
    if "peers" in options.parts:
        print_table(["error or log loss", "labels", *NAMES], list_peers(options, seeds))


def list_peers(options: argparse.Namespace, seeds: range) -> list[list]:
    """Return lines of scikit-learn's methods beside ours."""
    images = {"digits": lambda seed: load_digits_split()}
    images["Fashion-MNIST"] = lambda seed: take_some(load_fashion(options.images))
    lines = []
    for name, numbers in ({"digits": (20,)} if options.quick else PEER_IMAGES).items():
        lines += [
            compare_peers(name, images[name], n, seeds, is_table=False)
            for n in numbers
            if is_chosen(options.cases, name, n)
        ]
    for name in () if options.quick else PEER_TABLES:
        if is_chosen(options.cases, name, 0):
            load = partial(load_table, name, options.tables, load_classes=load_classes)
            lines.append(compare_peers(name, load, SHARE, seeds, is_table=True))
    return lines


def take_some(images: tuple) -> tuple:
    """Return images of which 10,000 are for training: neighbours of all take scikit-learn long."""
    X, y, X_test, y_test = images
    return X[:10_000], y[:10_000], X_test, y_test


if __name__ == "__main__":
    main()
