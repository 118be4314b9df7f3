"""One molecule, one way to write it: a small, named, versioned policy on RDKit's MolStandardize.

The same policy object stands in the recipe and in the bundle and is applied in training and
in prediction; a salt is stripped in both or in neither. A row's result depends on its own
text and the policy alone, not on its neighbours, its place or the number of processes.

Below: `kekule.data.standardisation_steps`, `kekule.data.smiles`. Must not know files or labels.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from rdkit import Chem

from kekule._errors import MoleculeError
from kekule.data.chunked import Progress, map_chunks, shared_out
from kekule.data.fragments import is_organic, mixture
from kekule.data.fused_rings import too_fused
from kekule.data.identity import MAX_ATOMS, WORTH_A_PROCESS
from kekule.data.rows import INVALID, OK, WARNING, RowStatus
from kekule.data.smiles import LONGEST, one_line, quiet, read_molecule, shorten
from kekule.data.standardisation_steps import PARTS, RDKIT_ERRORS, Standardised, standardised

if TYPE_CHECKING:
    import pandas as pd

LONGEST_REASON: Final = 200  # RDKit may list every atom of a molecule

_NO_METAL: Final = frozenset(
    re.findall("[A-Z][a-z]?", "HHeBCNOFNeSiPSClArGeAsSeBrKrSbTeIXeAtRnTsOg")
)
_BRACKETED = re.compile(r"\[\d*([A-Z][a-z]?)")


class StandardisationPolicy(BaseModel):
    """What is done to a molecule before it is learnt from or asked about.

    The steps are taken in the order of the fields below from `normalise` on, and repeated
    until they change nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[
        str,
        Field(min_length=1, max_length=60, description="What the policy is called in reports."),
    ] = "parent"
    version: Annotated[
        Literal[1], Field(description="Of the meaning of the fields; a bundle keeps its own.")
    ] = 1
    normalise: Annotated[
        bool,
        Field(
            description="Write functional groups one way (nitro, sulfoxide, azide, ...) and drop "
            "atom numbers such as [CH3:1]."
        ),
    ] = True
    fragment: Annotated[
        Literal["largest-organic", "keep"],
        Field(description="Keep the largest fragment with carbon, or all of them."),
    ] = "largest-organic"
    neutralise: Annotated[
        bool,
        Field(
            description="Add or take away protons until no charge is left that a proton can "
            "balance; nitro groups and quaternary nitrogen keep theirs."
        ),
    ] = True
    isotopes: Annotated[
        Literal["keep", "drop"],
        Field(description="Keep isotope labels, or make of deuterium plain hydrogen."),
    ] = "drop"
    tautomer: Annotated[
        bool,
        Field(
            description="Take RDKit's canonical tautomer; twenty times slower, and it removes "
            "stereo that a moving proton could change."
        ),
    ] = False
    stereo: Annotated[
        Literal["keep", "drop"],
        Field(description="Keep stereo as drawn, or drop it where the assay cannot tell."),
    ] = "keep"


POLICIES: Final[dict[str, StandardisationPolicy]] = {
    policy.name: policy
    for policy in (
        StandardisationPolicy(),
        StandardisationPolicy(
            name="as-given", normalise=False, fragment="keep", neutralise=False, isotopes="keep"
        ),
        StandardisationPolicy(name="parent-flat", stereo="drop"),
        StandardisationPolicy(name="parent-tautomer", tautomer=True),
    )
}


@dataclass(frozen=True, eq=False)
class StandardisedRows:
    """What became of N structures; entry i of each list belongs to row i.

    Attributes
    ----------
    smiles
        Canonical SMILES of the standardised molecule; empty where the row is invalid.
    statuses
        Status and reason of each row.
    steps
        The steps that changed the molecule, in order; empty where none did.
    """

    smiles: list[str]
    statuses: list[RowStatus]
    steps: list[tuple[str, ...]]

    def __len__(self) -> int:
        """Return N, the number of rows."""
        return len(self.smiles)


def policy_of(value: StandardisationPolicy | str | Mapping[str, Any]) -> StandardisationPolicy:
    """Find the policy a recipe means by a name or by fields.

    Fields that are left out are those of the policy called by ``name``, else of ``parent``.
    What then differs from the named policy is that under another name: its own if a policy
    has just these fields, else ``custom``, so that no report calls a changed policy ``parent``.

    Raises
    ------
    ValueError
        If there is no policy of that name, or a field or its value is none of ours.
    """
    if isinstance(value, StandardisationPolicy):
        value = value.model_dump()
    if isinstance(value, str):
        if value not in POLICIES:
            raise ValueError(f"there is no standardisation {value!r}; choose {_names(value)}")
        return POLICIES[value]
    if not isinstance(value, Mapping):
        raise ValueError(f"a standardisation is a name or fields, not {value!r}")
    name = value.get("name")
    preset = POLICIES.get(name if isinstance(name, str) else "", POLICIES["parent"])
    policy = StandardisationPolicy.model_validate({**preset.model_dump(), **value})
    if isinstance(name, str) and name not in POLICIES and name != "custom":
        return policy
    alike = (p for p in POLICIES.values() if _fields(p) == _fields(policy))
    return next(alike, policy.model_copy(update={"name": "custom"}))


