"""Effects of variants against sequences edited by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from sknn import SequenceCNNClassifier, SequenceCNNRegressor
from sknn.datasets import make_motif_sequences
from sknn.genomics import variant_effects
from sknn.preprocessing import DNAOneHotEncoder, read_vcf, reverse_complement

WIDTH = 50


@pytest.fixture(scope="module")
def data():
    return make_motif_sequences(800, WIDTH, random_state=0)


@pytest.fixture(scope="module")
def model(data):
    return SequenceCNNClassifier(kernel_size=12, random_state=0).fit(data[0], data[1])


def edited(text, pos, ref, alt, shift=0):
    """Return 50 bases around a variant, its position counted from 1, before and after it."""
    place = pos - 1
    start = place - WIDTH // 2 + shift
    changed = text[:place] + alt + text[place + len(ref) :]
    padded = ["N" * 60 + s + "N" * 60 for s in (text, changed)]
    return [s[start + 60 : start + 60 + WIDTH] for s in padded]


def some_variants(bases):
    """Return exchanges, an insertion and a deletion, at an end of the chromosome too."""
    text = bases["chr1"].upper()
    rows = []
    for pos, length, alt in [
        (60, 1, "A"),
        (61, 1, "C"),
        (99, 1, "GTT"),
        (140, 4, None),
        (3, 1, "G"),
    ]:
        ref = text[pos - 1 : pos - 1 + length]
        rows.append(("chr1", pos, ref, ref[0] if alt is None else alt if alt != ref else "T"))
    return pd.DataFrame(rows, columns=["chrom", "pos", "ref", "alt"])


@pytest.mark.parametrize("both_strands", [False, True])
@pytest.mark.parametrize("shifts", [(0,), (-3, 0, 5)])
def test_effects_are_the_mean_change_of_the_logit_of_edited_sequences(
    model, fasta, bases, both_strands, shifts
):
    variants = some_variants(bases)
    found = variant_effects(model, variants, fasta, both_strands=both_strands, shifts=shifts)
    assert list(found.columns) == [*variants.columns, "ref_score", "alt_score", "effect"]
    for i, (_, pos, ref, alt) in enumerate(variants.itertuples(index=False)):
        scores = []
        for shift in shifts:
            pair = edited(bases["chr1"], pos, ref, alt, shift)
            scores.append(model.decision_function(pair))
            if both_strands:
                scores.append(model.decision_function(reverse_complement(pair)))
        expected = np.mean(scores, axis=0)
        np.testing.assert_allclose(
            found.loc[i, ["ref_score", "alt_score"]].tolist(), expected, atol=1e-5
        )
        np.testing.assert_allclose(found["effect"][i], expected[1] - expected[0], atol=1e-5)


def test_exchanges_are_those_of_in_silico_mutagenesis(model, fasta, bases):
    text = bases["chr1"]
    effects = model.in_silico_mutagenesis([text[100:150]])[0, 25]
    others = [base for base in "ACGT" if base != text[125]]
    variants = pd.DataFrame({"chrom": "chr1", "pos": 126, "ref": text[125], "alt": others})
    found = variant_effects(model, variants, fasta, both_strands=False)["effect"]
    np.testing.assert_allclose(found, [effects["ACGT".index(b)] for b in others], atol=1e-5)


def test_vcf_files_are_taken_with_several_alleles_a_line(model, fasta, bases, tmp_path):
    ref = bases["chr1"][59]
    alts = [base for base in "ACGT" if base != ref][:2]
    path = tmp_path / "some.vcf"
    path.write_text(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\n"
        f"chr1\t60\trs1\t{ref}\t{alts[0]},{alts[1].lower()},<DEL>,*\t.\n"
    )
    message = r"2 of 4 alternative alleles of .* are left out, .*: \['\*', '<DEL>'\]"
    with pytest.warns(UserWarning, match=message):
        table = read_vcf(path)
    assert table["alt"].tolist() == alts
    with pytest.warns(UserWarning, match=message):
        found = variant_effects(model, path, fasta)["effect"]
    polars = pytest.importorskip("polars").DataFrame(table.to_dict("list"))
    np.testing.assert_array_equal(variant_effects(model, polars, fasta)["effect"], found)
    assert found.notna().all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1\t5\t.\tA\n", "Line 1 of .*expected columns CHROM"),
        ("#x\nchr1\tfive\t.\tA\tC\n", "Line 2 of"),
        ("chr1\t5\t.\tA\t<DEL>,.\n", "has no variant whose alleles are bases; it has 2 others"),
    ],
)
def test_damaged_vcf_files_are_named(tmp_path, text, message):
    path = tmp_path / "bad.vcf"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_vcf(path)


def test_reference_alleles_are_checked(model, fasta, bases):
    other = next(base for base in "ACGT" if base != bases["chr1"][59])
    variants = pd.DataFrame({"chrom": "chr1", "pos": [60], "ref": [other], "alt": ["N"]})
    with pytest.raises(ValueError, match=rf"Variant 0 \(chr1:60 {other}>N\).*the genome has"):
        variant_effects(model, variants, fasta)
    both = pd.concat([variants, some_variants(bases)], ignore_index=True)
    found = variant_effects(model, both, fasta, on_mismatch="nan")
    assert np.isnan(found["effect"][0])
    assert found["effect"][1:].notna().all()


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"alt": ["<DEL>"]}, {}, "'alt' of variant 0 is '<DEL>'"),
        ({"ref": [""]}, {}, "'ref' of variant 0 is ''"),
        ({"alt": ["a,c"]}, {}, "'alt' of variant 0 is 'a,c'.*Give each of several alleles a row"),
        ({"alt": [None]}, {}, "'alt' of variant 0 is 'None'.*leave out those that are missing"),
        ({"pos": [0]}, {}, r"Variant 0 \(chr1:0 .* lies outside of its chromosome"),
        ({"pos": [5001]}, {}, "lies outside of its chromosome, which has 5000 bases"),
        ({"pos": ["x"]}, {}, "'pos' of region 0 is 'x'; expected a whole number"),
        ({"chrom": ["chr9"]}, {}, "no chromosome 'chr9'"),
        ({}, {"target": "z"}, r"target must be one of the classes \[0, 1\]; got 'z'"),
        ({}, {"on_mismatch": "skip"}, "on_mismatch must be 'error' or 'nan'"),
    ],
)
def test_impossible_variants_are_named(model, fasta, bases, changes, options, message):
    row = {"chrom": ["chr1"], "pos": [60], "ref": [bases["chr1"][59]], "alt": ["N"]}
    with pytest.raises(ValueError, match=message):
        variant_effects(model, pd.DataFrame({**row, **changes}), fasta, **options)
    with pytest.raises(ValueError, match=r"path of a VCF file.*\['alt'\] are missing among"):
        variant_effects(model, pd.DataFrame({"chrom": ["chr1"], "pos": [1], "ref": ["A"]}), fasta)


def test_a_network_that_is_not_fitted_is_named(fasta):
    variants = pd.DataFrame({"chrom": ["chr1"], "pos": [1], "ref": ["A"], "alt": ["T"]})
    with pytest.raises(NotFittedError, match="SequenceCNNClassifier instance is not fitted"):
        variant_effects(SequenceCNNClassifier(), variants, fasta)


def test_other_classes_regressors_and_pipelines_are_taken(model, data, fasta, bases):
    X, y, _ = data
    variants = some_variants(bases)
    found = variant_effects(model, variants, fasta)["effect"]
    np.testing.assert_allclose(variant_effects(model, variants, fasta, target=0)["effect"], -found)
    quick = {"n_filters": 4, "max_iter": 2, "random_state": 0}
    three = SequenceCNNClassifier(**quick).fit(X[:90], ["a", "b", "c"] * 30)
    pair = edited(bases["chr1"], *variants.iloc[0, 1:])
    change = np.diff(three.decision_function(pair)[:, 2])[0]
    effect = variant_effects(three, variants, fasta, target="c", both_strands=False)["effect"][0]
    assert effect == pytest.approx(change, abs=1e-5)
    numbers = make_pipeline(DNAOneHotEncoder(length=WIDTH), SequenceCNNRegressor(**quick))
    numbers.fit(X[:90], y[:90] * 10.0)
    change = np.diff(numbers.predict(pair))[0]
    effect = variant_effects(numbers, variants, fasta, both_strands=False)["effect"][0]
    assert effect == pytest.approx(change, abs=1e-4)
    with pytest.raises(ValueError, match="width must be given"):
        variant_effects(
            make_pipeline(DNAOneHotEncoder(flatten=True), LogisticRegression()).fit(X, y),
            variants,
            fasta,
        )


def test_planted_variants_that_break_a_motif_are_told_from_neutral_ones(model, data, tmp_path):
    pytest.importorskip("pyfaidx", reason="genomes need sknn[genome]")
    X, _, positions = make_motif_sequences(120, WIDTH, fraction=1.0, random_state=7)
    path = tmp_path / "promoters.fa"
    path.write_text("".join(f">p{i}\n{s}\n" for i, s in enumerate(X)))
    rng, rows, breaks = np.random.RandomState(1), [], []
    for i, (sequence, first) in enumerate(zip(X, positions, strict=True)):
        inside = rng.randint(first + 1, first + 11)
        outside = rng.choice([p for p in range(WIDTH) if not first - 1 <= p < first + 13])
        for place, is_inside in ((inside, True), (outside, False)):
            alt = rng.choice([base for base in "ACGT" if base != sequence[place]])
            rows.append((f"p{i}", place + 1, sequence[place], alt))
            breaks.append(is_inside)
    variants = pd.DataFrame(rows, columns=["chrom", "pos", "ref", "alt"])
    shift = [WIDTH // 2 - (pos - 1) for pos in variants["pos"]]  # the promoter as it is
    effects = [
        variant_effects(model, variants.iloc[[i]], path, shifts=[shift[i]])["effect"].iloc[0]
        for i in range(len(variants))
    ]
    assert roc_auc_score(breaks, np.abs(effects)) >= 0.99
