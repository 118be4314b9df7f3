import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.ML.Cluster import Butina

from kekule._errors import KekuleError
from kekule.data.splits import clusters, make_split
from kekule.data.splits.clusters import butina_clusters, leader_clusters
from kekule.data.splits.labels import numbered
from kekule.data.splits.similarity import ecfp4_bits, nearest, similar_pairs

HEXANE = ["CCCCCC"] * 5


@pytest.fixture(scope="module")
def smiles(real):
    """Molecules of BBBP, with some of them twice."""
    chosen = real("BBBP", 4).smiles
    return [*chosen, *chosen[::40]]


@pytest.fixture(scope="module")
def similarity(smiles):
    """Similarity of every two of them, by RDKit; (N, N)."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = generator.GetFingerprints([Chem.MolFromSmiles(text) for text in smiles])
    return np.array([DataStructs.BulkTanimotoSimilarity(each, prints) for each in prints])


@pytest.mark.parametrize("least", [0.2, 0.4, 0.6, 1.0])
def test_similar_pairs_are_those_rdkit_finds(smiles, similarity, least):
    found = set()
    for first, second in similar_pairs(ecfp4_bits(smiles), least):
        found |= set(zip(first.tolist(), second.tolist(), strict=True))
    expected = np.argwhere(np.triu(similarity >= least - 1e-12, 1))

    assert {(min(pair), max(pair)) for pair in found} == set(map(tuple, expected.tolist()))
    assert len(found) == len(expected)


@pytest.mark.parametrize("cutoff", [0.3, 0.6])
def test_butina_clusters_are_those_of_rdkit(smiles, similarity, cutoff):
    distance = [1 - similarity[i, j] for i in range(len(smiles)) for j in range(i)]
    theirs = Butina.ClusterData(distance, len(smiles), cutoff + 1e-9, isDistData=True)
    of_row = np.empty(len(smiles), dtype=np.int64)
    for number, cluster in enumerate(theirs):
        of_row[list(cluster)] = number

    np.testing.assert_array_equal(
        butina_clusters(smiles, cutoff=cutoff), numbered(of_row.tolist())
    )


def test_every_cluster_has_a_member_that_all_others_are_near(smiles, similarity):
    for found in (butina_clusters(smiles, cutoff=0.6), leader_clusters(smiles, cutoff=0.6)):
        for number in range(found.max() + 1):
            members = np.flatnonzero(found == number)
            assert similarity[np.ix_(members, members)].min(axis=1).max() >= 0.4 - 1e-9


def test_leaders_are_far_from_each_other_and_each_molecule_goes_to_its_nearest(smiles, similarity):
    found = leader_clusters(smiles, cutoff=0.6)
    leaders = [0]  # row by row, as the docstring says
    for row in range(1, len(smiles)):
        if similarity[row, leaders].max() < 0.4:
            leaders.append(row)
    mine = np.array(leaders)[similarity[:, leaders].argmax(axis=1)]

    np.testing.assert_array_equal(found, numbered(mine.tolist()))


def test_molecules_with_equal_bits_are_in_one_cluster():
    mixed = [*HEXANE, "c1ccccc1", "CCCCCC", "c1ccccc1"]
    for found in (butina_clusters(mixed, cutoff=0.2), leader_clusters(mixed, cutoff=0.2)):
        assert found.tolist() == [0, 0, 0, 0, 0, 1, 0, 1]


def test_stereoisomers_are_in_one_cluster():
    pair = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"]
    assert butina_clusters(pair, cutoff=0.1).tolist() == [0, 0]
    assert leader_clusters(pair, cutoff=0.1).tolist() == [0, 0]


def test_a_molecule_as_far_as_the_cutoff_is_still_near():
    bits = np.zeros((2, 32), dtype=np.uint64)
    bits[:, 0] = (0b11111, 0b111)  # 3 of 5 bits in common
    for least, pairs in ((0.6, 1), (0.600001, 0), (3 / 5, 1)):
        assert sum(len(first) for first, _ in similar_pairs(bits, least)) == pairs


def test_the_nearest_is_the_first_of_equals():
    bits = np.zeros((3, 32), dtype=np.uint64)
    bits[:, 5] = (0b0111, 0b1110, 0b1111)
    assert nearest(bits[2:], bits[:2], 0.4).tolist() == [0]
    assert nearest(bits[:2], bits[1:], 0.4).tolist() == [1, 0]


@pytest.mark.slow
def test_processes_give_the_same_clusters_and_progress_goes_to_the_end(real):
    smiles = real("tox21").smiles[:3000]
    for find in (butina_clusters, leader_clusters):
        told = []
        alone = find(smiles, cutoff=0.6, progress=lambda *step, to=told: to.append(step))
        np.testing.assert_array_equal(find(smiles, cutoff=0.6, processes=2), alone)
        assert {what for what, done, of in told if done == of} == {what for what, *_ in told}


def test_tables_too_long_for_butina_are_sent_to_the_leaders(monkeypatch):
    monkeypatch.setattr(clusters, "LARGEST_BUTINA", 4)
    with pytest.raises(KekuleError, match=r"5 molecules, and at most 4.*Use tanimoto-cluster"):
        butina_clusters(HEXANE, cutoff=0.6)
    assert leader_clusters(HEXANE, cutoff=0.6).tolist() == [0] * 5


def test_molecules_too_alike_for_butina_are_sent_to_the_leaders(monkeypatch, smiles):
    monkeypatch.setattr(clusters, "MOST_PAIRS", 10)
    with pytest.raises(
        KekuleError, match=r"more than 10 pairs within a distance of 0\.6.*Use tan"
    ):
        butina_clusters(smiles, cutoff=0.6)


@pytest.mark.parametrize("kind", ["butina", "tanimoto-cluster"])
def test_cluster_folds_are_even_and_harder_than_scaffold_folds(real, kind):
    inputs = real("BBBP", 3)
    bits = ecfp4_bits(inputs.smiles)
    folds = {name: make_split(name, inputs).fold for name in (kind, "scaffold", "random")}

    assert np.ptp(np.bincount(folds[kind])) <= 2
    for fold in range(5):
        assert abs(inputs.codes[folds[kind] == fold].mean() - inputs.codes.mean()) < 0.01
    like = {name: np.median(nearest_trained_on(bits, fold)) for name, fold in folds.items()}
    assert like[kind] < like["scaffold"] < like["random"]


def nearest_trained_on(bits, fold):
    """Similarity of each row tested in fold 0 to the nearest row that is trained on."""
    test, train = bits[fold == 0], bits[fold != 0]
    both = np.bitwise_count(test[:, None] & train).sum(axis=2, dtype=np.int64)
    either = np.bitwise_count(test[:, None] | train).sum(axis=2, dtype=np.int64)
    return (both / either).max(axis=1)
