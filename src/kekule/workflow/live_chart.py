"""Losses of the folds that run now, drawn in a terminal.

A panel a fold, as many as fit beside each other: training loss as a line, validation loss as
dots, so that they differ without colour too, each named at its end. Rich draws it when it
refreshes, so an epoch costs an append to a list.

Symbols: a cell is one character, 2 dots wide and 4 high (braille).
"""

import threading
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style

from kekule.evaluation import FINAL, FoldTask
from kekule.models import EpochReport

NARROWEST = 60  # columns of a terminal, and of a panel, that hold a chart
ROWS = 8  # cells of a plot
LOWEST = ROWS + 8  # lines of a terminal: the chart, the bar, and some of what was before
LEFT, RIGHT = 8, 14  # columns beside the plot for its numbers and names
MOST_POINTS = 1000  # kept of a fold: more than any terminal has dots
TRAIN, VALIDATION, FAINT = Style(color="cyan"), Style(color="yellow"), Style(dim=True)
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # of a braille cell
_NICE = (10, 20, 50)  # last epochs of an axis, and ten times these, and so on

Row = list[Segment]


class _Fold:
    """What is drawn of one running fold."""

    def __init__(self) -> None:
        self.points: list[tuple[int, float, float]] = []  # epoch from 1, both losses
        self.every = 1  # epoch that is kept
        self.last: EpochReport | None = None

    def add(self, epoch: EpochReport) -> None:
        if self.last is not None and epoch.epoch <= self.last.epoch:
            self.points.clear()
        self.last = epoch
        if epoch.epoch % self.every == 0:
            self.points.append((epoch.epoch + 1, epoch.train_loss, epoch.validation_loss))
        if len(self.points) >= 2 * MOST_POINTS:
            self.points, self.every = self.points[::2], 2 * self.every


