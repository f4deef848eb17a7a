"""
Which protein binds here? Motifs of real data, matched to JASPAR
================================================================

Sequences of the mouse's genome, half of which were found bound by a transcription factor (ChIP-seq
of ENCODE, in the GUE benchmark of Zhou et al., 2024, arXiv:2306.15006). Which factor, the files do
not say. A network that tells the bound from the others has learned what the factor looks for, and
JASPAR, the collection of known motifs, knows whose motif that is.

`match_motifs` needs ``pip install 'sknn[motifs]'``.
"""

# %%
# The data
# --------
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import roc_auc_score

from sknn import SequenceCNNClassifier
from sknn.inspection import MotifLogoDisplay, SaliencyMapDisplay
from sknn.motifs import match_motifs, read_motifs

# sphinx-gallery defines no __file__, and runs a page in its own folder.
HERE = Path(__file__).parent if "__file__" in globals() else Path.cwd()
DATA = HERE / "data"
table = pd.read_csv(DATA / "mouse_factor.csv.gz")
train, dev, test = (table[table["part"] == part] for part in ("train", "dev", "test"))
print(table.groupby(["part", "bound"]).size().unstack())

# %%
# The network
# -----------
# Two networks of 24 filters each, of eleven bases that read both strands, are averaged. Training
# stops early by their loss on the samples of the part ``dev``.
network = SequenceCNNClassifier(n_filters=48, n_members=2, max_iter=60, random_state=0)
network.fit(train["sequence"], train["bound"], X_val=dev["sequence"], y_val=dev["bound"])
auc = roc_auc_score(test["bound"], network.decision_function(test["sequence"]))
print(f"area under the ROC curve of the test samples: {auc:.3f}, after {network.n_iter_} epochs")

# %%
# Motifs, and those of an untrained network
# -----------------------------------------
# A filter that nobody trained has a motif too: of many thousand windows it picks those that happen
# to fit it, and they are like each other. Such motifs have few bits. So `match_motifs` compares
# only motifs with ten bits or more, and the untrained network goes through the same as a control.
motifs = network.motifs(train["sequence"], train["bound"])
control = network.untrained_motifs(train["sequence"])
known = read_motifs(DATA / "jaspar.meme")
matches = match_motifs(motifs, known, max_e_value=1e-4, control=control)
print(matches)

# %%
# `known` are 25 motifs of JASPAR that come with this page; ``match_motifs(motifs, "jaspar")`` takes
# all of vertebrates.
best = matches.table[0]
found = next(motif for motif in motifs if motif.name == best["motif"])
answer = next(motif for motif in known if motif.name == best["match"])
MotifLogoDisplay([found, answer]).plot()
plt.show()

# %%
# Position of the motif
# ---------------------
# Among the test sequences, most of those that hold the site are bound. Saliency shows it as a row
# of large letters, on either strand:
site = test["sequence"].str.contains("TGAGTCA|TGACTCA")
print(f"with the site: {(site & (test['bound'] == 1)).sum()} bound sequences", end=", ")
print(f"{(site & (test['bound'] == 0)).sum()} others")
with_site = test["sequence"][site & (test["bound"] == 1)].iloc[:2]
SaliencyMapDisplay.from_estimator(network, with_site, target=1)
plt.show()

# %%
# The filters spell TGAGTCA, the site of AP-1. JASPAR has it under JUND, a part of AP-1, and under
# relatives; no motif of the untrained network is let through. Other filters count repeats such as
# TCTCTC, which tell peaks from the rest of the genome but are nobody's site: high bits alone make
# no motif.
