"""Few labels: networks that begin with an autoencoder's layers, and that label samples themselves.

``python -m benchmarks.few_labels`` prints a table for images and one for tables, as means over
seeds. Each line tells the test error, or log loss, of networks that begin at random, of those that
begin with the layers of an autoencoder, and of `PseudoLabelClassifier`, whose teachers are several
of them; and the ratios to the first.

- Images: digits, and 15,000 of Fashion-MNIST without labels. The settings were fixed on a
  validation split of Fashion-MNIST's training images, and digits had no part in it.
- Tables: 10 % of at most 4,000 samples have labels. The log loss is the mean of five networks; that
  of their mean probabilities stands there, too, as the teachers of tables are several.

``--tables`` and ``--images`` are the folders of the data, ``--seeds`` the number of seeds,
``--parts`` one of images and tables, ``--cases`` the names of some data sets, and ``--quick`` only
shows that everything works.
"""

import argparse
import gzip
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from benchmarks.autoencoders import print_table
from sknn import AutoencoderTransformer, DeepMLPClassifier
from sknn.semi_supervised import PseudoLabelClassifier

PARTS = ("images", "tables")
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
#: most samples of a table, share of them with labels, and images without labels
MAX_SAMPLES, SHARE, MAX_IMAGES = 4000, 0.1, 15_000
#: steps of an autoencoder of images, and samples of each
STEPS, BATCH = 1800, 128
#: teachers of images, and of tables of either beginning; networks whose mean is shown
IMAGE_TEACHERS, TABLE_TEACHERS = 4, 5


def make_of_images(
    n_images: int, seed: int, n_steps: int
) -> tuple[DeepMLPClassifier, AutoencoderTransformer]:
    """Return a network for images in [0, 1] that begins at random, and an autoencoder for it."""
    autoencoder = AutoencoderTransformer(
        256,
        (512,),
        kind="masked",
        mask_fraction=0.5,
        scale=None,
        initializer="auto",
        batch_size=BATCH,
        max_iter=max(1, n_steps * BATCH // n_images),
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=seed,
    )
    network = DeepMLPClassifier((512, 256), dropout=0.3, dtype="float32", random_state=seed)
    return network.set_params(max_iter=150), autoencoder


def compare_images(
    name: str, images: tuple, n_labels: int, seeds: range, n_steps: int = STEPS
) -> list:
    """Return a line with test errors: at random, pretrained, and taught; means over seeds."""
    X, y, X_test, y_test = images
    errors = []
    for seed in seeds:
        few, others = train_test_split(
            np.arange(len(y)), train_size=n_labels, random_state=seed, stratify=y
        )
        network, autoencoder = make_of_images(len(X), seed, n_steps)
        begun = clone(network).set_params(pretrained=autoencoder.fit(X), freeze_epochs=50)
        taught = teach_images(begun, len(X), seed, n_steps)
        models = (
            network.fit(X[few], y[few]),
            clone(begun).fit(X[few], y[few]),
            taught.fit(X[few], y[few], X_unlabelled=X[others]),
        )
        errors.append([1 - model.score(X_test, y_test) for model in models])
    return [name, n_labels, *compare_with_first(errors)]


def compare_with_first(errors: list[list[float]]) -> list[float]:
    """Return the mean of the first kind, then of each other its mean and the ratio of both."""
    first, *others = map(float, np.mean(errors, axis=0))
    return [first, *(value for mean in others for value in (mean, mean / first))]


def teach_images(
    begun: DeepMLPClassifier, n_images: int, seed: int, n_steps: int
) -> PseudoLabelClassifier:
    """Return a classifier that labels images by networks such as `begun`."""
    params = {
        "max_iter": max(1, n_steps // 2 * 200 // n_images),
        "freeze_epochs": 0,
        "learning_rate": "cosine",
        "learning_rate_init": 0.002,
    }
    return PseudoLabelClassifier(
        begun,
        teachers=[begun] * IMAGE_TEACHERS,
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
            begun, teachers=[network, begun] * TABLE_TEACHERS, n_neighbors=0, random_state=seed
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
        cases = [("digits", n) for n in ((20,) if options.quick else (20, 135))]
        cases += [("Fashion-MNIST", n) for n in (() if options.quick else (600, 6000))]
        n_steps, lines = 50 if options.quick else STEPS, []
        for name, n_labels in cases:
            if options.cases is None or {name, f"{name}-{n_labels}"} & set(options.cases):
                images = load_digits_split() if name == "digits" else load_fashion(options.images)
                lines.append(compare_images(name, images, n_labels, seeds, n_steps))
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


if __name__ == "__main__":
    main()
