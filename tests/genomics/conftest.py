"""A small genome in a file."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def bases():
    """Return three chromosomes; the last one is mostly unknown, and the second soft-masked."""
    rng = np.random.RandomState(0)
    draw = lambda n: "".join(np.array(list("ACGT"))[rng.randint(4, size=n)])  # noqa: E731
    return {"chr1": draw(5000), "chr2": draw(1000) + draw(1000).lower(), "chrN": "N" * 500}


@pytest.fixture(scope="module")
def fasta(bases, tmp_path_factory):
    pytest.importorskip("pyfaidx", reason="genomes need sknn[genome]")
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    lines = [
        f">{name} a chromosome\n" + "\n".join(s[i : i + 60] for i in range(0, len(s), 60))
        for name, s in bases.items()
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
