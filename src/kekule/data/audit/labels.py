"""How the labels of a table are spread: classes, rare ones, missing ones.

Symbols: N rows, T tasks.
"""

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.findings import AMBER, GREEN, RED, Finding, counted, finding, share
from kekule.data.molecule_table import MISSING, MoleculeTable, Targets

_RARE_SHARE = 0.1
_MANY_MISSING = 0.3
_NO_CLASSES = "Without labels the table can only be predicted."
_TOO_FEW = "Two classes with two readable rows each are needed."
_RARE = (
    "A class is rare: judge by balanced accuracy or the PR curve, not accuracy. A model that "
    "always gives the other class is right most of the time."
)
_MISSING = (
    "Compounds are mostly tested where someone expected an effect, so what is missing is not "
    "missing at random. Scores of a task count its labelled rows only."
)
_UNLABELLED = "They are predicted but not learnt from."


def class_counts(targets: Targets | None) -> dict[str, object] | None:
    """Rows of each class; of several tasks one such dict a task; None without labels."""
    if targets is None:
        return None
    every = {task: _counts(targets, k) for k, task in enumerate(targets.tasks)}
    return dict(next(iter(every.values()))) if len(every) == 1 else dict(every)


def label_findings(table: MoleculeTable, usable: NDArray[np.int64]) -> list[Finding]:
    """Findings on class balance and missing labels, over the rows that hold a molecule."""
    targets = table.targets
    if targets is None:
        return [finding("classes", AMBER, None, _NO_CLASSES)]
    return [_classes(targets, usable), *_missing(targets, usable)]


def _classes(targets: Targets, usable: NDArray[np.int64]) -> Finding:
    counts = [_counts(targets, task, usable) for task in range(len(targets.tasks))]
    colours = [_colour_of(list(each.values())) for each in counts]
    verdict = next((colour for colour in (RED, AMBER) if colour in colours), GREEN)
    value: object = counts[0]
    if len(counts) > 1:
        odd = counted(sum(colour != GREEN for colour in colours), "task")
        value = f"{len(counts)} tasks; in {odd} a class has under {_RARE_SHARE:.0%} of the labels"
    advice = {RED: _TOO_FEW, AMBER: _RARE, GREEN: ""}[verdict]
    lines = [
        _line(name, each, len(usable)) for name, each in zip(targets.tasks, counts, strict=True)
    ]
    return finding("classes", verdict, value, advice, table=lines)


def _colour_of(counts: list[int]) -> str:
    held = [count for count in counts if count]
    if len(held) < 2 or min(held) < 2:
        return RED
    return AMBER if min(held) < _RARE_SHARE * sum(held) else GREEN


def _line(task: str, counts: dict[str, int], n_rows: int) -> dict[str, object]:
    total = sum(counts.values())
    rarest = min(counts, key=lambda name: counts[name], default="")
    return {
        "task": task,
        "labelled": total,
        "missing": n_rows - total,
        "rarest class": rarest,
        "its rows": counts.get(rarest, 0),
        "its share": share(counts.get(rarest, 0), total),
    }


def _missing(targets: Targets, usable: NDArray[np.int64]) -> list[Finding]:
    gaps = targets.codes[usable] == MISSING
    lost = usable[gaps.all(axis=1)].tolist()
    per_task = gaps.mean(axis=0) if len(usable) else np.zeros(len(targets.tasks))
    worst = int(per_task.argmax()) if len(per_task) else 0
    total = int(gaps.sum())
    value = f"{total:,} of {gaps.size:,} ({share(total, gaps.size)})" if total else "none"
    if total and len(targets.tasks) > 1:
        value += (
            f"; most in {targets.tasks[worst]!r} ({share(int(gaps[:, worst].sum()), len(gaps))})"
        )
    many = bool(total) and per_task[worst] >= _MANY_MISSING
    return [
        finding(
            "missing labels",
            AMBER if many else GREEN,
            value,
            _MISSING if many else "",
            figure=_bars(targets, per_task) if total else None,
        ),
        finding(
            "rows without any label",
            AMBER if lost else GREEN,
            counted(len(lost), "row") if lost else "none",
            _UNLABELLED if lost else "",
            rows=lost,
        ),
    ]


def _bars(targets: Targets, shares: NDArray[np.float64]) -> dict[str, object]:
    points = [
        {"name": task, "value": round(float(part), 4)}
        for task, part in zip(targets.tasks, shares, strict=True)
    ]
    return {"kind": "bars", "unit": "share of rows without a label", "points": points}


def _counts(targets: Targets, task: int, rows: NDArray[np.int64] | None = None) -> dict[str, int]:
    codes = targets.codes[:, task] if rows is None else targets.codes[rows, task]
    counts = np.bincount(codes[codes != MISSING], minlength=len(targets.classes[task]))
    return dict(zip(targets.classes[task], counts.tolist(), strict=True))
