"""Few labels: networks that begin with the layers of an autoencoder, beside those that do not.

``python -m benchmarks.few_labels`` prints a table for images and one for tables, as means over
seeds; each line tells the error, or log loss, without and with pretraining, and their ratio.

- Images: digits, and 15,000 of Fashion-MNIST without labels. The settings were fixed on a
  validation split of Fashion-MNIST's training images, and digits had no part in it.
- Tables: 10 % of at most 4,000 samples have labels. The last column is the better of both by
  five-fold cross-validation on the labelled samples alone.

``--tables`` and ``--images`` are the folders of the data, ``--seeds`` the number of seeds,
``--parts`` one of images and tables, and ``--quick`` only shows that everything works.
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
from sklearn.model_selection import GridSearchCV, train_test_split

from benchmarks.autoencoders import print_table
from sknn import AutoencoderTransformer, DeepMLPClassifier

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
    """Return a line with test errors without and with pretraining, means over seeds."""
    X, y, X_test, y_test = images
    errors = []
    for seed in seeds:
        few, _ = train_test_split(
            np.arange(len(y)), train_size=n_labels, random_state=seed, stratify=y
        )
        network, autoencoder = make_of_images(len(X), seed, n_steps)
        begun = clone(network).set_params(pretrained=autoencoder.fit(X), freeze_epochs=50)
        models = (network.fit(X[few], y[few]), begun.fit(X[few], y[few]))
        errors.append([1 - model.score(X_test, y_test) for model in models])
    alone, begun = map(float, np.mean(errors, axis=0))
    return [name, n_labels, alone, begun, begun / alone]


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
    """Return a line with log losses: at random, pretrained, and chosen by cross-validation."""
    losses, n_labels = [], 0
    for seed in seeds:
        frame, y = load_classes(name, folder, seed)
        train, test = train_test_split(
            np.arange(len(y)), test_size=0.3, random_state=seed, stratify=y
        )
        few, _ = train_test_split(train, train_size=SHARE, random_state=seed, stratify=y[train])
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
        choices = {"pretrained": [None, autoencoder]}
        search = GridSearchCV(network, choices, scoring="neg_log_loss", cv=5)
        models = [clone(network).set_params(pretrained=start) for start in choices["pretrained"]]
        X, X_test = frame.iloc[few], frame.iloc[test]
        fitted = [model.fit(X, y[few]) for model in (*models, search)]
        losses.append([log_loss(y[test], model.predict_proba(X_test)) for model in fitted])
    alone, begun, chosen = map(float, np.mean(losses, axis=0))
    return [name, n_labels, alone, begun, begun / alone, chosen, chosen / alone]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, default=Path("../shared/data/tabular"))
    parser.add_argument("--images", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    seeds = range(1 if options.quick else options.seeds)
    if "images" in options.parts:
        digits = load_digits_split()
        cases = [("digits", digits, n) for n in ((20,) if options.quick else (20, 135))]
        if not options.quick:
            fashion = load_fashion(options.images)
            cases += [("Fashion-MNIST", fashion, n) for n in (600, 6000)]
        n_steps = 50 if options.quick else STEPS
        lines = [compare_images(*case, seeds, n_steps) for case in cases]
        print_table(["error", "labels", "at random", "pretrained", "ratio"], lines)
    if "tables" in options.parts:
        names = ("german_credit",) if options.quick else TABLES
        lines = [compare_tables(name, options.tables, seeds) for name in names]
        means = np.mean([[line[4], line[6]] for line in lines], axis=0)
        lines.append(["mean", "", "", "", float(means[0]), "", float(means[1])])
        head = ["log loss", "labels", "at random", "pretrained", "ratio", "chosen"]
        print_table([*head, "ratio of the chosen"], lines)


if __name__ == "__main__":
    main()
