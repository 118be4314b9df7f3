"""When two structures are the same molecule, asked in three degrees of strictness.

Equal canonical SMILES: the same molecule as drawn. Equal InChIKey: the same molecule by
an independent hand, which also joins many tautomers. Equal stereo-free SMILES: the same
molecule but for its stereo. Duplicates, leakage and the audit all ask here, so that they
cannot mean different things by "the same".

Below: `kekule.data.smiles`, `kekule.data.chunked`. Knows RDKit; must not know labels or splits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from rdkit import Chem
from rdkit.Chem import rdinchi

from kekule.data.chunked import Progress, map_chunks, shared_out
from kekule.data.smiles import quiet

MAX_ATOMS: Final = (
    1000  # of a molecule; RDKit overruns its stack writing some twenty times as many
)
WORTH_A_PROCESS: Final = 500  # molecules; fewer are done before a process has started
INCHI_OPTIONS: Final = (
    "-W10"  # seconds after which InChI gives a structure up; none real takes one
)


@dataclass(frozen=True, eq=False)
class Identities:
    """What N molecules are known by; entry i of each list belongs to molecule i.

    An empty entry is no molecule, and is the same as nothing, not even as another one.

    Attributes
    ----------
    inchikey
        Standard InChIKey. A structure InChI has no key for stands here as its own SMILES,
        so that equal entries still mean the same molecule.
    flat
        Canonical SMILES without stereo; isotopes and charges are still in it.
    """

    inchikey: list[str]
    flat: list[str]

    def __len__(self) -> int:
        """Return N, the number of molecules."""
        return len(self.flat)


def identities(
    smiles: Sequence[str], *, processes: int = 1, progress: Progress | None = None
) -> Identities:
    """Find out what every molecule is known by.

    Meant for the SMILES `kekule.data.standardisation` gives, where an invalid row is empty.
    A text RDKit cannot read is treated as empty, not as an error: to say what is wrong
    with it is the reader's task.

    Parameters
    ----------
    smiles
        N texts.
    processes
        At most so many; few molecules are worked on in this process.
    progress
        Told how many of the N are done.
    """
    result = Identities([], [])
    processes = max(1, min(processes, len(smiles) // WORTH_A_PROCESS))
    for inchikey, flat in map_chunks(_part, shared_out(smiles, processes), processes=processes):
        result.inchikey.extend(inchikey)
        result.flat.extend(flat)
        if progress is not None:
            progress("identifying", len(result), len(smiles))
    return result


def inchikey(smiles: str) -> str:
    """Standard InChIKey of one molecule, its SMILES where InChI has none, or empty."""
    return _part([smiles])[0][0]


def stereo_free(smiles: str) -> str:
    """Canonical SMILES of one molecule without its stereo, or empty."""
    return _part([smiles])[1][0]


def key_of(mol: Chem.Mol | None, text: str) -> str:
    """Entry of `Identities.inchikey` for a molecule read from `text`; empty for none."""
    return (_inchikey_of(mol) or text) if _is_some(mol) else ""


def flat_of(mol: Chem.Mol | None, text: str) -> str:
    """Entry of `Identities.flat` for a molecule read from `text`; empty for none."""
    if not _is_some(mol):
        return ""
    if not any(mark in text for mark in "@/\\"):
        return str(Chem.MolToSmiles(mol))
    bare = Chem.Mol(mol)
    Chem.RemoveStereochemistry(bare)
    return _settled(Chem.MolToSmiles(bare))


def _part(smiles: Sequence[str]) -> tuple[list[str], list[str]]:
    with quiet():
        mols = [Chem.MolFromSmiles(text) if text else None for text in smiles]
        keys = [key_of(mol, text) for mol, text in zip(mols, smiles, strict=True)]
        return keys, [flat_of(mol, text) for mol, text in zip(mols, smiles, strict=True)]


def _is_some(mol: Chem.Mol | None) -> TypeGuard[Chem.Mol]:
    return mol is not None and 0 < mol.GetNumAtoms() <= MAX_ATOMS


def _inchikey_of(mol: Chem.Mol) -> str:
    try:
        return str(rdinchi.MolToInchiKey(mol, INCHI_OPTIONS))
    except (ValueError, RuntimeError):  # what InChI cannot be asked about, such as a query bond
        return ""


def _settled(text: str) -> str:
    """Read and write once more: an atom may keep a bracket only its stereo called for."""
    return Chem.MolToSmiles(Chem.MolFromSmiles(text))
