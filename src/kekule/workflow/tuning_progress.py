"""What a person sees of a tuning: how far it is, and the best value so far."""

from kekule.evaluation.metrics import METRICS
from kekule.workflow.progress import Display, until_done
from kekule.workflow.tuning_store import Record, TrialStore, counts
from kekule.workflow.tuning_trials import Work


class TuningProgress(Display):
    """A bar over the trials of all studies, whichever process runs them; a context.

    Parameters
    ----------
    work
        What there is to do.
    show
        True, False, or None to show it where standard error is a terminal.
    """

    def __init__(self, work: Work, *, show: bool | None):
        super().__init__(*until_done("trials"), show=show)
        self.work, self.total = work, work.n_trials * len(work.searches)
        self.line = self.bar.add_task(
            "tune: starting", total=self.total, trials=f"0/{self.total} trials"
        )

    def look(self, store: TrialStore) -> None:
        """Show the trials as they stand."""
        if self.bar.disable:
            return
        ended, underway = 0, 0.0
        of_studies: dict[str, list[Record]] = {}
        for search in self.work.searches:
            of_studies[search.plan.name] = [*filter(counts, store.trials(search.plan.name))]
            for record in of_studies[search.plan.name]:
                if record.state.is_finished():
                    ended += 1
                else:
                    underway += (record.last_step or 0) / len(search.folds)
        self.bar.update(
            self.line,
            completed=min(ended + underway, self.total),
            trials=f"{ended}/{self.total} trials",
            description=self._said(of_studies),
        )

    def _said(self, of_studies: dict[str, list[Record]]) -> str:
        """The best value of the study that is being filled."""
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
        best = max(values) if METRICS[self.work.metric].higher_is_better else min(values)
        return f"{name}: best {self.work.metric} {best:.4f}"
