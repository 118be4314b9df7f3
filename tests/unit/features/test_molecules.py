import logging
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from kekule.data import INVALID, OK, read_molecule
from kekule.features import molecules
from kekule.features.molecule_schema import MOLECULE_SCHEMA
from kekule.features.molecules import CHUNK, EngineError, molecule_graphs
from kekule.features.molecules_cpp import BATCH, why_not_cpp

ENGINES = ["rdkit"] if why_not_cpp() else ["cpp", "rdkit"]
both_engines = pytest.mark.parametrize("engine", ENGINES)
needs_cpp = pytest.mark.skipif(bool(why_not_cpp()), reason=why_not_cpp() or "it is there")

ODD = [
    "C",
    "[H][H]",
    "[2H]",
    "[H]C([H])([H])O[2H]",
    "[H+].[Cl-]",
    "[Li][H]",
    "[Na+].[O-]C(=O)c1ccccc1",
    "N->[Fe]<-N",
    "[Cr]$[Cr]",
    "C~C",
    "C:C",
    "[CH3]",
    "[CH2]",
    "[C+300]",
    "[Fe-128]",
    "[Fe+3]",
    "[235U]",
    "[Og]",
    "C1CC1",
    "C1CCCCCCC1",
    "C1CCCCCCCC1",
    "C1CCCCCCCCCCCC1",
    "C12C3C4C1C5C2C3C45",
    "c1ccc2c(c1)C1CC1C2",
    "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O",
    "C[C@H]1CC[C@@H](C)CC1",
    "F[P@](Cl)(Br)N",
    "C[S@](=O)CC",
    "F[Pt@SP1](F)(Cl)Cl",
    "F/C=C/F",
    "F/C=C\\F",
    "CC=N/O",
    "CC=CC",
    "C1CCCCCCC/C=C/1",
    "C=C=C",
    "c1cc[nH]c1",
    "O=[N+]([O-])c1ccc2ccccc2c1",
    "[O-][Cl+3]([O-])([O-])[O-]",
    "FS(F)(F)(F)(F)F",
    "F[U](F)(F)(F)(F)(F)F",
    "[SiH5-]",
    "CC(C)(C)[C@]12CC[C@](C)(O1)C=C2",
    "[13CH3:7]O",
    "CCO |$_AV:a;b;c$|",
    " CCO ",
]
BAD = {
    "": "it is empty",
    "   ": "it is empty",
    "*": r"atom 0 is a dummy atom \(\*\), which is no element",
    "C[*:1]": "atom 1 is a dummy atom",
    "C1CC": "ring",
    "C(C)(C)(C)(C)C": "valence",
    "c1cccc1": "kekulize",
    "[Xx]": ".",
    "CC>>CC": ".",
    "not a molecule": ".",
    "C\x00C": r"no SMILES has the character '\\x00'",
    "CÖ": "no SMILES has the character 'Ö'",
    "C" * 20_001: "20001 characters",
}


def test_the_codes_of_a_molecule_are_these_and_change_with_the_name_of_the_featuriser():
    assert MOLECULE_SCHEMA.featuriser == "molecule-1"
    assert (
        MOLECULE_SCHEMA.sha256
        == "a29f75450674d92c2668980929e91c21f473fb4381a76c69a743728c415e3998"
    )


def values(smiles, engine, column, part="nodes"):
    """Labels of one column, read back from the codes of one molecule."""
    columns = getattr(MOLECULE_SCHEMA, part)
    k = [c.name for c in columns].index(column)
    codes = getattr(molecule_graphs([smiles], engine=engine).graphs, part)[:, k]
    return [columns[k].values[code] for code in codes.tolist()]


