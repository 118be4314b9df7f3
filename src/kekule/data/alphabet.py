"""What the integer labels of a molecular graph set stand for, from its own readme.

The sets of the TU Dortmund collection that are molecules say so in a README.txt with a
table of node labels and one of edge labels. A table is believed only if it explains
every label the files hold; anything less and the graphs are just graphs.
"""

import re
from collections.abc import Iterable

from kekule.data.graphs import BOND_ORDERS, MoleculeAlphabet

_TABLE = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm
Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No
Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""
SYMBOLS = tuple(_TABLE.split())  # by atomic number, from 1
ELEMENTS = frozenset(SYMBOLS)

_ENTRY = re.compile(r"\s*(-?[0-9]{1,9})[\s:=,;-]+([A-Za-z]+)\s*")


def read_alphabet(
    readme: str, node_labels: Iterable[int], edge_labels: Iterable[int]
) -> MoleculeAlphabet | None:
    """Find the tables "Node labels:" and "Edge labels:" in a set's readme.

    Parameters
    ----------
    readme
        The text of README.txt.
    node_labels, edge_labels
        The distinct labels the set's files hold.

    Returns
    -------
    MoleculeAlphabet or None
        None unless each label present stands for one element symbol or one bond name,
        and no two for the same: such a table could not be read backwards.
    """
    elements = _table(readme, "node labels", ELEMENTS)
    bonds = _table(readme, "edge labels", frozenset(BOND_ORDERS))
    explained = set(node_labels) <= set(elements) and set(edge_labels) <= set(bonds)
    one_to_one = all(len(set(t.values())) == len(t) for t in (elements, bonds))
    if not (elements and bonds and explained and one_to_one):
        return None
    return MoleculeAlphabet(elements, bonds)


def _table(readme: str, title: str, words: frozenset[str]) -> dict[int, str]:
    """Read the lines ``0  C`` below a title, as far as they are such lines."""
    table: dict[int, str] = {}
    lines = iter(readme.splitlines())
    for line in lines:
        if line.strip().lower().rstrip(":") == title:
            break
    for line in lines:
        entry = _ENTRY.fullmatch(line)
        if entry and entry[2] in words:
            table[int(entry[1])] = entry[2]
        elif line.strip() and not entry:
            break
    return table
