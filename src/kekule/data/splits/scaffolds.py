"""The ring systems of a molecule with what links them: its Bemis-Murcko scaffold.

Knows RDKit; must not know labels or folds.
"""

from collections.abc import Sequence

from rdkit import Chem

from kekule.data.chunked import Progress, map_chunks, shared_out
from kekule.data.smiles import quiet, read_molecule

_ALONE = 2048  # molecules that are done before a second process has started


def scaffold_of(smiles: str) -> str:
    """Write the Bemis-Murcko scaffold of a molecule as canonical SMILES.

    Side chains go; rings, what links them and atoms doubly bonded to either stay, with
    their elements and bonds. Stereo goes too, so that stereoisomers share a scaffold.
    Small changes of a ring (a nitrogen moved) make another scaffold: molecules of two
    scaffolds may be close analogues.

    Returns
    -------
    str
        Empty for a molecule without a ring.

    Raises
    ------
    MoleculeError
        If the SMILES cannot be read.

    References
    ----------
    Bemis & Murcko 1996, https://doi.org/10.1021/jm9602928.

    Examples
    --------
    >>> scaffold_of("CC(=O)Oc1ccccc1C(=O)O")
    'c1ccccc1'
    """
    mol = read_molecule(smiles)
    with quiet():
        return str(Chem.MolToSmiles(Chem.MurckoDecompose(mol), isomericSmiles=False))


def scaffolds_of(
    smiles: Sequence[str], *, processes: int = 1, progress: Progress | None = None
) -> list[str]:
    """Scaffold of every molecule, in order; see `scaffold_of`.

    Parameters
    ----------
    smiles
        Readable SMILES.
    processes
        Worker processes; for few molecules none is started.
    progress
        Told how many molecules are done.
    """
    processes = processes if len(smiles) > _ALONE else 1
    found: list[str] = []
    for part in map_chunks(_scaffolds, shared_out(smiles, processes), processes=processes):
        found += part
        if progress:
            progress("scaffolds", len(found), len(smiles))
    return found


def _scaffolds(smiles: Sequence[str]) -> list[str]:
    return [scaffold_of(text) for text in smiles]