@both_engines
@pytest.mark.parametrize(
    ("smiles", "column", "expected"),
    [
        ("CCO", "element", [6, 6, 8]),
        ("[Og]", "element", [118]),
        ("CC(C)(C)O", "degree", [1, 4, 1, 1, 1]),
        ("F[U](F)(F)(F)(F)(F)F", "degree", [1, 6, 1, 1, 1, 1, 1, 1]),
        ("[NH4+].[Cl-]", "charge", [1, -1]),
        ("[U+6]", "charge", [3]),
        ("[C-4]", "charge", [-3]),
        ("CCO", "hydrogens", [3, 2, 1]),
        ("[SiH5-]", "hydrogens", [4]),
        ("[H]C([H])([H])O", "hydrogens", [3, 1]),
        ("[2H]O", "hydrogens", [0, 1]),
        ("[H][H]", "hybridisation", [1, 1]),
        ("C#N", "hybridisation", [2, 2]),
        ("C=O", "hybridisation", [3, 3]),
        ("CF", "hybridisation", [4, 4]),
        ("[Fe-9]", "hybridisation", [0]),
        ("Cc1ccco1", "aromatic", [0, 1, 1, 1, 1, 1]),
        ("CC1CC1", "ring", [0, 3, 3, 3]),
        ("C1CCCCCCC1", "ring", [8] * 8),
        ("C1CCCCCCCCCCC1", "ring", [9] * 12),
        ("C1CC2CCC12", "ring", [4, 4, 4, 4, 4, 4]),
        ("C[C@H](N)C(=O)O", "chirality", [0, 2, 0, 0, 0, 0]),
        ("C[C@@H](N)C(=O)O", "chirality", [0, 1, 0, 0, 0, 0]),
        ("C[C@H]1CC[C@@H](C)CC1", "chirality", [0] * 8),
        ("C[CH2]", "radical", [0, 1]),
        ("[C]", "radical", [2]),
    ],
)
def test_an_atom_is_coded_as_its_chemistry_says(engine, smiles, column, expected):
    assert values(smiles, engine, column) == expected


@both_engines
@pytest.mark.parametrize(
    ("smiles", "column", "expected"),
    [
        ("CC", "order", [1, 1]),
        ("C=C", "order", [2, 2]),
        ("C#C", "order", [3, 3]),
        ("c1ccoc1", "order", [4] * 10),
        ("N->[Fe]", "order", [5, 5]),
        ("[Cr]$[Cr]", "order", [6, 6]),
        ("C~C", "order", [6, 6]),
        ("C=CC=C", "conjugated", [1] * 6),
        ("C1CC1C", "ring", [1, 1, 1, 1, 1, 1, 0, 0]),
        ("FC=CF", "stereo", [0] * 6),
        ("F/C=C\\F", "stereo", [0, 0, 2, 2, 0, 0]),
        ("F/C=C/F", "stereo", [0, 0, 3, 3, 0, 0]),
    ],
)
def test_a_bond_is_coded_as_its_chemistry_says_both_ways(engine, smiles, column, expected):
    assert values(smiles, engine, column, "edges") == expected


@both_engines
def test_each_bond_is_two_edges_in_the_order_of_the_contract(engine):
    graphs = molecule_graphs(["OC1CC1", "C", "CCO"], engine=engine).graphs

    assert graphs.node_pointer.tolist() == [0, 4, 5, 8]
    assert graphs.edge_pointer.tolist() == [0, 8, 8, 12]
    source, target = graphs.edge_index.tolist()
    assert source == [0, 1, 1, 1, 2, 2, 3, 3, 0, 1, 1, 2]
    assert target == [1, 0, 2, 3, 1, 3, 1, 2, 1, 0, 2, 1]
    assert graphs.edge_index.dtype == np.uint8


@needs_cpp
def test_both_engines_give_equal_arrays_for_odd_molecules_and_equal_reasons(arrays_of):
    rows = [*ODD, *BAD]
    fast, slow = (molecule_graphs(rows, engine=engine) for engine in ("cpp", "rdkit"))

    np.testing.assert_equal(arrays_of(fast.graphs), arrays_of(slow.graphs))
    assert fast.statuses == slow.statuses
    assert [s.status for s in fast.statuses] == [OK] * len(ODD) + [INVALID] * len(BAD)


@needs_cpp
@pytest.mark.parametrize("name", ["HIV", "tox21"])
def test_both_engines_give_equal_arrays_on_a_sample_of_real_sets(smiles_of, arrays_of, name):
    rows = smiles_of(f"moleculenet/{name}.csv")[::37]
    fast, slow = (molecule_graphs(rows, engine=engine) for engine in ("cpp", "rdkit"))

    np.testing.assert_equal(arrays_of(fast.graphs), arrays_of(slow.graphs))
    assert fast.statuses == slow.statuses


