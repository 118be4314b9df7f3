"""What the integer codes of a molecule stand for: the schema of every SMILES model.

Atoms are those RDKit keeps when it reads a SMILES, hydrogens among them only where they
cannot be left implicit (``[2H]``, ``[H][H]``). Labels below are what the featurisers give;
a code is the position of its label in the column.

======== ============== ================================================================
of       column         labels
======== ============== ================================================================
an atom  element        1 to 118, the atomic number; a dummy atom ``*`` has none
an atom  degree         0 to 6, bonds to other written atoms; more count as 6
an atom  charge         -3 to +3, formal, in units of e; the ends stand for all beyond
an atom  hydrogens      0 to 4, implicit ones; more count as 4
an atom  hybridisation  0 none or another, 1 s, 2 sp, 3 sp2, 4 sp3, 5 sp2d, 6 sp3d, 7 sp3d2
an atom  aromatic       0 no, 1 yes
an atom  ring           0 not in one, 3 to 8 the size of its smallest, 9 a larger one
an atom  chirality      0 no label, 1 R, 2 S
an atom  radical        0 to 2, unpaired electrons; more count as 2
a bond   order          1 single, 2 double, 3 triple, 4 aromatic, 5 dative, 6 another
a bond   conjugated     0 no, 1 yes
a bond   ring           0 no, 1 yes
a bond   stereo         0 none, 1 either, 2 Z, 3 E, 4 another
======== ============== ================================================================

Stereo enters by the labels R, S, E and Z, which belong to the molecule. What a SMILES
writes, ``@`` or ``/``, belongs to the order of its atoms: the same molecule written from
its other end would give other arrays. The price: a centre two of whose neighbours rank the
same has no label, so that *cis*- and *trans*-1,4-dimethylcyclohexane are one graph here.
"""

from kekule.features.schema import Column, GraphSchema

FEATURISER = "molecule-1"  # raise the number with any change of what a code stands for

ORDERS = {"single": 1, "double": 2, "triple": 3, "aromatic": 4, "dative": 5, "other": 6}
STEREO = {"none": 0, "any": 1, "Z": 2, "E": 3, "other": 4}
CHIRALITY = {"none": 0, "R": 1, "S": 2}
LARGE_RING = 9  # stands for it and all larger ones

ATOM_COLUMNS = (
    Column("element", tuple(range(1, 119))),
    Column("degree", tuple(range(7))),  # clamps by its name
    Column("charge", tuple(range(-3, 4)), clamp=True),
    Column("hydrogens", tuple(range(5)), clamp=True),
    Column("hybridisation", tuple(range(8))),
    Column("aromatic", (0, 1)),
    Column("ring", (0, *range(3, LARGE_RING + 1)), clamp=True),
    Column("chirality", tuple(CHIRALITY.values())),
    Column("radical", (0, 1, 2), clamp=True),
)
BOND_COLUMNS = (
    Column("order", tuple(ORDERS.values())),
    Column("conjugated", (0, 1)),
    Column("ring", (0, 1)),
    Column("stereo", tuple(STEREO.values())),
)
MOLECULE_SCHEMA = GraphSchema(ATOM_COLUMNS, BOND_COLUMNS, featuriser=FEATURISER)
