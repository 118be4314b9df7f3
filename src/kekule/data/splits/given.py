"""The split of a paper, a benchmark or a colleague, taken as it is and checked."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kekule._errors import KekuleError
from kekule.data.splits.index_file import read_index_file
from kekule.data.splits.inputs import Dealing, SplitInputs
from kekule.data.splits.parts import Origin, Parts, parts_of_cells
from kekule.data.splits.split import NEVER_TESTED, Split

_CURE = "Correct the split: in a fold each row is in one part, and no row is tested in two folds."


def given_split(inputs: SplitInputs, dealing: Dealing) -> Split:
    """Split as a column of the table or an index file says.

    Use it to repeat a published number. Nothing is kept together but what the split keeps
    together: whether it leaks is for the audit to find out. The forms of files are in
    `kekule.data.splits.index_file`; a column holds train, valid (or validation) and test,
    or the number of the fold that tests the row. If there are both, the file is meant.

    Rows are those of the source. A row that was set aside since vanishes from its part; a
    row that is in no part is neither trained on nor tested. The description counts both.

    Raises
    ------
    KekuleError
        If there is neither column nor file, a row is out of range, twice in a part, in
        two parts or tested twice, or a part has no row left. A `DataFileError` where it
        is about a file.
    """
    if inputs.file is not None:
        folds, origin = read_index_file(inputs.file)
    elif inputs.column is not None:
        rows, cells = _cells(inputs, inputs.column)
        origin = Origin(f"column {inputs.column_name!r}", is_file=False, places=rows.tolist())
        folds = parts_of_cells(rows, cells, origin)
    else:
        raise KekuleError(
            "splits: given needs a split: name a column of the table or a JSON or CSV file."
        )
    return _fitted(inputs, folds, origin)


def _cells(inputs: SplitInputs, column: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Rows and cells of the column: also of rows set aside, which may be all of a fold."""
    if inputs.whole_column is None:
        return inputs.rows, list(column)
    in_use = set(inputs.rows.tolist())
    told = [k for k, cell in enumerate(inputs.whole_column) if k in in_use or cell.strip()]
    return np.array(told, dtype=np.int64), [inputs.whole_column[k] for k in told]


def _fitted(inputs: SplitInputs, folds: list[Parts], origin: Origin) -> Split:
    """Check the parts, and number their rows as the rows in use are."""
    held_in = [parts.validation is not None for parts in folds]
    if any(held_in) != all(held_in):
        why = f"fold {held_in.index(False)} has no validation rows, and others have some"
        raise origin.refused(why, "Give them for every fold, or for none.")
    tested = np.concatenate([parts.test for parts in folds])
    _check(tested, inputs.n_source, "tested", origin)
    position = np.full(inputs.n_source, -1, dtype=np.int64)
    position[inputs.rows] = np.arange(len(inputs))
    fold = np.full(len(inputs), NEVER_TESTED, dtype=np.int64)
    used = []
    for number, parts in enumerate(folds):
        used.append(_in_use(parts, position, number, origin))
        fold[used[-1].test] = number
    whole = all(_size(parts) == len(inputs) for parts in used)
    return Split(
        "given",
        _description(folds, used, position),
        len(folds),
        fold,
        validation=tuple(_rows(p.validation) for p in used) if all(held_in) else None,
        train=None if whole else tuple(_rows(p.train) for p in used),
    )


def _in_use(parts: Parts, position: NDArray[np.int64], number: int, origin: Origin) -> Parts:
    """Rows of one fold that are in use, rising; every part that was given keeps some."""
    listed = np.concatenate([parts.test, _rows(parts.train), _rows(parts.validation)])
    _check(listed, len(position), f"in the parts of fold {number}", origin)
    rest = np.setdiff1d(np.arange(len(position)), listed)
    given = {
        "test": parts.test,
        "train": rest if parts.train is None else parts.train,
        "validation": parts.validation,
    }
    found: dict[str, NDArray[np.int64] | None] = {"validation": None}
    for name, rows in given.items():
        if rows is None:
            continue
        here = position[rows]
        found[name] = np.sort(here[here >= 0])
        if not (here >= 0).any():
            why = f"none of the {len(rows)} {name} rows of fold {number} is in use"
            raise origin.refused(why, "Give a split for these rows, or set fewer rows aside.")
    return Parts(_rows(found["test"]), found["train"], found["validation"])


def _check(rows: NDArray[np.int64], n_source: int, what: str, origin: Origin) -> None:
    """Refuse rows that the source lacks and rows that are named twice."""
    if len(rows) and int(rows.max()) >= n_source:
        why = f"row {rows.max()} is out of range: the source has the rows 0 to {n_source - 1}"
        raise origin.refused(why, "Give the file that belongs to this table.")
    twice = np.flatnonzero(np.bincount(rows, minlength=1) > 1)
    if len(twice):
        others = f" and {len(twice) - 1} more rows are" if len(twice) > 1 else " is"
        raise origin.refused(f"row {twice[0]}{others} {what} twice", _CURE)


def _description(folds: list[Parts], used: list[Parts], position: NDArray[np.int64]) -> str:
    listed = [_rows(rows) for p in folds for rows in (p.test, p.train, p.validation)]
    gone = int((position[np.unique(np.concatenate(listed))] < 0).sum())
    unused = max(int((position >= 0).sum()) - _size(parts) for parts in used)
    first = used[0]
    said = [f"{len(used)} folds"]
    if len(used) == 1:
        said = [f"{len(_rows(first.train))} rows to train", f"{len(first.test)} to test on"]
        said.insert(1, f"{len(_rows(first.validation))} to validate")
    if gone:
        said.append(f"{gone} more that were set aside")
    if unused:
        said.append(f"{unused} in no part" + (" of some fold" if len(used) > 1 else ""))
    return f"as given: {', '.join(said)}"


def _rows(part: NDArray[np.int64] | None) -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64) if part is None else part


def _size(parts: Parts) -> int:
    return len(parts.test) + len(_rows(parts.train)) + len(_rows(parts.validation))
