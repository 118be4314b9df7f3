"""Columns of a table that only name its rows, and what number each name carries.

A registry number grows with time, and a series is registered together: so a number in a
name can tell when and by whom a compound was made, and with it the label. Columns of
results must never be read here, so only cells that look like names count.

Symbols: N rows. Knows pandas frames of text; must not know labels.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.molecule_table import MoleculeTable

_CODE = re.compile(r"[A-Za-z][A-Za-z ]{0,15}[-_:#. ]{0,2}(\d{1,15})(?:[-_.]\d{1,6})?[A-Za-z]?")
_CAS = re.compile(r"(\d{2,7})-\d\d-\d")
_INTEGER = re.compile(r"(\d{1,15})(?:\.0)?")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SAYS_SO = re.compile(
    "ids?|[ucsa]id|no|nr|num(ber)?|index|idx|code|key|row|entry|rec(ord)?|reg(istry)?|cas|serial"
    "|compound|cmpd|mol(ecule)?|sample|substance|identifier|unnamed|order"
)
_MOST_ODD = 0.02  # share of cells that may be no such name, or be named twice
_STEADY = 0.98  # share of steps in one direction from which a column counts the rows


class Identifiers(NamedTuple):
    """Columns that name rows."""

    names: list[str]  # of columns whose numbers are worth a probe
    counters: list[str]  # of columns whose numbers go on with the row, and are the row order
    numbers: NDArray[np.float64]  # (N, 3 for each of `names`): number, its digits, its prefix


def identifiers(table: MoleculeTable) -> Identifiers:
    """Find the columns of a table that name its rows.

    A column counts if nearly every cell is a code of letters and digits (``CHEMBL25``), a
    CAS number, or, in a column whose own name says so (``cid``, ``num``), an integer, and
    nearly no cell occurs twice. So an assay's integers are not taken for names.
    """
    found = Identifiers([], [], np.zeros((len(table), 0)))
    columns = []
    for name, cells in _candidates(table):
        numbers = _numbers_of(name, cells)
        if numbers is None:
            continue
        if _goes_on(numbers[:, 0]):
            found.counters.append(name)
        else:
            found.names.append(name)
            columns.append(numbers)
    return found._replace(numbers=np.concatenate([found.numbers, *columns], axis=1))


def _candidates(table: MoleculeTable) -> Iterator[tuple[str, list[str]]]:
    """Columns that are neither structure nor target, and the identifiers if none is them."""
    taken = {table.structure_column, *(table.targets.tasks if table.targets else ())}
    seen = []
    for name in table.frame.columns:
        if name not in taken:
            cells = [str(cell).strip() for cell in table.frame[name].tolist()]
            seen.append(cells)
            yield str(name), cells
    if table.ids is not None and table.ids not in seen:
        yield "id", [str(cell).strip() for cell in table.ids]


def _numbers_of(name: str, cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Number, count of digits and prefix of every cell; None if the column names nothing."""
    if len(set(cells)) < (1 - _MOST_ODD) * len(cells) or len(cells) < 2:
        return None
    kinds = [_CODE, _CAS]
    if any(_SAYS_SO.fullmatch(word.lower()) for word in _WORDS.findall(name)):
        kinds.append(_INTEGER)
    for kind in kinds:
        matches = [kind.fullmatch(cell) for cell in cells]
        if sum(map(bool, matches)) >= (1 - _MOST_ODD) * len(cells):
            return _as_numbers(cells, matches)
    return None


def _as_numbers(
    cells: Sequence[str], matches: Sequence[re.Match[str] | None]
) -> NDArray[np.float64]:
    heads = [match.string[: match.start(1)] if match else "" for match in matches]
    place = {head: k for k, head in enumerate(sorted(set(heads)))}
    return np.array(
        [
            (float(match[1]), float(len(match[1])), float(place[head])) if match else (-1.0,) * 3
            for match, head in zip(matches, heads, strict=True)
        ]
    ).reshape(len(cells), 3)


def _goes_on(numbers: NDArray[np.float64]) -> bool:
    """Tell whether the numbers rise, or fall, from row to row."""
    steps = np.sign(np.diff(numbers))
    return bool(max((steps > 0).mean(), (steps < 0).mean()) >= _STEADY)
