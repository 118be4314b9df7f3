"""A molecule as a picture, with a weight painted on each atom where there is one.

Drawn by RDKit as vectors. Blue atoms pull the answer down, orange ones push it up; the
colour is scaled to the largest weight of the molecule, so two drawings are not to be
compared by their shade.

Symbols: V atoms. Knows RDKit; must not know where weights come from.
"""

import re
from collections.abc import Sequence
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

ATOM_COLOURS = {  # dark enough to read on white, 4.5:1
    6: (0.09, 0.13, 0.16),
    7: (0.10, 0.24, 0.80),
    8: (0.79, 0.08, 0.08),
    9: (0.05, 0.46, 0.38),
    15: (0.62, 0.33, 0.00),
    16: (0.50, 0.40, 0.00),
    17: (0.07, 0.47, 0.13),
    35: (0.52, 0.20, 0.08),
    53: (0.42, 0.10, 0.55),
}
UP = (0.91, 0.45, 0.16)
DOWN = (0.16, 0.50, 0.76)


def draw_molecule(
    mol: Chem.Mol, *, size: tuple[int, int] = (240, 180), weights: Sequence[float] | None = None
) -> str:
    """Return an ``<svg>`` element of `mol`, `size` pixels wide and high, that scales.

    Parameters
    ----------
    weights
        One number an atom, in the atom order of `mol`; 0 paints nothing.

    Raises
    ------
    ValueError
        If there is not one weight an atom.
    """
    canvas = rdMolDraw2D.MolDraw2DSVG(*size)
    _draw(canvas, mol, weights)
    text = str(canvas.GetDrawingText())
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<rect .*?</rect>", "", text, flags=re.DOTALL)
    return text.replace("<svg", '<svg role="img" aria-label="Structure drawing"', 1).strip()


def molecule_png(mol: Chem.Mol, *, size: tuple[int, int]) -> bytes:
    """Return the drawing as a PNG, for figures made of pixels."""
    canvas = rdMolDraw2D.MolDraw2DCairo(*size)
    _draw(canvas, mol, None)
    return bytes(canvas.GetDrawingText())


def _draw(canvas: Any, mol: Chem.Mol, weights: Sequence[float] | None) -> None:
    """Draw on either canvas; RDKit leaves aromatic what cannot be kekulised."""
    options = canvas.drawOptions()
    options.clearBackground = False
    options.bondLineWidth = max(1.5, canvas.Width() / 160)
    options.scaleBondWidth = False
    options.minFontSize = max(8, canvas.Width() // 28)
    options.updateAtomPalette(ATOM_COLOURS)
    options.padding = 0.06
    options.fixedBondLength = canvas.Width() / 10.5  # small molecules are not blown up
    options.prepareMolsBeforeDrawing = False
    options.fillHighlights = True
    ready = _prepared(mol)
    colours = _atom_colours(mol, weights)
    canvas.DrawMolecule(
        ready,
        highlightAtoms=list(colours),
        highlightAtomColors=colours,
        highlightBonds=[],
        highlightBondColors={},
    )
    canvas.FinishDrawing()


def _prepared(mol: Chem.Mol) -> Chem.Mol:
    """Lay the molecule out anew, upright: bonds along the horizontal where they can be."""
    ready = rdMolDraw2D.PrepareMolForDrawing(mol, kekulize=True, forceCoords=True)
    rdDepictor.StraightenDepiction(ready)
    return ready


def _atom_colours(
    mol: Chem.Mol, weights: Sequence[float] | None
) -> dict[int, tuple[float, float, float, float]]:
    """Atom to colour; the opacity is the weight over the largest one."""
    if weights is None:
        return {}
    if len(weights) != mol.GetNumAtoms():
        raise ValueError(
            f"{len(weights)} weights for a molecule of {mol.GetNumAtoms()} atoms: "
            "give one weight an atom, in the order of the molecule"
        )
    largest = max((abs(w) for w in weights), default=0.0) or 1.0
    return {
        atom: (*(UP if weight > 0 else DOWN), 0.75 * abs(weight) / largest)
        for atom, weight in enumerate(weights)
        if weight
    }
