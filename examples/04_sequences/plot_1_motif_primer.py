"""
Find a motif in DNA: from strings to a logo
===========================================

Some protein binds to DNA wherever it finds its motif. Given sequences that are bound and others
that are not, a convolutional network is to tell them apart, and to say what the motif is. The
recipe is that of the primer by Zou et al. (2019, doi:10.1038/s41588-018-0295-5): random bases,
and in about half of the sequences twelve of them overwritten.
"""

# %%
# The data
# --------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sknn import SequenceCNNClassifier
from sknn.datasets import make_motif_sequences
from sknn.inspection import LossCurveDisplay, MotifLogoDisplay, SaliencyMapDisplay
from sknn.preprocessing import DNAOneHotEncoder

X, y, positions = make_motif_sequences(n_samples=2000, random_state=0)
for sequence, bound in zip(X[:4], y[:4], strict=True):
    print(sequence, "bound" if bound else "")
parts = train_test_split(X, y, positions, test_size=0.25, random_state=0)
X_train, X_test, y_train, y_test, _, positions_test = parts

# %%
# One-hot letters
# ---------------
# A network takes numbers: four at each position, one for each base.
encoder = DNAOneHotEncoder()
print(encoder.fit_transform(X_train).shape)
print(encoder.transform(["CGA"])[0, :4])

# %%
# The network
# -----------
# Filters slide along the sequence like motifs that are still to be found. With fewer than 2,000
# training samples none is held out, and training lasts for all epochs. Encoder and network make a
# pipeline; the network would take the strings as well.
network = SequenceCNNClassifier(n_filters=64, kernel_size=12, random_state=0)
model = make_pipeline(encoder, network).fit(X_train, y_train)
accuracy = model.score(X_test, y_test)
print(f"accuracy {accuracy:.3f} after {network.n_iter_} epochs")
LossCurveDisplay.from_estimator(model)
plt.show()

# %%
ConfusionMatrixDisplay.from_estimator(
    model, X_test, y_test, display_labels=["not bound", "bound"], colorbar=False
)
plt.show()

# %%
# Saliency of bases
# -----------------
# Saliency says for each base how much evidence it is for "bound".
bound_samples = np.flatnonzero(y_test == 1)
names = [f"planted at {place}" for place in positions_test[bound_samples[:3]]]
SaliencyMapDisplay.from_estimator(model, X_test[bound_samples[:3]], target=1, names=names)
plt.show()

# %%
# The window of twelve bases with the largest sum is the motif's, in how many sequences?
scores = network.saliency(encoder.transform(X_test[bound_samples]), target=1).sum(axis=2)
windows = np.lib.stride_tricks.sliding_window_view(scores, 12, axis=1).sum(axis=2)
found = np.mean(windows.argmax(axis=1) == positions_test[bound_samples])
print(f"window found in {found:.1%} of the bound sequences")

# %%
# Motifs of the filters
# ---------------------
# A motif counts the letters of the windows that activate a filter, as in DeepBind.
motifs = network.motifs(encoder.transform(X_train), y_train)
for motif in motifs[:4]:
    print(f"{motif.name:<10} {motif.consensus:<13} {motif.information_content:5.1f} bits")
MotifLogoDisplay(motifs[:4]).plot()
plt.show()

# sphinx_gallery_thumbnail_number = 4

# %%
# Random filters would pick windows that are like each other too. The control is the same network
# before training, whose motifs have fewer bits.
control = network.untrained_motifs(encoder.transform(X_train))
bits = [max(m.information_content for m in group) for group in (motifs, control)]
print(f"most bits of a motif: trained {bits[0]:.1f}, untrained {bits[1]:.1f}")

# %%
# The network tells bound sequences from others almost without an error, the saliency lies on the
# motif, and filters spell it, on this strand or on the other: CGACCGAACTCC.
