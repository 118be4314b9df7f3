"""Lines of a SMILES, a blank and a name: the ``.smi`` format.

A ChemAxon extension, ``CCO |...|``, stays with its SMILES. Every line is a row, the blank
ones too. Knows text; must not know RDKit.
"""

import re
from collections.abc import Iterator, Sequence

from kekule.data.raw_rows import OpenedTable, Row
from kekule.data.tables import SMILES_COLUMNS
from kekule.data.text_lines import TextFile, text_lines

STRUCTURES = "smiles"
IDENTIFIERS = "name"

_LINE = re.compile(r"(\S*(?:\s+\|[^|]*\|(?=\s|$))?)\s*(.*)", re.DOTALL)


def open_smiles_lines(files: Sequence[TextFile]) -> OpenedTable:
    """Open one or several files as one table of ``smiles`` and, if any line has one, ``name``.

    The files are read up to the first name for that, and again for the rows. A first line
    that says ``smiles`` or the like is taken for a header.
    """
    named = any(name for file in files for _, name in _pairs(file, []))
    remarks: list[str] = []
    pairs = (pair for file in files for pair in _pairs(file, remarks))
    rows = (Row([*pair] if named else [pair[0]]) for pair in pairs)
    return OpenedTable(
        source=", ".join(file.name for file in files),
        columns=[STRUCTURES, IDENTIFIERS] if named else [STRUCTURES],
        rows=rows,
        structures=STRUCTURES,
        identifiers=IDENTIFIERS if named else None,
        remarks=remarks,
    )


def _pairs(file: TextFile, remarks: list[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text_lines(file, remarks)):
        found = _LINE.match(line.strip())
        smiles, name = found.groups() if found else ("", "")
        if number or smiles.lower() not in SMILES_COLUMNS:
            yield smiles, name
