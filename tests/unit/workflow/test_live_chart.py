"""The chart of running folds: what it draws, on which terminals, and how it stands still."""

import io
import re
import time

import numpy as np
import pytest
from rich.console import Console

from kekule.evaluation import FINAL, NETWORK, FoldTask, Progress
from kekule.models import EpochReport
from kekule.workflow import progress as progress_module
from kekule.workflow.live_chart import LOWEST, MOST_POINTS, ROWS, FoldChart, Plot, axis_end
from kekule.workflow.progress import REFRESHES, FoldProgress

TASKS = [FoldTask(NETWORK, 0, FINAL), FoldTask(NETWORK, 0, 0), FoldTask(NETWORK, 0, 1)]


def told(epoch, train=None, validation=0.5):
    train = 0.9 - 0.01 * epoch if train is None else train
    return EpochReport(epoch, train, validation, False, 0.8, 1.9e-3, 0.3, 0.01, epoch // 2)


def chart(tasks=TASKS, epochs=40):
    found = FoldChart("gin", 150)
    for task in tasks:
        for epoch in range(epochs):
            found.add(task, told(epoch))
    return found


def drawn(found, width=100, height=40, *, encoding="utf-8", **options):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    options = {"force_terminal": True, "legacy_windows": False} | options
    console = Console(file=file, width=width, height=height, **options)
    console.print(found, end="")
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize(("width", "panels"), [(60, 1), (100, 1), (120, 2), (181, 3), (400, 3)])
def test_as_many_folds_as_fit_stand_beside_each_other(width, panels):
    lines = plain(drawn(chart(), width)).splitlines()
    assert len(lines) == ROWS + 3
    assert lines[0].count("epoch 40") == panels
    assert "gin final · epoch 40 · best 20 · step size 1.9e-03" in lines[0]
    assert {len(line) for line in lines} == {panels * (width // panels)}
    assert sum(line.count("train 0.51") for line in lines) == panels
    assert sum(line.count("valid 0.5") for line in lines) == panels
    assert lines[-2].count("▲") == panels


@pytest.mark.parametrize(
    ("width", "height", "options"),
    [
        (59, 40, {}),
        (100, LOWEST - 1, {}),
        (100, 40, {"force_terminal": False}),
        (100, 40, {"encoding": "ascii"}),
    ],
)
def test_a_terminal_too_small_or_too_plain_shows_no_chart(width, height, options):
    assert drawn(chart(), width, height, **options) == ""


def test_nothing_is_drawn_before_the_first_epoch_and_after_the_last_fold():
    found = chart(TASKS[:1])
    found.remove(TASKS[0])
    assert drawn(found) == drawn(FoldChart("gin", 9)) == ""


def test_colours_are_left_out_where_they_are_not_wanted(monkeypatch):
    coloured = re.compile(r"\x1b\[(?:\d;)?3[36]m")
    assert coloured.search(drawn(chart(), color_system="standard"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured.search(drawn(chart(), color_system="standard"))


def test_the_line_runs_where_the_losses_are():
    points = np.array([[1, 1.0, 0.2], [50, 0.6, 0.2], [100, 0.2, 1.0]])
    plot = Plot(points, 40, 100)
    train, validation = plot.dots(1, solid=True), plot.dots(2, solid=False)

    assert train[0, 0]
    assert train[-1, -1]
    assert train.any(axis=0).all()
    assert validation[-1, 0]
    assert not validation[:, 1::2].any()
    middle = np.flatnonzero(train[:, plot.column_of(50) * 2])
    assert middle.mean() == pytest.approx((train.shape[0] - 1) / 2, abs=1.5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.5, 1e30])
def test_odd_losses_are_drawn_or_left_out_but_never_fatal(value):
    found = FoldChart("gin", 10)
    for epoch in range(3):
        found.add(TASKS[0], told(epoch, value, value))
    assert "epoch 3" in drawn(found)


def test_a_fold_that_begins_again_is_drawn_anew():
    found = chart(TASKS[:1], epochs=40)
    found.add(TASKS[0], told(0))
    assert [epoch for epoch, *_ in found.folds[TASKS[0]].points] == [1]


def test_a_hundred_thousand_epochs_are_drawn_quickly_from_few_points():
    found = FoldChart("gin", 100_000)
    for epoch in range(100_000):
        found.add(TASKS[0], told(epoch, 1 / (1 + epoch)))
    assert len(found.folds[TASKS[0]].points) <= 2 * MOST_POINTS
    begun = time.perf_counter()
    assert "epoch 100000" in drawn(found)
    assert time.perf_counter() - begun < 0.5


def test_the_axis_moves_rarely_and_holds_every_epoch():
    ends = [axis_end(epoch, 150) for epoch in range(1, 151)]
    assert all(end >= epoch for epoch, end in enumerate(ends, start=1))
    assert sorted(set(ends)) == [10, 20, 50, 100, 150]


def test_the_display_refreshes_at_most_four_times_a_second_and_shows_the_running_fold(monkeypatch):
    file = io.StringIO()
    file.isatty = lambda: True
    monkeypatch.setattr(
        progress_module, "Console",
        lambda **_: Console(file=file, force_terminal=True, width=90, height=40),
    )  # fmt: skip
    with FoldProgress("gin", TASKS, 150, show=True) as shown:
        assert shown.bar.live.refresh_per_second == REFRESHES <= 4
        shown.on_progress(Progress(TASKS[1], told(6)))
        shown.bar.refresh()
        assert "gin seed 0 fold 1 · epoch 7" in plain(file.getvalue())
        assert "train 0.84" in plain(file.getvalue())


def test_a_hidden_display_keeps_no_curves():
    with FoldProgress("gin", TASKS, 150, show=False) as hidden:
        hidden.on_progress(Progress(TASKS[1], told(6)))
        assert not hidden.chart.folds
