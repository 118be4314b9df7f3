import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from kekule._errors import KekuleError, MoleculeError
from kekule.data.splits import make_split
from kekule.data.splits.labels import numbered
from kekule.data.splits.scaffold_ordered import TEST, TRAIN, VALIDATION, ordered_parts
from kekule.data.splits.scaffolds import scaffold_of, scaffolds_of


@pytest.mark.parametrize(
    ("smiles", "scaffold"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O", "c1ccccc1"),  # side chains go
        ("Cn1cccc1", "c1cc[nH]c1"),  # what they leave is capped by hydrogen
        ("CCc1ccc(CC(C)c2ccncc2)cc1", "c1ccc(CCc2ccncc2)cc1"),  # what links rings stays
        ("O=C1CCCCC1CC", "O=C1CCCCC1"),  # and what is doubly bonded to them
        ("C[C@H]1CC[C@@H](C)CC1", "C1CCCCC1"),  # stereo goes
        ("C/C=C/c1ccc(/C=C/c2ccccc2)cc1", "C(=Cc1ccccc1)c1ccccc1"),
        ("CCCCCC(=O)O", ""),  # no ring, no scaffold
        ("C", ""),
        ("c1ccccc1.C1CC1", "C1CC1.c1ccccc1"),
    ],
)
def test_a_scaffold_is_the_rings_and_what_links_them(smiles, scaffold):
    assert scaffold_of(smiles) == scaffold


def test_the_way_a_molecule_is_written_does_not_change_its_scaffold(real):
    for smiles in real("BBBP", 10).smiles:
        mol = Chem.MolFromSmiles(smiles)
        other = Chem.MolToRandomSmilesVect(mol, 3, randomSeed=1)
        assert {scaffold_of(text) for text in other} == {scaffold_of(smiles)}


def test_processes_give_the_same_scaffolds_and_progress_counts_them(real, monkeypatch):
    monkeypatch.setattr("kekule.data.splits.scaffolds._ALONE", 100)
    smiles, told = real("BBBP", 4).smiles, []
    alone = scaffolds_of(smiles, progress=lambda *step: told.append(step))
    few = scaffolds_of(smiles[:5])

    assert scaffolds_of(smiles, processes=2) == alone
    assert few == alone[:5]
    assert told[-1] == ("scaffolds", len(smiles), len(smiles))
    assert [step[1] for step in told] == sorted(step[1] for step in told)


def test_a_structure_that_cannot_be_read_is_an_error(capfd):
    with pytest.raises(MoleculeError, match="valence"):
        scaffold_of("C(C)(C)(C)(C)C")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["BBBP", "BACE"])
def test_scaffold_folds_of_real_sets_are_even_in_rows_and_classes(real, name):
    inputs = real(name)
    scaffolds = [scaffold_of(smiles) for smiles in inputs.smiles]
    for seed in range(3):
        split = make_split("scaffold", inputs, seed=seed)

        assert np.ptp(np.bincount(split.fold)) <= 2
        assert len(set(zip(scaffolds, split.fold.tolist(), strict=True))) == len(set(scaffolds))
        for fold in range(5):
            assert abs(inputs.codes[split.fold == fold].mean() - inputs.codes.mean()) < 0.01


def test_repeats_part_most_pairs_of_scaffolds_otherwise(real):
    inputs = real("BBBP")
    first, other = (make_split("scaffold", inputs, seed=seed).fold for seed in (0, 1))
    of_pair = np.random.default_rng(0).integers(0, len(inputs), (2, 20_000))
    together = [fold[of_pair[0]] == fold[of_pair[1]] for fold in (first, other)]

    assert together[1][together[0]].mean() < 0.3  # 0.2 if they knew nothing of each other


def test_scaffolds_too_large_for_a_fold_make_it_as_large_as_they_are(real):
    inputs = real("tox21")
    split = make_split("scaffold", inputs)
    sizes, largest = np.bincount(split.fold), np.bincount(split.groups).max()

    assert largest > len(inputs) / 5
    assert sizes.max() == largest  # the molecules without a ring, by themselves
    assert sizes.min() > 0.9 * (len(inputs) - largest) / 4
    assert f"the largest with {largest} rows" in split.description


def test_molecules_without_a_ring_stay_together(real):
    inputs = real("BBBP", 3)
    split = make_split("scaffold", inputs)
    acyclic = np.array([scaffold_of(smiles) == "" for smiles in inputs.smiles])

    assert acyclic.sum() > 20
    assert len(set(split.fold[acyclic].tolist())) == 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
def test_training_takes_scaffolds_up_to_its_share_and_leaves_none_that_fits(names):
    groups = numbered(names)
    part, sizes = ordered_parts(groups), np.bincount(groups)
    n_train = (part == TRAIN).sum()
    of_group = [set(part[groups == group].tolist()) for group in range(len(sizes))]
    left = [size for size, parts in zip(sizes, of_group, strict=True) if parts != {TRAIN}]

    assert {len(parts) for parts in of_group} == {1}
    assert 10 * n_train <= 8 * len(groups)
    assert all(10 * (n_train + size) > 8 * len(groups) for size in left)


def test_the_deterministic_order_is_by_size_then_by_the_later_first_row():
    # a: rows 0-3, b: 4-7, then c (8), d (9): b goes first, then a, then d, then c.
    part = ordered_parts(np.repeat([0, 1, 2, 3], [4, 4, 1, 1]))
    assert part.tolist() == [TRAIN] * 8 + [TEST, VALIDATION]


def test_too_few_scaffolds_for_three_parts_are_refused(by_rows):
    inputs = by_rows(10, smiles=["c1ccccc1C"] * 9 + ["C1CC1"])
    message = r"1 rows to train, 9 to validate and 0 to test on; 2 scaffolds.*90\.0%.*Use scaffold"
    with pytest.raises(KekuleError, match=message):
        make_split("scaffold-ordered", inputs)


@pytest.mark.slow
def test_hiv_is_split_as_ogb_splits_it(real, data_root):
    inputs = real("HIV")
    theirs = pd.read_csv(data_root / "splits" / "molhiv_scaffold.csv", index_col="index")["split"]
    theirs = theirs.map({"train": TRAIN, "valid": VALIDATION, "test": TEST}).sort_index()
    split = make_split("scaffold-ordered", inputs)
    ours = np.full(len(inputs), TRAIN)
    ours[split.validation[0]], ours[split.fold == 0] = VALIDATION, TEST
    assert (ours != theirs.to_numpy()[inputs.rows]).sum() == 3

    # Their RDKit read the seven rows that ours does not: each with a scaffold of its own.
    groups = np.full(inputs.n_source, -1)
    groups[inputs.rows] = split.groups
    groups[groups < 0] = split.groups.max() + 1 + np.arange((groups < 0).sum())
    np.testing.assert_array_equal(ordered_parts(groups), theirs)
