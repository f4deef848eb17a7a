"""
From a genome to a ranked list of variants
==========================================

Which of the many differences between two genomes matter? Where a protein binds has been measured;
a network learns from these regions what the protein looks for, and then judges variants that
nobody has measured. All files are made on this page, small ones of the same formats as real ones:
a genome (FASTA), regions (BED) and variants (VCF).

Reading a genome needs ``pip install 'sknn[genome]'``.
"""

# %%
# A genome, with binding sites
# ----------------------------
# Four chromosomes of random bases. At 700 places the motif of a factor is written into them, on
# either strand, with a letter changed now and then. The experiment finds regions of 100 bases
# around the sites, and is not exact about their middle.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from sknn import SequenceCNNClassifier
from sknn.genomics import (
    ChromosomeSplit,
    RegionsToSequences,
    matched_negatives,
    read_bed,
    variant_effects,
)
from sknn.inspection import MotifLogoDisplay, SaliencyMapDisplay
from sknn.preprocessing import reverse_complement

MOTIF, WIDTH = "TGAGTCAGCA", 100
rng = np.random.RandomState(0)
folder = Path(tempfile.mkdtemp())
genome = {f"chr{i}": rng.choice(list("ACGT"), 60_000) for i in range(1, 5)}
sites, peaks = [], []
for chrom, bases in genome.items():
    for place in np.sort(rng.choice(290, 175, replace=False)) * 200 + 500:
        site = [b if rng.random_sample() < 0.95 else rng.choice(list("ACGT")) for b in MOTIF]
        site = "".join(site)
        bases[place : place + len(MOTIF)] = list(
            reverse_complement(site) if rng.randint(2) else site
        )
        sites.append((chrom, place))
        middle = place + rng.randint(-20, 20)
        peaks.append(f"{chrom}\t{middle - 50}\t{middle + 50}\tpeak_{len(peaks)}\t1\n")
fasta, bed, vcf = (folder / f"toy.{kind}" for kind in ("fa", "bed", "vcf"))
fasta.write_text("".join(f">{chrom}\n{''.join(bases)}\n" for chrom, bases in genome.items()))
bed.write_text("".join(peaks))
positives = read_bed(bed)
print(positives.head(3).to_string(index=False))

# %%
# Regions to compare with
# -----------------------
# The negative regions match the bound ones in number, length and GC content. Without that match a
# network would learn the GC content, in which peaks of real genomes differ from the rest.
negatives = matched_negatives(positives, fasta, random_state=0)
regions = pd.concat([positives, negatives], ignore_index=True)[["chrom", "start", "end"]]
y = np.repeat([1, 0], [len(positives), len(negatives)])

# %%
# A network that takes regions
# ----------------------------
# The first step reads the bases of each region, the second learns from them. One chromosome is
# held out: neighbours in a genome have too much in common to be on both sides.
[(train, test)] = ChromosomeSplit([["chr4"]]).split(regions)
network = SequenceCNNClassifier(n_filters=32, kernel_size=12, max_iter=30, random_state=0)
model = make_pipeline(RegionsToSequences(fasta, width=WIDTH), network)
model.fit(regions.iloc[train], y[train])
auc = roc_auc_score(y[test], model.decision_function(regions.iloc[test]))
print(f"area under the ROC curve on chr4: {auc:.3f}")

# %%
# What it looks for, with filters that found the same motif merged:
sequences = model[0].transform(regions)
motifs = network.motifs(sequences[train], y[train])
print(f"planted {MOTIF} or {reverse_complement(MOTIF)}, found {motifs[0].consensus}")
MotifLogoDisplay(motifs[:1]).plot()
plt.show()

# %%
# Variants
# --------
# Of chr4, which the network has not seen, 200 single bases are exchanged: half of them in sites,
# half at least 30 bases away from every site. A VCF file counts positions from 1.
own = np.array([place for chrom, place in sites if chrom == "chr4"])
lines, breaks = ["##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n"], []
for i in range(200):
    place = rng.choice(own) + rng.randint(1, 9)
    while i % 2 and np.abs(own + 5 - place).min() < 40:
        place = rng.randint(1000, 59_000)
    ref = genome["chr4"][place]
    alt = rng.choice([base for base in "ACGT" if base != ref])
    lines.append(f"chr4\t{place + 1}\tvariant_{i}\t{ref}\t{alt}\n")
    breaks.append(i % 2 == 0)
vcf.write_text("".join(lines))
print(f"{sum(breaks)} of {len(breaks)} variants are in sites")

# %%
# The effect of a variant is the change of the logit, as the mean over both strands and three
# shifts. The largest effects come first:
effects = variant_effects(network, vcf, fasta, shifts=(-10, 0, 10))
ranked = effects.reindex(effects["effect"].abs().sort_values(ascending=False).index)
print(ranked.head(8).round(2).to_string(index=False))
auc = roc_auc_score(breaks, effects["effect"].abs())
print(f"area under the ROC curve of |effect|, in a site against outside of all: {auc:.3f}")

# %%
# Saliency before and after
# -------------------------
# Saliency around the variant with the largest effect, with the one allele and with the other: the
# rest of the site is evidence for binding as before, and the new letter is evidence against it.
worst = effects.loc[effects["effect"].idxmin()]
start = worst["pos"] - 1 - WIDTH // 2
before = "".join(genome["chr4"][start : start + WIDTH])
after = before[: WIDTH // 2] + worst["alt"] + before[WIDTH // 2 + 1 :]
names = [f"chr4:{worst['pos']} {worst['ref']}", f"chr4:{worst['pos']} {worst['alt']}"]
saliency = network.saliency([before, after], target=1)[:, WIDTH // 2].sum(axis=1)
print(f"saliency of the exchanged letter: {saliency[0]:.2f}, then {saliency[1]:.2f}")
SaliencyMapDisplay.from_estimator(network, [before, after], target=1, names=names)
plt.show()

# sphinx_gallery_thumbnail_number = 2

# %%
# The network has learned the motif from three chromosomes, and ranks the variants in sites of the
# fourth above those outside, without having seen a variant: to break a site costs more than any
# exchange between sites.
