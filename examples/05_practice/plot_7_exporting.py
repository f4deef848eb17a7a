"""
A network that leaves Python
============================

One ONNX file holds a fitted network with all that it does to the columns of a table; `export_onnx`
writes it, and programs in many languages run it without scikit-learn and PyTorch.
"""

# %%
# A data frame and a network
# --------------------------
# Made-up birds: what species they are of, and two measurements, some of them missing. Was the bird
# grown up?
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import pandas as pd

from sknn import DeepMLPClassifier
from sknn.export import export_onnx

rng = np.random.RandomState(0)
n_birds = 4000
usual = pd.DataFrame({"weight_g": [18.0, 24.0, 9.0], "wing_mm": [75.0, 87.0, 48.0]})
kind, adult = rng.randint(3, size=n_birds), rng.rand(n_birds) < 0.6
birds = usual.iloc[kind].reset_index(drop=True) * rng.lognormal(0, 0.05, (n_birds, 2))
birds[~adult] *= 0.9
birds.insert(0, "species", np.array(["tit", "finch", "wren"])[kind])
birds.loc[rng.rand(n_birds) < 0.1, "wing_mm"] = np.nan
age = np.where(adult, "adult", "young")

network = DeepMLPClassifier((50,), early_stopping=True, learning_rate_init=0.01, random_state=0)
network.fit(birds[:3000], age[:3000])
print(birds.head(3).round(1).to_string(index=False))
print(f"accuracy {network.score(birds[3000:], age[3000:]):.3f}")

# %%
# The file
# --------
# Each column is an input of its own, under its name.
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "birds.onnx"
export_onnx(network, path)
print(f"{path.name}: {path.stat().st_size / 1000:.1f} kB")
session = onnxruntime.InferenceSession(path)
for value in session.get_inputs():
    print("input ", value.name, value.type)
for value in session.get_outputs():
    print("output", value.name, value.type)

# %%
# The same predictions
# --------------------
# From here on sknn is not needed: the session takes arrays of shape (n_samples, 1) and returns
# labels and probabilities.


def columns(frame):
    """Return the inputs of the session."""
    return {name: column.to_numpy()[:, None] for name, column in frame.items()}


test = birds[3000:].astype({"species": object})
labels, probabilities = session.run(["label", "probabilities"], columns(test))
print(f"labels that differ: {np.sum(labels != network.predict(test))} of {len(test)}")
difference = np.abs(probabilities - network.predict_proba(test)).max()
print(f"largest difference of a probability: {difference:.0e}")

# %%
# Time of a prediction
# --------------------
# A web service predicts one sample at a time. There, most of the time goes into checks of the data
# frame, which the ONNX file leaves to its caller.
sizes = (1, 10, 100, 1000)
times = {"predict": [], "ONNX Runtime": []}
for size in sizes:
    samples = test[:size]
    arrays = columns(samples)
    calls = {
        "predict": lambda samples=samples: network.predict(samples),
        "ONNX Runtime": lambda arrays=arrays: session.run(["label"], arrays),
    }
    for name, call in calls.items():
        seconds = []
        for _ in range(20):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        times[name].append(1000 * np.median(seconds))
figure, ax = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
for (name, milliseconds), (color, marker) in zip(
    times.items(), [("#0072B2", "o-"), ("#D55E00", "s--")], strict=True
):
    ax.loglog(sizes, milliseconds, marker, color=color, label=name)
ax.set(xlabel="samples at once", ylabel="milliseconds a call")
ax.legend(fontsize="small")
plt.show()
folder.cleanup()

# %%
# One small file contains the columns, the network and the labels; it gave the same predictions, and
# took a fraction of the time for a single sample.
