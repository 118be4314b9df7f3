"""From the text of a structure to an RDKit molecule, or to RDKit's own reason why not.

RDKit gives None for a SMILES it cannot read and writes the reason to the terminal. Here
the reason becomes the error, and nothing is written. RDKit's log is one for the whole
process, so it is only ever redirected under a lock and for the length of one call.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rdkit import Chem, rdBase

from kekule._errors import MoleculeError

LONGEST = 20_000  # characters; the largest PubChem SMILES are near 3,000

_LOCK = threading.RLock()
_STAMP = re.compile(r"^\[[0-9:]+\] ")
_PARSER = "SMILES Parse Error: "


def read_molecule(smiles: str, *, source: str = "input", row: int | None = None) -> Chem.Mol:
    """Read one SMILES as a sanitised molecule.

    Hydrogens written out become implicit, as RDKit does. Blanks around the text do not
    matter; inside it only a ChemAxon extension, ``CCO |...|``, may follow.

    Parameters
    ----------
    smiles
        The text.
    source, row
        Where it came from, for the error.

    Raises
    ------
    MoleculeError
        If RDKit cannot read or sanitise it, with RDKit's own reason; if it is empty,
        has no atoms, is longer than `LONGEST`, or holds characters no SMILES has.
    """
    text = smiles.strip()
    why = _unusable(text)
    if why:
        raise MoleculeError(shorten(smiles), why, source=source, row=row)
    with quiet():
        mol = Chem.MolFromSmiles(text)
    if mol is None:
        raise MoleculeError(shorten(smiles), _reason(text), source=source, row=row)
    if mol.GetNumAtoms() == 0:
        raise MoleculeError(shorten(smiles), "it has no atoms", source=source, row=row)
    return mol


class _Silence:
    """How many `quiet` are entered and not yet left; read and written under the lock."""

    depth = 0


@contextmanager
def _counted() -> Iterator[None]:
    _Silence.depth += 1
    try:
        yield
    finally:
        _Silence.depth -= 1


@contextmanager
def quiet() -> Iterator[None]:
    """Let RDKit write nothing; one thread at a time."""
    with _LOCK, rdBase.BlockLogs(), _counted():
        yield


def problem_of(mol: Chem.Mol) -> str:
    """RDKit's first reason why a molecule cannot be sanitised; empty if it can."""
    with quiet():
        problems = Chem.DetectChemistryProblems(mol)
        return one_line(problems[0].Message()) if problems else ""


def one_line(message: str) -> str:
    """Strip a message of RDKit of line breaks, double blanks and its last full stop."""
    return " ".join(message.split()).rstrip(".")


def shorten(text: str, longest: int = 120) -> str:
    """Cut a text to what fits into a message."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _unusable(text: str) -> str:
    """Why RDKit is not even asked; empty if it is."""
    from kekule.data.fused_rings import too_fused  # which needs `quiet`

    if not text:
        return "it is empty"
    if len(text) > LONGEST:
        return f"it has {len(text)} characters, and at most {LONGEST} are read"
    strange = next((c for c in text if not (c.isascii() and c.isprintable()) and c != "\t"), "")
    if strange:
        return f"no SMILES has the character {strange!r}"
    first, *rest = text.split(maxsplit=1)
    with quiet():
        # RDKit would read a first word and forget the others, or give no reason.
        if rest and Chem.MolFromSmiles(first) and not Chem.MolFromSmiles(_extended(text)):
            return f"after the SMILES comes a blank and {shorten(rest[0], 40)!r}"
    return too_fused(text)


def _extended(text: str) -> str:
    """Keep a text that ends in a ChemAxon extension, else give what RDKit refuses."""
    return text if " |" in text else "?"


def _reason(text: str) -> str:
    """Find out what RDKit has against a text it gave None for."""
    with quiet():
        raw = Chem.MolFromSmiles(text, sanitize=False)
    if raw is not None:
        return problem_of(raw) or "RDKit gives no reason"
    lines = caught_log(lambda: Chem.MolFromSmiles(text))
    lines = [line.removeprefix(_PARSER) for line in lines if line.startswith(_PARSER)] or lines
    told = [one_line(line).rstrip(":") for line in lines if "Failed parsing" not in line]
    return "; ".join(told[:2]) or "RDKit gives no reason"


def caught_log(read: Callable[[], object]) -> list[str]:
    """Lines RDKit logs while `read` runs, without time, caught before the terminal has them."""
    logger = logging.getLogger("rdkit")
    caught: list[str] = []
    thread = threading.get_ident()

    def catch(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        caught.append(record.getMessage())
        return False

    with _LOCK:
        level = logger.level
        rdBase.LogToPythonLogger()
        logger.addFilter(catch)
        logger.setLevel(logging.INFO)
        try:
            read()
        finally:
            logger.setLevel(level)
            logger.removeFilter(catch)
            rdBase.LogToCppStreams()
            if _Silence.depth:  # the streams come back speaking, whoever had silenced them
                rdBase.DisableLog("rdApp.*")
    return [_STAMP.sub("", line) for line in caught]
