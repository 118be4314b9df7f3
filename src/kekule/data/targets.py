"""Labels: from the cells of a column to classes and their codes.

Cells that say the same number are one class, ``1`` and ``1.0``; no others are ever made
one, and both that and every text taken for a missing label is said. Knows frames of text;
must not know molecules.
"""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kekule._errors import DataFileError
from kekule.data.molecule_table import MISSING, Targets
from kekule.data.tables import find_column

MISSING_TEXTS = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "-", "?"})

MOST_MEASURED = 20  # distinct values of a column with broken numbers
MOST_CLASSES = 50
LARGEST_SHARE = 0.2  # of the labels that are distinct, where there are more than MOST_CLASSES

_NUMBER = re.compile(r"[-+]?([0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})([eE][-+]?[0-9]{1,4})?")
_CURE = (
    "kekule sorts into classes: make a column of classes, such as active/inactive at a threshold."
)

_Class = Decimal | str


def read_targets(
    frame: pd.DataFrame, columns: Sequence[str] | str, source: object
) -> tuple[Targets, list[str]]:
    """Read one or several columns of labels, each a task.

    Classes that are all numbers are sorted as numbers, others by their letters. A class is
    spelt as it is first met.

    Parameters
    ----------
    frame
        Cells as text.
    columns
        Their names; a text may hold several, with commas between them.
    source
        For messages.

    Returns
    -------
    Targets
    list of str
        What was taken for missing or for the same, a sentence each.

    Raises
    ------
    DataFileError
        If there is no such column, it has fewer than two classes, or looks like a measured
        quantity or like names.
    """
    names = target_columns(frame, columns, source)
    classes, codes, remarks = [], [], []
    for name in names:
        found = _Labels(name, [cell.strip() for cell in frame[name]])
        found.check(source)
        classes.append(tuple(found.spelt[label] for label in found.order))
        codes.append(found.codes())
        remarks += found.remarks()
    stacked = np.stack(codes, axis=1) if codes else np.zeros((len(frame), 0), dtype=np.int64)
    return Targets(tuple(names), tuple(classes), stacked), remarks


def target_columns(frame: pd.DataFrame, columns: Sequence[str] | str, source: object) -> list[str]:
    """Names of the columns meant, as the table spells them.

    Raises
    ------
    DataFileError
        If one is not there or meant twice.
    """
    given = [columns] if isinstance(columns, str) else list(columns)
    parts: list[str] = []
    for text in given:
        parts += [text] if text in frame.columns or "," not in text else text.split(",")
    names = [find_column(frame, part.strip(), source=source) for part in parts]
    twice = next((name for name, n in Counter(names).items() if n > 1), None)
    if twice is not None:
        raise DataFileError(source, f"column {twice!r} is a target twice", "Name it once.")
    return names


class _Labels:
    """Labels of one column: what is missing, which classes there are."""

    def __init__(self, column: str, cells: Sequence[str]):
        self.column = column
        self.cells = cells
        self.missing = {cell for cell in set(cells) if cell.lower() in MISSING_TEXTS}
        self.spellings: dict[_Class, list[str]] = {}
        for cell in dict.fromkeys(cells):
            if cell not in self.missing:
                self.spellings.setdefault(_class_of(cell), []).append(cell)
        self.spelt = {label: spellings[0] for label, spellings in self.spellings.items()}
        self.order = self._sorted()

    def _sorted(self) -> list[_Class]:
        numbers = [label for label in self.spelt if isinstance(label, Decimal)]
        if len(numbers) == len(self.spelt):
            return [*sorted(numbers)]
        return sorted(self.spelt, key=lambda label: self.spelt[label])

    def check(self, source: object) -> None:
        n, n_labels = len(self.order), sum(cell not in self.missing for cell in self.cells)
        broken = any(isinstance(label, Decimal) and label % 1 != 0 for label in self.order)
        if broken and n > MOST_MEASURED:
            why = f"column {self.column!r} has {n:,} distinct values, as a measured quantity has"
            raise DataFileError(source, why, _CURE)
        if n > MOST_CLASSES and n > LARGEST_SHARE * n_labels:
            why = f"column {self.column!r} has {n:,} distinct values in {n_labels:,} labels"
            raise DataFileError(source, why, _CURE)
        if n < 2:
            only = f"one class, {self.spelt[self.order[0]]!r}" if n else "no label"
            why = f"column {self.column!r} has {only}, and a model needs two classes"
            raise DataFileError(source, why, "Add rows of another class, or name another column.")

    def codes(self) -> NDArray[np.int64]:
        code_of = {label: code for code, label in enumerate(self.order)}
        of_cell = dict.fromkeys(self.missing, MISSING)
        for label, spellings in self.spellings.items():
            of_cell |= dict.fromkeys(spellings, code_of[label])
        return np.array([of_cell[cell] for cell in self.cells], dtype=np.int64)

    def remarks(self) -> list[str]:
        said = []
        texts = sorted(self.missing - {""})
        if texts:
            n = sum(cell in texts for cell in self.cells)
            shown = " and ".join(map(repr, texts))
            said.append(f"Column {self.column!r}: {shown} counts as no label ({n:,} rows).")
        for label, others in self.spellings.items():
            if len(others) > 1:
                shown = " and ".join(map(repr, others[:5]))
                said.append(
                    f"Column {self.column!r}: {shown} are one class, {self.spelt[label]!r}."
                )
        folded = Counter(text.lower() for text in self.spelt.values())
        for text in [text for text, n in folded.items() if n > 1]:
            alike = [spelt for spelt in self.spelt.values() if spelt.lower() == text]
            shown = " and ".join(map(repr, alike))
            said.append(f"Column {self.column!r}: {shown} are classes of their own.")
        return said


def _class_of(cell: str) -> _Class:
    return Decimal(cell) if _NUMBER.fullmatch(cell) else cell