@needs_cpp
@pytest.mark.slow
@pytest.mark.parametrize(("name", "n_invalid"), [("HIV", 7), ("tox21", 8)])
def test_both_engines_give_equal_arrays_on_whole_sets(smiles_of, arrays_of, name, n_invalid):
    rows = smiles_of(f"moleculenet/{name}.csv")
    fast, slow = (molecule_graphs(rows, engine=engine) for engine in ("cpp", "rdkit"))

    np.testing.assert_equal(arrays_of(fast.graphs), arrays_of(slow.graphs))
    assert fast.statuses == slow.statuses
    assert [status.status for status in fast.statuses].count(INVALID) == n_invalid


@both_engines
@pytest.mark.parametrize(("text", "why"), BAD.items())
def test_a_row_that_cannot_be_read_is_an_empty_graph_with_a_reason(engine, text, why):
    found = molecule_graphs([text], engine=engine)

    assert len(found.graphs) == 1
    assert len(found.graphs.nodes) == len(found.graphs.edges) == 0
    assert found.statuses[0].status == INVALID
    with pytest.raises(AssertionError, match=f"(?i){why}"):
        raise AssertionError(found.statuses[0].reason)


@both_engines
def test_a_net_of_rings_that_rdkit_would_not_finish_is_refused_and_its_neighbours_are_not(engine):
    start = time.monotonic()
    found = molecule_graphs(["CCO", honeycomb(13, 14), honeycomb(4, 6)], engine=engine)

    assert time.monotonic() - start < 10
    assert np.diff(found.graphs.node_pointer).tolist() == [3, 0, 24]
    why = "it has 72 rings fused into one, and at most 40 are read"
    assert found.statuses == [(OK, ""), (INVALID, why), (OK, "")]


def honeycomb(height, width):
    """SMILES of six-membered rings of nitrogen, like bricks in a wall."""
    mol = Chem.RWMol()
    for _ in range(height * width):
        mol.AddAtom(Chem.Atom(7))
    for k in range(height * width):
        row, column = divmod(k, width)
        if column + 1 < width:
            mol.AddBond(k, k + 1, Chem.BondType.SINGLE)
        if row + 1 < height and (row + column) % 2 == 0:
            mol.AddBond(k, k + width, Chem.BondType.SINGLE)
    return Chem.MolToSmiles(mol, canonical=False)


@both_engines
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_row_is_the_same_alone_and_among_any_others(engine, arrays_of, data):
    rows = data.draw(st.lists(st.sampled_from([*ODD, *BAD]), max_size=12))
    found = molecule_graphs(rows, engine=engine)

    assert len(found.graphs) == len(found.statuses) == len(rows)
    for k, text in enumerate(rows):
        alone = molecule_graphs([text], engine=engine)
        taken = found.graphs.take(np.array([k]))
        np.testing.assert_equal(arrays_of(taken), arrays_of(alone.graphs))
        assert found.statuses[k] == alone.statuses[0]


@both_engines
@pytest.mark.parametrize("bad", ["C1CC", "C(C)(C)(C)(C)C", "*", "C C"])
def test_one_bad_molecule_anywhere_costs_only_its_own_row(smiles_of, arrays_of, engine, bad):
    good = smiles_of("moleculenet/BBBP.csv")[:40]
    whole = molecule_graphs(good, engine=engine)

    assert {status.status for status in whole.statuses} == {OK}
    for place in (0, 17, 40):
        found = molecule_graphs([*good[:place], bad, *good[place:]], engine=engine)
        assert [k for k, s in enumerate(found.statuses) if s.status == INVALID] == [place]
        rest = found.graphs.take(np.delete(np.arange(41), place))
        np.testing.assert_equal(arrays_of(rest), arrays_of(whole.graphs))


@both_engines
def test_a_batch_of_nothing_but_bad_molecules_is_read_to_its_end(engine):
    rows = ["C(C)(C)(C)(C)C", "C1CC", "*"] * BATCH
    found = molecule_graphs(rows, engine=engine)

    assert {status.status for status in found.statuses} == {INVALID}
    assert found.graphs.node_pointer.tolist() == [0] * (len(rows) + 1)


@both_engines
def test_no_rows_are_no_graphs(engine):
    found = molecule_graphs([], engine=engine)

    assert len(found.graphs) == 0
    assert found.statuses == []
    assert found.graphs.nodes.shape == (0, 9)


