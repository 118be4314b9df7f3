"""The molecule behind a labelled graph: elements and bonds given, charges worked out.

Graph sets made from molecules keep element and bond type and drop hydrogens and
charges. Hydrogens RDKit adds by valence. Charges matter where a nitrogen has four
shares: such a nitrogen carries +1, and an oxygen that hangs on it by a single bond
carries -1. That covers nitro groups, N-oxides and quaternary ammonium. In an aromatic
ring the shares alone do not tell pyrrole's nitrogen from pyridinium's; there, what lets
RDKit find a Kekule structure is taken, rather if the ring then still is aromatic.
"""

from collections.abc import Iterator
from itertools import combinations, islice

from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data.graphs import LabelledGraphs
from kekule.data.smiles import problem_of, quiet

BOND_TYPES = {
    "single": Chem.BondType.SINGLE,
    "double": Chem.BondType.DOUBLE,
    "triple": Chem.BondType.TRIPLE,
    "aromatic": Chem.BondType.AROMATIC,
}
_ORDER = {  # electron pairs shared
    Chem.BondType.SINGLE: 1.0,
    Chem.BondType.DOUBLE: 2.0,
    Chem.BondType.TRIPLE: 3.0,
    Chem.BondType.AROMATIC: 1.5,
}
_MOST_GUESSES = 200


def molecule_from_graph(graphs: LabelledGraphs, row: int) -> Chem.Mol:
    """Rebuild the molecule of one graph.

    Parameters
    ----------
    graphs
        A set with an ``alphabet``.
    row
        Which graph, from 0.

    Returns
    -------
    Chem.Mol
        Sanitised; atom i is node i of the graph.

    Raises
    ------
    MoleculeError
        If the labels have no chemical meaning, the graph is no molecule's (a self loop,
        two types for one bond), or RDKit cannot sanitise it, with RDKit's reason.
    """
    try:
        mol = _unsanitised(graphs, row)
    except ValueError as error:
        raise MoleculeError("graph", str(error), source=graphs.source, row=row) from None
    problem = problem_of(mol)
    if "kekulize" in problem:
        guesses = islice(_guesses(mol), _MOST_GUESSES)
        sound = [_sanitised(guess) for guess in guesses if not problem_of(guess)]
        kinds = [bond.GetBondType() for bond in mol.GetBonds()]
        kept = [m for m in sound if [bond.GetBondType() for bond in m.GetBonds()] == kinds]
        if sound:
            return (kept or sound)[0]
    if problem:
        raise MoleculeError(_name(mol), problem, source=graphs.source, row=row)
    return _sanitised(mol)


def charges_of(mol: Chem.Mol) -> dict[int, int]:
    """Charges that elements and bonds alone imply, by atom; no entry means none.

    A nitrogen in `doubtful_nitrogens` is left out, and what hangs on it.
    """
    doubtful = set(doubtful_nitrogens(mol))
    charges: dict[int, int] = {}
    for atom in mol.GetAtoms():
        if atom.GetIdx() not in doubtful and _has_four_shares(atom):
            charges |= _charged(atom)
    return charges


def doubtful_nitrogens(mol: Chem.Mol) -> list[int]:
    """Aromatic nitrogens with two ring bonds and a substituent: neutral or +1."""
    return [a.GetIdx() for a in mol.GetAtoms() if a.GetIsAromatic() and _has_four_shares(a)]


def _has_four_shares(atom: Chem.Atom) -> bool:
    if atom.GetAtomicNum() != 7:
        return False
    return sum(_ORDER.get(bond.GetBondType(), 0.0) for bond in atom.GetBonds()) == 4.0


def _charged(atom: Chem.Atom) -> dict[int, int]:
    """+1 for a nitrogen, and -1 for one oxygen that hangs on it, if there is any."""
    charges = {atom.GetIdx(): 1}
    for bond in atom.GetBonds():
        other = bond.GetOtherAtom(atom)
        single = bond.GetBondType() == Chem.BondType.SINGLE
        if single and other.GetAtomicNum() == 8 and other.GetDegree() == 1:
            return charges | {other.GetIdx(): -1}
    return charges


def _sanitised(mol: Chem.RWMol) -> Chem.Mol:
    with quiet():
        Chem.SanitizeMol(mol)
    return mol.GetMol()


def _guesses(mol: Chem.RWMol) -> Iterator[Chem.RWMol]:
    """Ways to finish an aromatic system, those that change least first.

    Either a doubtful nitrogen is charged, or one with only its two ring bonds holds a
    hydrogen, as in pyrrole.
    """
    doubtful = doubtful_nitrogens(mol)
    bare = [
        a.GetIdx()
        for a in mol.GetAtoms()
        if a.GetAtomicNum() == 7 and a.GetIsAromatic() and a.GetDegree() == 2
    ]
    choices = [(index, False) for index in bare] + [(index, True) for index in doubtful]
    for n_changes in range(1, len(choices) + 1):
        for changes in combinations(choices, n_changes):
            guess = Chem.RWMol(mol)
            for index, charged in changes:
                atom = guess.GetAtomWithIdx(index)
                if not charged:
                    atom.SetNumExplicitHs(1)
                    continue
                for other, charge in _charged(atom).items():
                    guess.GetAtomWithIdx(other).SetFormalCharge(charge)
            yield guess


def _unsanitised(graphs: LabelledGraphs, row: int) -> Chem.RWMol:
    alphabet = graphs.alphabet
    if alphabet is None:
        raise ValueError(f"the labels of {graphs.name} are not known to be elements and bonds")
    graph = graphs.graph(row)
    mol = Chem.RWMol()
    for label in graph.node_labels[:, 0].tolist():
        if label not in alphabet.elements:
            raise ValueError(f"node label {label} stands for no element")
        mol.AddAtom(Chem.Atom(alphabet.elements[label]))
    if not mol.GetNumAtoms():
        raise ValueError("it has no atoms")
    for (u, v), label in _bonds(graph).items():
        if label not in alphabet.bonds:
            raise ValueError(f"edge label {label} stands for no bond type")
        kind = alphabet.bonds[label]
        mol.AddBond(u, v, BOND_TYPES[kind])
        if kind == "aromatic":
            mol.GetBondBetweenAtoms(u, v).SetIsAromatic(True)
            mol.GetAtomWithIdx(u).SetIsAromatic(True)
            mol.GetAtomWithIdx(v).SetIsAromatic(True)
    for index, charge in charges_of(mol).items():
        mol.GetAtomWithIdx(index).SetFormalCharge(charge)
    return mol


def _bonds(graph: LabelledGraphs) -> dict[tuple[int, int], int]:
    """Edge label of each bond, the ends in rising order."""
    bonds: dict[tuple[int, int], int] = {}
    edges = zip(*graph.edge_index.tolist(), graph.edge_labels[:, 0].tolist(), strict=True)
    for u, v, label in edges:
        if u == v:
            raise ValueError(f"node {u} is joined to itself")
        ends = (min(u, v), max(u, v))
        if bonds.setdefault(ends, label) != label:
            raise ValueError(f"the bond of nodes {ends[0]} and {ends[1]} has two types")
    return bonds


def _name(mol: Chem.RWMol) -> str:
    """Write a broken molecule as SMILES."""
    with quiet():
        mol.UpdatePropertyCache(strict=False)
        return str(Chem.MolToSmiles(mol))
