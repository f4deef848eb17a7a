"""
A grid search over filters, and why places matter
=================================================

Splice sites are aligned: the border between exon and intron is always in the middle, and its
letters count only there. The sequences here are made up after the consensus of donor and acceptor
sites; which width of the filters and which pooling suit them is left to a grid search over a
pipeline that takes strings.
"""

# %%
# The data
# --------
# A donor begins an intron with GT after an exon's AG, an acceptor ends one with AG after a stretch
# of C and T. The third class has the same motifs, but elsewhere: those are decoys.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from sknn import SequenceCNNClassifier
from sknn.datasets import make_motif_sequences
from sknn.inspection import SaliencyMapDisplay
from sknn.preprocessing import DNAOneHotEncoder

DONOR, ACCEPTOR, LENGTH, BORDER = "AGGTRAGT", "YYYYYYNCAGG", 40, 20


def planted(motif, place, seed):
    """Return 200 sequences with a motif at a place, or anywhere."""
    X, _, found = make_motif_sequences(200, LENGTH, motif, fraction=1.0, random_state=seed)
    if place is None:
        return X
    return np.array([s[f:] + s[:f] for s, f in zip(X, found - place, strict=True)])


donors = planted(DONOR, BORDER - 2, seed=0)
acceptors = planted(ACCEPTOR, BORDER - 10, seed=1)
decoys = np.concatenate([planted(DONOR, None, seed=2)[:100], planted(ACCEPTOR, None, 3)[:100]])
X = np.concatenate([donors, acceptors, decoys])
y = np.repeat(["donor", "acceptor", "neither"], 200)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
for label in ("donor", "acceptor", "neither"):
    print(X_train[y_train == label][0], label)

# %%
# The search
# ----------
# `pooling="max"` keeps the best value of a filter along the whole sequence; a number keeps the best
# of each stretch of so many windows, and thus the place. Filters could learn to prefer places
# themselves, by `position_bias`, which is off here, to see what pooling does. The strand is known,
# so the other one is not read. With so few samples none are held out, and training takes all
# `max_iter` epochs.
network = SequenceCNNClassifier(
    n_filters=16, position_bias=False, reverse_complement=False, max_iter=20, random_state=0
)
pipeline = make_pipeline(DNAOneHotEncoder(), network)
grid = {
    "sequencecnnclassifier__kernel_size": [3, 11],
    "sequencecnnclassifier__pooling": ["max", "maxmean", 4],
}
search = GridSearchCV(pipeline, grid, cv=2).fit(X_train, y_train)
table = pd.DataFrame(search.cv_results_)
table = table[[*(f"param_{name}" for name in grid), "mean_test_score"]]
table.columns = ["kernel_size", "pooling", "accuracy"]
table = table.sort_values("accuracy", ascending=False).round({"accuracy": 3})
print(table.to_string(index=False))

# %%
# The best network
# ----------------
accuracy = search.score(X_test, y_test)
print(f"held-out accuracy: {accuracy:.3f}")
ConfusionMatrixDisplay.from_estimator(search, X_test, y_test, colorbar=False)
plt.show()

# %%
# A donor and an acceptor, with the bases that speak for their class:
shown = [np.flatnonzero(y_test == label)[0] for label in ("donor", "acceptor")]
names = [f"{y_test[row]}, border at {BORDER}" for row in shown]
SaliencyMapDisplay.from_estimator(search, X_test[shown], target=y_test[shown], names=names)
plt.show()

# sphinx_gallery_thumbnail_number = 2

# %%
# Pooling over the whole sequence forgets where the motif was and confuses sites with decoys;
# pooling over stretches of four keeps the places and finds nearly all sites, with wide filters or
# narrow ones.
