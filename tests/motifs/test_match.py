"""match_motifs: the gate, the control, and TOMTOM's values."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sknn.exceptions import OptionalDependencyError
from sknn.motifs import Motif, load_jaspar, match_motifs, write_motifs
from sknn.motifs._match import keep_threads


def motif(consensus, name=None, strength=40):
    counts = np.eye(4)[["ACGT".index(letter) for letter in consensus]] * strength
    return Motif(name or consensus, counts, strength)


KNOWN = [motif("ACCGGAAGTG", "MA1 ELK"), motif("TTGACGTAAC", "MA2 CREB")]


@pytest.fixture
def fake_tomtom(monkeypatch):
    """TOMTOM that gives p = 1e-6 to equal consensus on either strand, and 0.5 else."""
    seen = []

    def tomtom(queries, targets):
        seen.append(len(queries))
        p = np.full((len(queries), len(targets)), 0.5)
        strands = np.zeros_like(p)
        for i, query in enumerate(queries):
            for j, target in enumerate(targets):
                for strand, other in enumerate([target, target[::-1, ::-1]]):
                    same = query.shape == other.shape
                    if same and (query.argmax(axis=0) == other.argmax(axis=0)).all():
                        p[i, j], strands[i, j] = 1e-6, strand
        return p, p, p, p, strands

    module = SimpleNamespace(tomtom=tomtom)
    monkeypatch.setitem(sys.modules, "memelite", module)
    return seen


def test_matches_are_told_beside_the_control(fake_tomtom):
    motifs = [motif("CACTTCCGGT", "filter_1"), motif("AAAAAAAAAA", "filter_2")]
    weak = motif("ACCGGAAGTG", "weak", strength=1)
    found = match_motifs([*motifs, weak], KNOWN, control=[weak, motif("TTGACGTAAC", "filter_9")])
    assert [(r["motif"], r["match"], r["strand"], r["control"]) for r in found.table] == [
        ("filter_1", "MA1 ELK", "-", False),
        ("filter_9", "MA2 CREB", "+", True),
    ]
    assert found.table[0]["e_value"] == pytest.approx(2e-6)
    assert (found.n_motifs, found.n_informative, found.n_matched) == (3, 2, 1)
    assert (found.n_control, found.n_control_informative, found.n_control_matched) == (2, 1, 1)
    assert "1 of 3 motifs match at E < 0.001 with 10 bits or more; untrained: 1 of 2" in str(found)
    assert fake_tomtom == [3]  # the weak ones are not compared


def test_gate_and_limit_are_those_asked_for(fake_tomtom):
    weak = motif("ACCGGAAGTG", "weak", strength=2)
    assert match_motifs([weak], KNOWN, control=[weak], min_bits=0).n_matched == 1
    strict = match_motifs([weak], KNOWN, control=[weak], min_bits=0, max_e_value=1e-9)
    assert (strict.n_matched, strict.table) == (0, [])
    assert match_motifs([], KNOWN, control=[weak]).n_motifs == 0


def test_no_control_is_warned_of(fake_tomtom):
    with pytest.warns(UserWarning, match="match_motifs has no control. Pass the motifs of the unt"):
        match_motifs([KNOWN[0]], KNOWN)


@pytest.mark.parametrize("format", ["meme", "jaspar"])
def test_database_may_be_a_file(fake_tomtom, tmp_path, format):
    write_motifs(KNOWN, tmp_path / "known", format=format)
    for path in (tmp_path / "known", str(tmp_path / "known")):
        found = match_motifs([KNOWN[1]], path, control=[KNOWN[0]])
        assert found.table[0]["match"].startswith("MA")
        assert found.n_matched == 1


def test_wrong_alphabets_and_empty_databases_are_refused():
    rna = Motif("r", np.eye(4), 1, alphabet="ACGU")
    with pytest.raises(ValueError, match="alphabet 'ACGT'; 'r' has 'ACGU'"):
        match_motifs([rna], KNOWN)
    with pytest.raises(ValueError, match="database has no motif"):
        match_motifs(KNOWN, [])


def test_missing_package_names_the_extra(monkeypatch):
    for package in ("memelite", "pyjaspar"):
        monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(OptionalDependencyError, match=r"match_motifs needs .*sknn\[motifs\]"):
        match_motifs(KNOWN, KNOWN, control=KNOWN)
    with pytest.raises(OptionalDependencyError, match=r"load_jaspar needs .*sknn\[motifs\]"):
        match_motifs(KNOWN, "jaspar", control=KNOWN)


def test_memelite_finds_the_same_motif_on_the_other_strand():
    pytest.importorskip("memelite")
    random = np.random.RandomState(0)
    others = ["".join(s) for s in random.choice(list("ACGT"), (30, 10))]
    known = [*KNOWN, *map(motif, others)]
    query = KNOWN[0].reverse_complement()
    best = match_motifs([query], known, control=[motif("AAAAAAAAAA")]).table[0]
    assert (best["match"], best["strand"]) == ("MA1 ELK", "-")
    assert best["e_value"] < 1e-3


def test_jaspar_brings_the_vertebrates():
    pytest.importorskip("pyjaspar")
    motifs = load_jaspar()
    assert len(motifs) == 879
    assert any(m.name == "MA0028.3 ELK1" for m in motifs)
    with pytest.raises(ValueError, match="no CORE motifs of 'dragons'"):
        load_jaspar(tax_group="dragons")


def test_jaspar_is_read_through_pyjaspar(monkeypatch):
    entry = SimpleNamespace(matrix_id="MA9", name="X", counts={base: [1.0, 2.0] for base in "ACGT"})
    base = SimpleNamespace(
        fetch_motifs=lambda collection, tax_group: [entry] if tax_group == ["plants"] else []
    )
    module = SimpleNamespace(jaspardb=lambda release: base)
    monkeypatch.setitem(sys.modules, "pyjaspar", module)
    (motif,) = load_jaspar(tax_group="plants")
    assert (motif.name, motif.n_sites, motif.pfm.tolist()) == ("MA9 X", 8, [[1] * 4, [2] * 4])
    with pytest.raises(ValueError, match="no CORE motifs of 'dragons'"):
        load_jaspar(tax_group="dragons")


def test_threads_are_as_before_whatever_a_library_sets():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    try:
        with keep_threads():
            torch.set_num_threads(before + 2)
        assert torch.get_num_threads() == before
    finally:
        torch.set_num_threads(before)