def standardise_smiles(
    smiles: Sequence[str],
    policy: StandardisationPolicy,
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> StandardisedRows:
    """Read and standardise every SMILES; a row that cannot be read keeps its place.

    Parameters
    ----------
    smiles
        N texts, whatever they hold.
    policy
        What is done to each.
    processes
        At most so many; few rows are worked on in this process.
    progress
        Told how many of the N are done.
    """
    result = StandardisedRows([], [], [])
    processes = max(1, min(processes, len(smiles) // WORTH_A_PROCESS))
    work = partial(_standardise_part, policy=policy)
    for part in map_chunks(work, shared_out(smiles, processes), processes=processes):
        for text, status, steps in part:
            result.smiles.append(text)
            result.statuses.append(status)
            result.steps.append(steps)
        if progress is not None:
            progress("standardising", len(result), len(smiles))
    return result


def changes_table(structures: Sequence[str], rows: StandardisedRows) -> "pd.DataFrame":
    """Every molecule that was changed: ``row``, ``input``, ``output``, ``steps``.

    Steps are joined by a semicolon. A molecule that is only written another way, with its
    atoms in another order or its rings in Kekulé's form, was not changed.
    """
    import pandas as pd  # not in every process that standardises or trains

    changed = [
        (row, given, rows.smiles[row], "; ".join(rows.steps[row]))
        for row, given in enumerate(structures)
        if rows.steps[row]
    ]
    return pd.DataFrame(changed, columns=["row", "input", "output", "steps"])


_Row = tuple[str, RowStatus, tuple[str, ...]]


def _standardise_part(smiles: Sequence[str], policy: StandardisationPolicy) -> list[_Row]:
    # All are read before the first is worked on: a text that cannot be read ends the quiet.
    read = [_read(text) for text in smiles]
    with quiet():
        return [_standardise_row(mol, policy) for mol in read]


def _read(text: str) -> Chem.Mol | MoleculeError:
    """Read what may be standardised: no more atoms and fused rings than RDKit can bear."""
    try:
        why = too_fused(text) if len(text) <= LONGEST else ""
        if why:
            return MoleculeError(shorten(text), why)
        mol = read_molecule(text)
    except MoleculeError as error:
        return error
    except RDKIT_ERRORS as error:
        return MoleculeError(shorten(text), f"RDKit failed to read it: {_told(error)}")
    if mol.GetNumAtoms() > MAX_ATOMS:
        found = f"{mol.GetNumAtoms()} atoms, and at most {MAX_ATOMS} are allowed"
        return MoleculeError(shorten(text), f"it is too large: {found}")
    return mol


def _standardise_row(mol: Chem.Mol | MoleculeError, policy: StandardisationPolicy) -> _Row:
    if isinstance(mol, MoleculeError):
        return _invalid(mol.why)
    try:
        result = standardised(mol, policy)
        _refuse_patterns(result.smiles)
        doubts = _doubts(result, policy)
    except MoleculeError as error:
        return _invalid(error.why)
    except RDKIT_ERRORS as error:
        return _invalid(f"standardisation failed: {_told(error)}")
    status = RowStatus(WARNING, "; ".join(doubts)) if doubts else RowStatus(OK, "")
    return result.smiles, status, result.words


def _invalid(why: str) -> _Row:
    return "", RowStatus(INVALID, shorten(why, LONGEST_REASON)), ()


def _refuse_patterns(smiles: str) -> None:
    """Refuse what RDKit reads as a pattern rather than a molecule."""
    if "*" in smiles:
        raise MoleculeError(shorten(smiles), "atom * stands for no element")
    if "~" in smiles:
        raise MoleculeError(shorten(smiles), "bond ~ stands for no bond order")


def _doubts(result: Standardised, policy: StandardisationPolicy) -> tuple[str, ...]:
    """What about a standardised molecule a chemist would want to look at."""
    doubts = list(result.doubts)
    if policy.fragment == "keep" and PARTS.search(result.smiles):
        doubts.append(mixture(result.mol))
    if not is_organic(result.mol):
        doubts.append("no carbon in it")
    metals = dict.fromkeys(m for m in _BRACKETED.findall(result.smiles) if m not in _NO_METAL)
    if metals:
        doubts.append(f"contains the metal{'s' * (len(metals) > 1)} {', '.join(metals)}")
    return tuple(filter(None, doubts))


def _told(error: Exception) -> str:
    """RDKit's words for what went wrong; a violated invariant is several lines with a path."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return one_line(lines[0]) if lines else type(error).__name__


def _fields(policy: StandardisationPolicy) -> dict[str, Any]:
    return policy.model_dump(exclude={"name"})


def _names(given: str) -> str:
    """Names of the policies, the one most like what was given first."""

    def unlikeness(name: str) -> float:
        return -SequenceMatcher(None, given.lower(), name).ratio()

    *others, last = sorted(POLICIES, key=unlikeness)
    return f"{', '.join(others)} or {last}"
