"""How long perceptrons take to be as accurate as scikit-learn's, and the online rules side by side.

``python -m benchmarks.perceptron`` prints two tables. In the first, contenders fit in turn
and are timed until the end of ``fit`` (that is when a user has the model); their accuracy is
measured on rows held out, and "reached" says in how many rounds it was that of scikit-learn's
compiled Perceptron at its defaults, or better. The second compares a pass of the online rule.
"""

# ruff: noqa: E402 - threads are pinned before NumPy is imported
import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import sys
import time
import warnings
from statistics import median

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import Perceptron

from sknn.threshold import PerceptronClassifier

N_HELD_OUT = 0.2
CONTENDERS = {
    "sklearn Perceptron": lambda seed: Perceptron(random_state=seed),
    "PerceptronClassifier": lambda seed: PerceptronClassifier(random_state=seed),
    "… average=True": lambda seed: PerceptronClassifier(average=True, random_state=seed),
}


def dense_rows(n_rows, noise, rng):
    """Return normal rows on both sides of a random plane, a share of the labels swapped."""
    X = rng.standard_normal((n_rows, 100))
    y = X @ rng.standard_normal(100) > 0
    return X, np.where(rng.random(n_rows) < noise, ~y, y).astype(int)


def text_rows(n_rows, rng, n_words=50_000):
    """Return tf-idf rows of about 80 words by Zipf's law, whose shares lean to a class."""
    frequency = 1 / (np.arange(n_words) + 21.0)
    lean = np.exp(0.2 * rng.standard_normal(n_words))
    y = rng.integers(0, 2, n_rows)
    document = np.repeat(np.arange(n_rows), rng.poisson(80, n_rows) + 1)
    word = np.empty(len(document), dtype=int)
    for label, share in enumerate((frequency / lean, frequency * lean)):
        chosen = y[document] == label
        word[chosen] = rng.choice(n_words, chosen.sum(), p=share / share.sum())
    counts = sparse.csr_matrix((np.ones(len(word)), (document, word)), shape=(n_rows, n_words))
    return TfidfTransformer(sublinear_tf=True).fit_transform(counts), y


def data_sets(scale):
    """Return name -> (rows, labels), the last fifth of which is held out."""
    n_dense, n_text = int(125_000 * scale), int(25_000 * scale)
    return {
        "100,000 × 100 separable": dense_rows(n_dense, 0.0, np.random.default_rng(0)),
        "the same, 20 % label noise": dense_rows(n_dense, 0.2, np.random.default_rng(0)),
        "20,000 × 50,000 text, CSR": text_rows(n_text, np.random.default_rng(0)),
    }


def fitted(model, X, y):
    """Return the seconds of a fit."""
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start


def race(X, y, rounds):
    """Return name -> (seconds, accuracies, epochs) over rounds in which all fit in turn."""
    n_fit = round(len(y) * (1 - N_HELD_OUT))
    X_fit, y_fit, X_new, y_new = X[:n_fit], y[:n_fit], X[n_fit:], y[n_fit:]
    results = {name: ([], [], []) for name in CONTENDERS}
    for seed in range(-1, rounds):  # the first round warms up
        for name, make in CONTENDERS.items():
            model = make(max(seed, 0))
            seconds = fitted(model, X_fit, y_fit)
            if seed >= 0:
                news = (seconds, model.score(X_new, y_new), model.n_iter_)
                for column, value in zip(results[name], news, strict=True):
                    column.append(value)
    return results


def online_race(X, y, rounds, n_epochs=5):
    """Return seconds of passes of the online rule: scikit-learn's and ours, in turn."""
    params = {"max_iter": n_epochs, "tol": None}
    theirs, ours = [], []
    for seed in range(-1, rounds):
        pair = (
            Perceptron(random_state=seed + 1, **params),
            PerceptronClassifier(update="online", random_state=seed + 1, **params),
        )
        for model, seconds in zip(pair, (theirs, ours), strict=True):
            seconds.append(fitted(model, X, y))
    return median(theirs[1:]) / n_epochs, median(ours[1:]) / n_epochs


def report(sets, rounds):
    """Yield the lines of both tables."""
    yield "| data | contender | seconds [least–most] | accuracy | epochs | reached | ratio |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for data, (X, y) in sets.items():
        results = race(X, y, rounds)
        base_seconds, base_accuracy, _ = results["sklearn Perceptron"]
        for name, (seconds, accuracy, epochs) in results.items():
            reached = sum(np.greater_equal(accuracy, base_accuracy))
            yield (
                f"| {data} | {name} | {median(seconds):.3f} [{min(seconds):.3f}–{max(seconds):.3f}]"
                f" | {median(accuracy):.4f} | {median(epochs):g} | {reached}/{rounds} "
                f"| {median(seconds) / median(base_seconds):.2f} |"
            )
    yield ""
    yield "| data | a pass of sklearn's online rule, ms | of ours, ms | ratio |"
    yield "| --- | --- | --- | --- |"
    for data, (X, y) in sets.items():
        theirs, ours = online_race(X, y, rounds)
        yield f"| {data} | {1e3 * theirs:.1f} | {1e3 * ours:.1f} | {ours / theirs:.1f} |"


def main() -> int:
    """Run; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.perceptron", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows, for a try")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # a pass by itself does not converge
    for line in report(data_sets(args.scale), args.rounds):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
