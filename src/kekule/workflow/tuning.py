"""Tune: from a recipe to the best of many variants of it, with what that is worth.

The work is done by trials (`tuning_trials`) on a journal (`tuning_store`); what a folder of a
tuning holds is made from the journal (`tuning_results`) whenever a process leaves.
"""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kekule._errors import KekuleError, OutputError
from kekule.data.chunked import available_cores
from kekule.evaluation import Recipe, read_recipe
from kekule.evaluation.parallel import one_thread
from kekule.evaluation.tuning import (
    DEFAULT_METRIC,
    TuningError,
    check_scorable,
    check_tunable,
    metric_named,
    outer_scores,
)
from kekule.evaluation.tuning_space import default_space, read_space
from kekule.workflow.disk import unwritable
from kekule.workflow.prepare import Prepared, prepare
from kekule.workflow.progress import StageProgress
from kekule.workflow.training import recipe_of
from kekule.workflow.tuning_journal import check_optuna
from kekule.workflow.tuning_plan import searches_of, without_baselines
from kekule.workflow.tuning_progress import TuningProgress
from kekule.workflow.tuning_results import (
    BEST,
    OUTER,
    PAGE,
    best_of,
    told_of_tuning,
    trials_of,
    write_results,
)
from kekule.workflow.tuning_store import JOURNAL, LOCKS, TrialStore
from kekule.workflow.tuning_trials import Search, Work, run_trials, run_trials_in_processes

log = logging.getLogger(__name__)

GO_ON = "Put that right, and give the same command again: it goes on."


@dataclass(frozen=True)
class Tuning:
    """A tuning, finished or stopped by its time.

    Attributes
    ----------
    path
        Its folder.
    told
        Content of ``tuning.json``.
    """

    path: Path
    told: dict[str, Any]

    @property
    def page(self) -> Path:
        """The page that shows it."""
        return self.path / PAGE

    @property
    def words(self) -> list[str]:
        """What was found and what it is worth, a sentence each."""
        from kekule.visualization.tuning_page import sentences  # brings matplotlib along

        return sentences(self.told)

    @property
    def best(self) -> Recipe:
        """The best recipe, ready for `kekule.train`."""
        return read_recipe(self.path / BEST)


def tune(  # noqa: PLR0913 # all but the first two by keyword
    recipe: str | Path | Recipe | None = None,
    overrides: Sequence[str] = (),
    *,
    trials: int = 50,
    out: str | Path | None = None,
    space: str | Path | Mapping[str, Any] | None = None,
    metric: str = DEFAULT_METRIC,
    inner: int = 5,
    minutes: float | None = None,
    nested: bool = False,
    processes: int | None = None,
    progress: bool | None = None,
) -> Tuning:
    """Try many settings of a recipe's network and write the best recipe out.

    The first trial is the recipe as it is, if the space holds it; ten are drawn at random, and
    later ones where the better of those before lie. A trial whose first folds are worse than the
    median trial is given up. The best value is the best of many on the rows that chose it, so
    it flatters. Not for a few dozen rows, where luck chooses.

    Parameters
    ----------
    recipe, overrides
        As for `kekule.train`. With folds, those of the first seed are tuned on; with a single
        test set, folds of its training rows, and its test rows are not touched.
    trials
        How many in total: the same call again goes on until there are as many. Trials that
        were killed are done again and do not count.
    out
        Folder; ``models/<set>-<network>-tuning`` if None. Several processes may share it.
    space
        What to vary: a YAML file, or ``{"model.hidden": [32, 64], "train.learning_rate":
        {"low": 1e-4, "high": 1e-2, "log": True}}``. If None, width, depth, dropout, readout,
        learning rate, batch size and weight decay.
    metric
        Score to tune by, the mean over the folds; of several tasks the mean over these.
    inner
        Folds of training rows, where these are tuned on.
    minutes
        Begin no trial after so many.
    nested
        Also tune inside the training rows of every test set of the recipe, a study each, and
        score its best on the test rows: an estimate of what tuning and training give.
    processes
        Trials at once, one thread each; the cores at hand if None. With one, the same call
        proposes the same trials; with more, they depend on which of them ends first.
    progress
        Show a progress bar; None shows it on a terminal.

    Returns
    -------
    Tuning
        Where it is, and what was found.

    Raises
    ------
    RecipeError, DataFileError
        If the recipe, its data or the space cannot be used.
    TuningError
        If Optuna is not installed, the metric is undefined on a fold, no trial ends with a
        value, or the last three failed in the same way.
    OutputError
        If `out` cannot be written, or holds anything else than this study.

    References
    ----------
    Akiba et al. 2019, https://arxiv.org/abs/1907.10902. Bergstra et al. 2011, Algorithms for
    Hyper-Parameter Optimization, NeurIPS 24.

    Examples
    --------
    >>> found = kekule.tune(overrides=["data=MUTAG"], trials=20)  # doctest: +SKIP
    >>> kekule.train(found.best, out="models/tuned")  # doctest: +SKIP
    """
    _check_numbers(trials=trials, inner=inner, minutes=minutes, processes=processes)
    check_optuna()
    metric_named(metric)
    until = None if minutes is None else time.time() + 60 * minutes
    recipe = recipe_of(recipe, overrides)
    check_tunable(recipe)
    varied = default_space(recipe) if space is None else read_space(space, recipe)
    folder = None if out is None else _checked_folder(Path(out))
    processes = processes or available_cores()
    with StageProgress(show=progress) as stages:
        prepared = prepare(without_baselines(recipe), processes=processes, progress=stages)
    work = Work(
        inputs=prepared.inputs,
        searches=searches_of(prepared, recipe, varied, metric=metric, inner=inner, nested=nested),
        space=varied,
        metric=metric,
        folder=folder or _usual_folder(prepared),
        n_trials=trials,
        until=until,
    )
    for search in work.searches:
        check_scorable(work.inputs, search.folds, metric)
    try:
        return _tuned(work, prepared, recipe, nested=nested, processes=processes, show=progress)
    except OSError as error:
        raise unwritable(work.folder, error, GO_ON) from error