@both_engines
def test_writing_a_molecule_from_another_atom_only_permutes_its_arrays(smiles_of, engine):
    stereo = [s for s in smiles_of("moleculenet/HIV.csv") if "@" in s and "/" in s]
    rdBase.SeedRandomNumberGenerator(0)
    for smiles in [*ODD, *stereo[:40], *smiles_of("moleculenet/HIV.csv")[::600]]:
        mol = read_molecule(smiles)
        other = Chem.MolToSmiles(mol, doRandom=True)
        order = np.array(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
        first, second = (molecule_graphs([s], engine=engine).graphs for s in (smiles, other))

        np.testing.assert_array_equal(second.nodes, first.nodes[order])
        assert edges(second, names=order) == edges(first, names=np.arange(len(order)))


def edges(graphs, names):
    """Edges as a set that renumbering cannot change: (source, target, codes)."""
    source, target = names[graphs.edge_index.astype(np.int64)]
    codes = map(tuple, graphs.edges.tolist())
    return set(zip(source.tolist(), target.tolist(), codes, strict=True))


def test_a_molecule_with_more_than_256_atoms_widens_the_node_numbers_of_its_set(arrays_of):
    long = "C" * 300
    found = molecule_graphs([*["CCO"] * CHUNK, long, "CC"]).graphs

    assert found.edge_index.dtype == np.uint16
    assert found.edge_index.max() == 299
    alone = molecule_graphs([long]).graphs
    np.testing.assert_equal(arrays_of(found.take(np.array([CHUNK]))), arrays_of(alone))


def test_two_processes_give_what_one_gives_and_tell_how_far_they_are(smiles_of, arrays_of):
    rows = [*smiles_of("moleculenet/tox21.csv")[:2500], *BAD]
    told = []
    one = molecule_graphs(rows)
    two = molecule_graphs(rows, processes=2, progress=lambda *how_far: told.append(how_far))

    np.testing.assert_equal(arrays_of(two.graphs), arrays_of(one.graphs))
    assert two.statuses == one.statuses
    assert told == [("featurising", n, len(rows)) for n in (1024, 2048, len(rows))]


def test_a_stream_is_read_no_further_than_it_is_worked_on():
    read, ahead, total = [], [], 6 * CHUNK

    def stream():
        for row in range(total):
            read.append(row)
            yield "CCO"

    def note(_, done, of):
        ahead.append(len(read) - done)
        assert of is None

    found = molecule_graphs(stream(), progress=note)

    assert len(found.graphs) == total
    assert max(ahead) <= CHUNK


def test_auto_takes_the_slower_way_and_says_so_once_where_the_fast_one_is_not_for_this_rdkit(
    monkeypatch, caplog, arrays_of
):
    fast = molecule_graphs(ODD)
    monkeypatch.setattr(molecules, "why_not_cpp", lambda: "it is for RDKit 1999.9")
    molecules._best.cache_clear()
    try:
        with caplog.at_level(logging.WARNING, "kekule"):
            slow = [molecule_graphs(ODD) for _ in range(2)]
    finally:
        molecules._best.cache_clear()

    assert caplog.messages == ["molecules are read by the slower way: it is for RDKit 1999.9"]
    np.testing.assert_equal(arrays_of(slow[0].graphs), arrays_of(fast.graphs))


def test_an_engine_asked_for_by_name_that_is_not_there_is_an_error_with_the_cure(monkeypatch):
    monkeypatch.setattr(molecules, "why_not_cpp", lambda: "it is not installed")
    with pytest.raises(EngineError, match=r"'cpp' cannot be used: it is not installed\. Give"):
        molecule_graphs(["C"], engine="cpp")
    with pytest.raises(EngineError, match=r"engine 'java' is not known\. Give 'auto', 'cpp'"):
        molecule_graphs(["C"], engine="java")


def test_no_molecule_however_bad_writes_to_the_terminal(capfd):
    for engine in ENGINES:
        molecule_graphs([*ODD, *BAD], engine=engine)

    assert capfd.readouterr() == ("", "")


def in_another_process(code, *arguments, given=""):
    """Run code that may end the process it runs in, and give what it prints."""
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=1200, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-300:]
    return done.stdout


