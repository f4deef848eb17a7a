"""Fits of many samples: tables made up after the airline and HIGGS kinds, mixed and noisy.

Run one kind with as many samples as there is time for::

    python -m benchmarks.large_tables airline --samples 200000 --methods lightgbm,tabular

Each method prints seconds of the processor and by the clock, memory, and the AUC on 100,000 other
samples. LightGBM and CatBoost run at their defaults where they are installed.
"""

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from sknn import TabularMLPClassifier

#: samples to score on
TEST_SAMPLES = 100_000


def make_airline(n_samples: int, random_state: np.random.RandomState) -> tuple:
    """Return a frame of 10 numbers and 7 categories, and whether a flight is late.

    Delays follow from carrier, airports with effects of their own, hour, weather and congestion,
    and from pairs of them; a good part is chance.
    """
    draw = random_state
    n_airports, n_carriers = 300, 22
    weights = 1 / np.arange(1, n_airports + 1) ** 0.8
    weights /= weights.sum()
    origin = draw.choice(n_airports, n_samples, p=weights)
    target = draw.choice(n_airports, n_samples, p=weights)
    carrier, month = draw.randint(n_carriers, size=n_samples), draw.randint(12, size=n_samples)
    weekday, hour = draw.randint(7, size=n_samples), draw.beta(2.2, 1.8, n_samples) * 24
    fixed = np.random.RandomState(7)  # the world, the same in training and test samples
    places = fixed.randn(n_airports, 2)
    of_airport, of_carrier = fixed.randn(n_airports) * 0.4, fixed.randn(n_carriers) * 0.3
    by_hour = fixed.randn(n_carriers, 4) * 0.3
    distance = np.hypot(*(places[origin] - places[target]).T) * 800 + draw.gamma(2, 30, n_samples)
    wind, rain = draw.gamma(2, 6, n_samples), np.maximum(draw.randn(n_samples) - 0.8, 0) * 9
    cold = 12 * np.cos((month - 6.5) / 6 * np.pi) + 6 * draw.randn(n_samples)
    load, age = draw.beta(5, 2, n_samples), draw.gamma(3, 4, n_samples)
    crew, turn = draw.randn(n_samples), draw.gamma(4, 12, n_samples)
    z = of_airport[origin] + 0.7 * of_airport[target] + of_carrier[carrier]
    z += by_hour[carrier, (hour // 6).astype(int)] + 0.09 * np.maximum(hour - 9, 0)
    z += 0.04 * np.maximum(wind - 14, 0) * (1 + (cold < -8)) + 0.05 * rain * (hour > 15)
    z += 1.2 * (load > 0.8) * (turn < 35) - 0.012 * np.minimum(turn, 60) + 0.02 * age * (crew > 1)
    z += 0.25 * np.sin(distance / 180) + 0.3 * np.isin(weekday, [4, 6]) * (hour > 14)
    y = draw.uniform(size=n_samples) < expit(1.2 * (z - 1.1))
    hour[draw.uniform(size=n_samples) < 0.02] = np.nan
    numbers = {
        "hour": hour,
        "distance": distance,
        "wind": wind,
        "rain": rain,
        "cold": cold,
        "load": load,
        "age": age,
        "crew": crew,
        "turn": turn,
        "noise": draw.randn(n_samples),
    }
    codes = {
        "origin": origin,
        "target": target,
        "carrier": carrier,
        "month": month,
        "weekday": weekday,
        "gate": draw.randint(40, size=n_samples),
        "holiday": draw.randint(2, size=n_samples),
    }
    frame = pd.DataFrame({name: column.astype("float32") for name, column in numbers.items()})
    for name, column in codes.items():
        levels = [f"{name}{level}" for level in range(int(column.max()) + 1)]
        frame[name] = pd.Categorical.from_codes(column, levels)
    return frame, y.astype(int)


def make_higgs(n_samples: int, random_state: np.random.RandomState) -> tuple:
    """Return 30 numbers in float32, and whether two particles came from a third.

    Six particles have momenta, angles and two further readings each; invariant masses of some pairs
    are added. Signal has a resonance in two pairs, smeared.
    """
    draw, n_particles = random_state, 6
    y = draw.randint(2, size=n_samples)
    momentum = draw.gamma(2.0, 0.5, (n_samples, n_particles)) + 0.2
    eta = draw.randn(n_samples, n_particles)
    phi = draw.uniform(-np.pi, np.pi, (n_samples, n_particles))
    for first, mass, share in ((0, 1.25, 0.5), (2, 0.9, 0.4)):
        chosen = (y == 1) & (draw.uniform(size=n_samples) < share)
        angle = np.cosh(eta[:, first] - eta[:, first + 1]) - np.cos(
            phi[:, first] - phi[:, first + 1]
        )
        smeared = mass * np.exp(0.15 * draw.randn(n_samples))
        # m^2 = 2 p1 p2 (cosh(eta1 - eta2) - cos(phi1 - phi2)), solved for the momentum p2
        solved = smeared**2 / (2 * momentum[:, first] * np.maximum(angle, 0.05))
        momentum[:, first + 1] = np.where(chosen, np.minimum(solved, 6), momentum[:, first + 1])
    tags = (draw.uniform(size=(n_samples, n_particles)) < 0.35 + 0.15 * y[:, None]).astype(float)
    masses = [
        2
        * momentum[:, i]
        * momentum[:, j]
        * (np.cosh(eta[:, i] - eta[:, j]) - np.cos(phi[:, i] - phi[:, j]))
        for i, j in ((0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5))
    ]
    masses = np.sqrt(np.column_stack(masses)) * np.exp(0.2 * draw.randn(n_samples, 6))
    return np.column_stack([momentum, eta, phi, tags, masses]).astype("float32"), y


def make_estimator(method: str, n_threads: int) -> object:
    """Return a classifier by name."""
    if method == "lightgbm":
        import lightgbm

        return lightgbm.LGBMClassifier(n_jobs=n_threads, verbose=-1)
    if method == "catboost":
        import catboost

        return catboost.CatBoostClassifier(
            thread_count=n_threads, verbose=0, allow_writing_files=False
        )
    return TabularMLPClassifier(random_state=0)


def measure(call: Callable[[], object]) -> tuple[object, str]:
    """Return the result of a call, and how long it took."""
    start, of_processor = time.perf_counter(), time.process_time()
    result = call()
    seconds = time.process_time() - of_processor, time.perf_counter() - start
    return result, f"{seconds[0]:.1f} s of the processor, {seconds[1]:.1f} s"


def main() -> None:
    """Fit each method once, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["airline", "higgs"])
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--methods", default="lightgbm,tabular")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    make = {"airline": make_airline, "higgs": make_higgs}[options.kind]
    X, y = make(options.samples, np.random.RandomState(0))
    X_test, y_test = make(TEST_SAMPLES, np.random.RandomState(1))
    for method in options.methods.split(","):
        estimator = make_estimator(method, options.threads)
        _, time_of_fit = measure(lambda: estimator.fit(X, y))  # noqa: B023 - called at once
        chance, time_of_predict = measure(lambda: estimator.predict_proba(X_test)[:, 1])  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        n_epochs = getattr(estimator, "n_iter_", "")
        print(  # noqa: T201
            f"{options.kind} {len(y)} {method}: AUC {roc_auc_score(y_test, chance):.4f}; fit "
            f"{time_of_fit}; predict {time_of_predict}; epochs {n_epochs}; {peak:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