def _check_numbers(
    *, trials: int, inner: int, minutes: float | None, processes: int | None
) -> None:
    if trials < 1:
        raise KekuleError(f"trials: {trials} find nothing. Give 1 or more.")
    if not 2 <= inner <= 100:
        raise KekuleError(f"inner: {inner} given: give from 2 to 100 folds.")
    if minutes is not None and not 0 < minutes < math.inf:
        raise KekuleError(f"minutes: {minutes:g} given: give a number above 0.")
    if processes is not None and processes < 1:
        raise KekuleError(f"processes: {processes} trials at once do nothing. Give 1 or more.")


def _usual_folder(prepared: Prepared) -> Path:
    name = f"{prepared.origin.name.lower()}-{prepared.inputs.recipe.model.name}-tuning"
    return _checked_folder(Path("models", name))


def _checked_folder(folder: Path) -> Path:
    """Refuse a folder that holds anything but a study."""
    try:
        here = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise unwritable(folder, error, "Give another --out.") from None
    if here - {LOCKS} and JOURNAL not in here:
        why = f"it is there and is no study of kekule ({JOURNAL} is missing)"
        raise OutputError(folder, why, "Give another --out.")
    return folder


def _tuned(
    work: Work,
    prepared: Prepared,
    recipe: Recipe,
    *,
    nested: bool,
    processes: int,
    show: bool | None,
) -> Tuning:
    """Fill the studies, score outside if asked, and write what was found; also if stopped."""
    with TrialStore(work.folder, work.space) as store:
        for search in work.searches:
            store.open(search.plan)
        work = replace(work, searches=tuple(_from_now(search, store) for search in work.searches))
        try:
            with TuningProgress(work, show=show) as bar:
                if processes == 1:
                    run_trials(work, store, bar.look)
                else:
                    run_trials_in_processes(work, store, bar.look, processes=processes)
            if nested:
                _score_outside(work, store)
        except BaseException:
            for search in work.searches:
                store.give_up_dead(search.plan.name, count=False)
            if any(store.ended(search.plan.name) for search in work.searches):
                _write(work, store, prepared, recipe)
            raise
        told = _write(work, store, prepared, recipe)
    if told["best"] is None:
        why = f"of {len(told['trials'])} none ended with a value"
        raise TuningError("trials", why, f"See {work.folder / PAGE} for what each stumbled over.")
    return Tuning(work.folder, told)


def _from_now(search: Search, store: TrialStore) -> Search:
    return replace(search, since=len(store.trials(search.plan.name)))


def _score_outside(work: Work, store: TrialStore) -> None:
    """Score the best of every full study on the test rows that it has not met, once."""
    higher = metric_named(work.metric).higher_is_better
    with store.alone("outside"), one_thread():
        for search in work.searches:
            name = search.plan.name
            best = best_of(trials_of(store.trials(name)), higher=higher)
            if search.outer is None or best is None:
                continue
            known = store.noted(name, OUTER)
            if known is not None and known["trial"] == best["number"]:
                continue
            log.info("%s: the best trial is scored on the outer test rows", name)
            scores = outer_scores(work.inputs, search.outer, best["parameters"])
            store.note(name, OUTER, {"trial": best["number"], "scores": scores})


def _write(work: Work, store: TrialStore, prepared: Prepared, recipe: Recipe) -> dict[str, Any]:
    """Write the results as they stand, one process at a time, so that the last one stays."""
    with store.alone("writing"):
        told = told_of_tuning(work, store, prepared, recipe)
        write_results(work, store, told, recipe)
    return told
