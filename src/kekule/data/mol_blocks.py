"""From a mol block, one molecule of an SDF, to its SMILES or to RDKit's own reason why not."""

from rdkit import Chem

from kekule.data.smiles import caught_log, one_line, problem_of, quiet, shorten

# What RDKit throws at odd molecules; Boost's ArgumentError is a TypeError.
_FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
_CURIOUS = ("****", "----", "Stacktrace", "Violation occurred", "Failed Expression")


def smiles_of_block(block: str) -> tuple[str, str]:
    """Canonical SMILES of a block, V2000 or V3000, and why there is none; one of them empty.

    Stereo comes from the coordinates and wedges of the block. Hydrogens drawn as atoms
    become implicit, as RDKit does.
    """
    if not block.strip():
        return "", "the record is empty"
    # Columns are counted in bytes, and a message of RDKit may hold half a letter.
    block = block.encode("ascii", "replace").decode()
    try:
        with quiet():
            mol = Chem.MolFromMolBlock(block)
            smiles = "" if mol is None else Chem.MolToSmiles(mol)
    except _FAILURES as error:
        return "", _told(str(error).splitlines())
    if mol is None:
        return "", _reason(block)
    return (smiles, "") if smiles else ("", "it has no atoms")


def _reason(block: str) -> str:
    try:
        with quiet():
            raw = Chem.MolFromMolBlock(block, sanitize=False)
        problem = "" if raw is None else problem_of(raw)
        return problem or _told(caught_log(lambda: Chem.MolFromMolBlock(block)))
    except _FAILURES as error:
        return _told(str(error).splitlines())


def _told(lines: list[str]) -> str:
    """RDKit's words, without the place in its own code."""
    told = [one_line(line) for line in lines if line.strip() and not line.startswith(_CURIOUS)]
    return shorten(told[-1], 300) if told else "RDKit gives no reason"
