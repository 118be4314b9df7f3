"""All that an audit asks RDKit of a molecule, in one pass over the table.

Symbols: N molecules, B = `FINGERPRINT_BITS`. Numbers that tell how a structure was drawn
come from the SMILES as given; what is chemistry comes from the standardised one. Knows
RDKit; must not know labels.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.rdMolDescriptors import CalcCrippenDescriptors, CalcExactMolWt

from kekule.data.audit.alert_patterns import alerts_of
from kekule.data.audit.charges import SALT_COLUMNS, pieces_of
from kekule.data.audit.style import HABITS, habits
from kekule.data.chunked import Progress, map_chunks, shared_out
from kekule.data.identity import Identities, flat_of, key_of
from kekule.data.smiles import quiet

FINGERPRINT_BITS = 2048
STEREO_MARKS = ("tetrahedral marks", "marks /", "marks \\", "any mark")
PROPERTIES = ("heavy atoms", "molecular weight", "logP")
COLUMNS = (
    "length",
    *STEREO_MARKS,
    "possible stereocentres",
    "undefined stereocentres",
    "undefined double bonds",
    *HABITS,
    "mixture",
    *SALT_COLUMNS,
    *PROPERTIES,
)
_WORTH_A_PROCESS = 1000  # molecules: what one does while another starts
Pair = tuple[str, str]  # a SMILES as given and as standardised


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of N molecules; entry i belongs to molecule i."""

    canonical: list[str]  # RDKit's SMILES of the structure as given, stereo and pieces kept
    known_by: Identities  # InChIKey of the structure as given; stereo-free SMILES standardised
    metals: list[str]  # symbols, see `kekule.data.audit.charges`
    alerts: list[tuple[int, ...]]  # see `kekule.data.audit.alert_patterns`
    numbers: NDArray[np.float32]  # (N, len(COLUMNS))
    fingerprints: NDArray[np.uint64]  # (N, B / 64), ECFP4 as bits

    def __len__(self) -> int:
        """Return N."""
        return len(self.canonical)

    def column(self, *names: str) -> NDArray[np.float32]:
        """Columns of `numbers` by name, (N, n) or, of one name, (N,)."""
        places = [COLUMNS.index(name) for name in names]
        return self.numbers[:, places[0] if len(places) == 1 else places]


def facts_of(
    pairs: Sequence[Pair], *, processes: int = 1, progress: Progress | None = None
) -> Facts:
    """Gather the facts on molecules RDKit is known to read."""
    processes = max(1, min(processes, len(pairs) // _WORTH_A_PROCESS))
    parts: list[Facts] = []
    done = 0
    for part in map_chunks(_part, shared_out(pairs, processes, most=512), processes=processes):
        parts.append(part)
        done += len(part)
        if progress is not None:
            progress("looking at molecules", done, len(pairs))
    return Facts(
        [text for part in parts for text in part.canonical],
        Identities(
            [key for part in parts for key in part.known_by.inchikey],
            [key for part in parts for key in part.known_by.flat],
        ),
        [text for part in parts for text in part.metals],
        [found for part in parts for found in part.alerts],
        np.concatenate([_no_numbers(), *(part.numbers for part in parts)]),
        np.concatenate([_no_bits(), *(part.fingerprints for part in parts)]),
    )


def _part(pairs: Sequence[Pair]) -> Facts:
    """Facts on some molecules, in whatever process."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=FINGERPRINT_BITS)
    canonical, metals, numbers, bits, mols = [], [], [], [], []
    with quiet():
        for given, standardised in pairs:
            text = given.split()[0]
            mol = Chem.MolFromSmiles(standardised)
            drawn = mol if text == standardised else Chem.MolFromSmiles(text)
            drawn = mol if drawn is None else drawn
            canonical.append(Chem.MolToSmiles(drawn))
            pieces = pieces_of(drawn, text)
            metals.append(pieces.metals)
            as_drawn = _as_drawn(text, drawn, canonical[-1])
            numbers.append([*as_drawn, pieces.is_mixture, *pieces.numbers, *_properties(mol)])
            bits.append(DataStructs.BitVectToBinaryText(generator.GetFingerprint(mol)))
            mols.append(mol)
        known_by = _known_by(canonical, [standardised for _, standardised in pairs], mols)
        alerts = alerts_of(mols)
    return Facts(
        canonical,
        known_by,
        metals,
        alerts,
        np.array(numbers, dtype=np.float32).reshape(len(pairs), len(COLUMNS)),
        np.frombuffer(b"".join(bits), dtype=np.uint64).reshape(len(pairs), -1),
    )


def _as_drawn(text: str, drawn: Chem.Mol, canonical: str) -> list[float]:
    return [*_marks(text), *_undefined(drawn), *habits(text, drawn, canonical)]


def _properties(mol: Chem.Mol) -> tuple[float, float, float]:
    return mol.GetNumHeavyAtoms(), CalcExactMolWt(mol), CalcCrippenDescriptors(mol)[0]


def _known_by(
    canonical: Sequence[str], standardised: Sequence[str], mols: Sequence[Chem.Mol]
) -> Identities:
    """Ask once of each text, and of the molecule at hand where the two texts are one.

    They mostly are, and reading a text again is slow, an InChIKey slower.
    """
    read = dict(zip(standardised, mols, strict=True))
    keys = {
        text: key_of(read[text] if text in read else Chem.MolFromSmiles(text), text)
        for text in dict.fromkeys(canonical)
    }
    flats = {text: flat_of(mol, text) for text, mol in read.items()}
    return Identities([keys[text] for text in canonical], [flats[text] for text in standardised])


def _marks(text: str) -> list[float]:
    """Length of a SMILES, and how much stereo is written into it."""
    tetrahedral = len(re.findall("@+", text))
    forth, back = text.count("/"), text.count("\\")
    return [len(text), tetrahedral, forth, back, float(tetrahedral + forth + back > 0)]


def _undefined(mol: Chem.Mol) -> tuple[int, int, int]:
    """Centres that could have stereo, and centres and double bonds that could and have not."""
    possible = undefined = bonds = 0
    for place in Chem.FindPotentialStereo(mol):
        missing = place.specified == Chem.StereoSpecified.Unspecified
        if place.type == Chem.StereoType.Bond_Double:
            bonds += missing
        else:
            possible += 1
            undefined += missing
    return possible, undefined, bonds


def _no_numbers() -> NDArray[np.float32]:
    return np.zeros((0, len(COLUMNS)), dtype=np.float32)


def _no_bits() -> NDArray[np.uint64]:
    return np.zeros((0, FINGERPRINT_BITS // 64), dtype=np.uint64)