@needs_cpp
@pytest.mark.parametrize("order", ["before", "after"])
def test_the_compiled_part_is_loaded_alone_and_bears_the_whole_package_beside_it(order):
    out = in_another_process(
        """
        import sys, warnings
        warnings.simplefilter("ignore")
        from kekule.features.molecules import molecule_graphs
        if sys.argv[1] == "before":
            import cuik_molmaker
        graphs = molecule_graphs(["CCO"], engine="cpp").graphs
        print(len(graphs.nodes), "cuik_molmaker" in sys.modules)
        import cuik_molmaker as whole
        ids = whole.atom_float_feature_names_to_array(["degree"])
        none = ids[:0]
        print(whole.batch_mol_featurizer(["CC"], none, ids, none, *[False] * 4)[0].tolist())
        print(len(molecule_graphs(["CCO"], engine="cpp").graphs.nodes))
        """,
        order,
    )
    assert out.split("\n")[:3] == [f"3 {order == 'before'}", "[[4.0], [4.0]]", "3"]


def test_a_process_that_lays_out_molecules_starts_without_pandas_scikit_learn_and_scipy():
    out = in_another_process(
        """
        import sys
        from kekule.features.molecules import molecule_graphs
        molecule_graphs(["CCO", "not a molecule"])
        print({"pandas", "sklearn", "scipy", "torch", "pyarrow"} & set(sys.modules) or "none")
        """
    )
    assert out == "none\n"


MUTATED = """
    import random, sys
    import numpy as np
    from kekule.features.molecules import molecule_graphs

    ALPHABET = "CNOPSFIBcnops[]()=#$:/\\\\@+-.%0123456789HlrKa*>~ {}|,&!\\x00\\t\\xe9"

    def mutated(text, rng):
        letters = list(text)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(letters) + 1)
            kind = rng.random()
            if kind < 0.35:
                letters.insert(at, rng.choice(ALPHABET))
            elif kind < 0.6:
                letters[at : at + rng.randint(1, 3)] = []
            elif kind < 0.85 and letters:
                letters[at % len(letters)] = rng.choice(ALPHABET)
            else:
                other = rng.randrange(len(letters) + 1)
                letters[at:at] = letters[min(at, other) : max(at, other)]
        return "".join(letters)

    rng = random.Random(int(sys.argv[1]))
    seeds = sys.stdin.read().splitlines()
    rows = [mutated(rng.choice(seeds), rng) for _ in range(int(sys.argv[2]))]
    fast = molecule_graphs(rows, engine="cpp")
    slow = molecule_graphs(rows, engine="rdkit")
    assert fast.statuses == slow.statuses
    for name in ("node_pointer", "edge_pointer", "edge_index", "nodes", "edges"):
        assert np.array_equal(getattr(fast.graphs, name), getattr(slow.graphs, name)), name
    assert len(fast.statuses) == len(rows)
    print(sum(status.status == "invalid" for status in fast.statuses))
"""


def invalid_among_mutated(seeds, *, seed, n):
    return int(in_another_process(MUTATED, str(seed), str(n), given="\n".join(seeds)))


@needs_cpp
def test_mutated_smiles_end_no_process_and_both_engines_agree_on_them():
    assert 200 < invalid_among_mutated([*ODD, *list(BAD)[:-1]], seed=0, n=1500) < 1500


@needs_cpp
@pytest.mark.slow
def test_twenty_thousand_mutated_smiles_end_no_process(smiles_of):
    seeds = [*ODD, *smiles_of("moleculenet/HIV.csv")[::200]]
    assert 4000 < invalid_among_mutated(seeds, seed=1, n=20_000) < 20_000


HOSTILE = [
    "(" * 9000,
    "C(" * 6000 + ")" * 6000,
    "[" * 19_999,
    "C1" * 9000,
    "C%99" * 4000,
    "C=" * 9999,
    "C" * 20_000,
    "." * 15_000,
    "[C@@" * 5000,
    "[C+" + "9" * 19_000 + "]",
    "[" + "9" * 19_000 + "C]",
    "c1ccccc1" * 300,
]


@needs_cpp
def test_a_long_hostile_text_ends_no_process_and_costs_no_other_row():
    code = """
        import sys
        from kekule.features.molecules import molecule_graphs
        for text in sys.stdin.read().splitlines():
            print(text[:9], flush=True)
            for engine in ("cpp", "rdkit"):
                sizes = molecule_graphs(["CCO", text, "CC"], engine=engine).graphs.node_pointer
                print((sizes[1] - sizes[0]).item(), (sizes[3] - sizes[2]).item())
    """
    out = in_another_process(code, given="\n".join(HOSTILE)).splitlines()

    assert len(out) == 3 * len(HOSTILE)
    assert {*out[1::3], *out[2::3]} == {"3 2"}
