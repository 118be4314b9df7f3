"""What a person sees of a tuning: how far it is, and the best value so far."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from kekule.evaluation.metrics import METRICS
from kekule.workflow.tuning_store import Record, TrialStore, counts
from kekule.workflow.tuning_trials import Work


class TuningProgress:
    """A bar over the trials of all studies, whichever process runs them; a context.

    Parameters
    ----------
    work
        What there is to do.
    show
        True, False, or None to show it where standard error is a terminal.
    """

    def __init__(self, work: Work, *, show: bool | None):
        self.work = work
        shown = sys.stderr.isatty() if show is None else show
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[trials]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not shown,
            transient=True,
        )
        total = work.n_trials * len(work.searches)
        self.line = self.bar.add_task("tune: starting", total=total, trials=f"0/{total} trials")

    def __enter__(self) -> Self:
        """Show it."""
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.bar.stop()

    def look(self, store: TrialStore) -> None:
        """Show the trials as they stand."""
        if self.bar.disable:
            return
        of_studies = {
            search.plan.name: list(filter(counts, store.trials(search.plan.name)))
            for search in self.work.searches
        }
        ended = sum(record.state.is_finished() for records in of_studies.values()
                    for record in records)  # fmt: skip
        underway = 0.0
        for search in self.work.searches:
            for record in of_studies[search.plan.name]:
                if not record.state.is_finished():
                    underway += (record.last_step or 0) / len(search.folds)
        total = self.work.n_trials * len(self.work.searches)
        self.bar.update(
            self.line,
            completed=min(ended + underway, total),
            trials=f"{ended}/{total} trials",
            description=self._said(of_studies),
        )

    def _said(self, of_studies: dict[str, list[Record]]) -> str:
        """The best value of the study that is being filled."""
        higher = METRICS[self.work.metric].higher_is_better
        name = next(
            (
                name
                for name, records in of_studies.items()
                if sum(record.state.is_finished() for record in records) < self.work.n_trials
            ),
            self.work.searches[-1].plan.name,
        )
        values = [r.value for r in of_studies[name] if r.state.name == "COMPLETE"]
        if not values:
            return f"{name}: no trial ended yet"
        best = max(values) if higher else min(values)
        return f"{name}: best {self.work.metric} {best:.4f}"