class FoldChart:
    """Chart of the running folds; nothing on a terminal that is too small, or is none.

    Parameters
    ----------
    name
        Of the network.
    epochs
        Most epochs of a fold.
    """

    def __init__(self, name: str, epochs: int):
        self.name, self.epochs = name, epochs
        self.folds: dict[FoldTask, _Fold] = {}
        self.lock = threading.Lock()

    def add(self, task: FoldTask, epoch: EpochReport) -> None:
        """Take note of an epoch."""
        with self.lock:
            fold = self.folds.get(task)
            if fold is None:
                fold = self.folds[task] = _Fold()
            fold.add(epoch)

    def remove(self, task: FoldTask) -> None:
        """Leave out a fold that ended."""
        with self.lock:
            self.folds.pop(task, None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Draw the folds that have run longest."""
        width, height = options.max_width, console.size.height
        if not console.is_terminal or options.ascii_only:
            return
        if width < NARROWEST or height < LOWEST:
            return
        with self.lock:
            shown = list(self.folds.items())[: width // NARROWEST]
            panels = [
                self._panel(task, fold, width // len(shown))
                for task, fold in shown
                if fold.last is not None
            ]
        for rows in zip(*panels, strict=True):
            yield from (segment for row in rows for segment in row)
            yield Segment.line()

    def _panel(self, task: FoldTask, fold: _Fold, width: int) -> list[Row]:
        """Rows of one fold, each `width` columns: title, plot, axis, numbers."""
        columns = width - LEFT - RIGHT
        points = np.array(fold.points, dtype=np.float64).reshape(-1, 3)
        last = fold.last
        if last is None:
            return []
        right = axis_end(last.epoch + 1, self.epochs)
        plot = Plot(points, columns, right)
        best = plot.column_of(last.best_epoch + 1)
        axis = f"{'└':>{LEFT}}" + "".join("▲" if c == best else "─" for c in range(columns))
        numbers = f"{'1':>{LEFT + 1}}{right:>{columns - 1}} epoch"
        return [
            _fitted([Segment(self._title(task, last), Style(bold=True))], width),
            *(_fitted(row, width) for row in plot.rows()),
            _fitted([Segment(axis, FAINT)], width),
            _fitted([Segment(numbers, FAINT)], width),
        ]

    def _title(self, task: FoldTask, last: EpochReport) -> str:
        where = "final" if task.fold == FINAL else f"seed {task.seed} fold {task.fold + 1}"
        rate = "" if np.isnan(last.learning_rate) else f" · step size {last.learning_rate:.1e}"
        return f" {self.name} {where} · epoch {last.epoch + 1} · best {last.best_epoch + 1}{rate}"


class Plot:
    """Two losses over epochs as cells of characters.

    Parameters
    ----------
    points
        float64 (n, 3): epoch, training and validation loss.
    columns
        Cells across; `ROWS` are high.
    right
        Last epoch of the axis.
    """

    def __init__(self, points: NDArray[np.float64], columns: int, right: int):
        self.columns, self.right = columns, right
        self.points = points
        finite = points[:, 1:][np.isfinite(points[:, 1:])]
        self.low = float(finite.min()) if finite.size else 0.0
        self.high = float(finite.max()) if finite.size else 1.0
        least = 1e-6 * max(1.0, abs(self.high))
        if self.high - self.low < least:  # else numbers that differ by nothing fill the plot
            self.low, self.high = self.low - 1e6 * least / 2, self.high + 1e6 * least / 2

    def column_of(self, epoch: int) -> int:
        """Cell of an epoch."""
        return int(self._dot_of(np.array([epoch]))[0]) // 2

    def dots(self, which: int, *, solid: bool) -> NDArray[np.bool_]:
        """Dots of a loss, (4 · ROWS, 2 · columns): a line, or every second dot of it."""
        found = np.zeros((4 * ROWS, 2 * self.columns), dtype=np.bool_)
        known = self.points[np.isfinite(self.points[:, which])]
        if not len(known):
            return found
        at = self._dot_of(known[:, 0])
        across = np.arange(at[0], at[-1] + 1)
        heights = np.interp(across, at, known[:, which])
        up = np.rint((self.high - heights) / (self.high - self.low) * (4 * ROWS - 1)).astype(int)
        if not solid:
            found[up[::2], across[::2]] = True
            return found
        before = np.concatenate([up[:1], up[:-1]])
        for x, y, y_before in zip(across, up, before, strict=True):
            found[min(y, y_before + 1) : max(y, y_before - 1) + 1, x] = True
        return found

    def rows(self) -> list[Row]:
        """Rows of the plot with the numbers left of it and the names of the lines right."""
        train, validation = self.dots(1, solid=True), self.dots(2, solid=False)
        cells = _cells(train | validation)
        dotted = _cells(validation) > 0
        names = self._names()
        rows = []
        for r in range(ROWS):
            number = {0: self.high, ROWS - 1: self.low}.get(r)
            left = f"{'' if number is None else f'{number:.3g}':>{LEFT - 2}} "
            row = [Segment(f"{left}{'│' if number is None else '┤'}", FAINT)]
            texts = "".join(chr(0x2800 + code) if code else " " for code in cells[r].tolist())
            edges = [0, *(np.flatnonzero(np.diff(dotted[r])) + 1).tolist(), self.columns]
            for start, end in pairwise(edges):
                style = VALIDATION if dotted[r, start] else TRAIN
                row.append(Segment(texts[start:end], style))
            rows.append(row + names.get(r, []))
        return rows

    def _dot_of(self, epochs: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.int64]:
        share = (np.asarray(epochs, dtype=np.float64) - 1) / max(self.right - 1, 1)
        return np.asarray(np.rint(share.clip(0, 1) * (2 * self.columns - 1)), dtype=np.int64)

    def _names(self) -> dict[int, Row]:
        """Name and last value of each line, in the row where it ends, or the next."""
        found: dict[int, Row] = {}
        for which, name, style in ((1, "train", TRAIN), (2, "valid", VALIDATION)):
            value = self.points[-1, which] if len(self.points) else np.nan
            if not np.isfinite(value):
                continue
            row = int((self.high - value) / (self.high - self.low) * (ROWS - 1e-9))
            while row in found:
                row = row + 1 if row + 1 < ROWS else row - 1
            found[row] = [Segment(f" {name} {value:.3g}", style)]
        return found


def axis_end(epoch: int, most: int) -> int:
    """Last epoch of the axis: it moves rarely, so the picture stands still in between."""
    scale = 1
    while True:
        for nice in _NICE:
            if epoch <= nice * scale:
                return max(min(nice * scale, most), epoch)
        scale *= 10


def _cells(dots: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Braille codes of dots, (ROWS, columns)."""
    columns = dots.shape[1] // 2
    blocks = dots.reshape(ROWS, 4, columns, 2).transpose(0, 2, 1, 3)
    return np.asarray((blocks * _DOTS).sum(axis=(2, 3)), dtype=np.int64)


def _fitted(row: Row, width: int) -> Row:
    """Cut or filled to `width` columns."""
    return Segment.adjust_line_length(row, width)
