"""Examine: a finished run asked harder questions, by further trainings of its recipe.

A score is an answer to the question that its split asks. Whether that is the question a user
has is seen by asking others: other splits, fewer training rows, labels that mean nothing.

What is trained is laid out in `examining_plan`, told in `examining_results` and kept in
`examining_store`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from kekule import __version__
from kekule._errors import KekuleError, OutputError
from kekule.data.chunked import available_cores
from kekule.evaluation import (
    FoldResult,
    FoldTask,
    LostFoldError,
    Recipe,
    cross_validate,
    read_recipe,
    tasks_of,
)
from kekule.evaluation.parallel import one_thread
from kekule.workflow.examining_plan import (
    PARTS,
    Part,
    Variant,
    examined_recipe,
    parts_named,
    plan_examination,
    seconds_of,
)
from kekule.workflow.examining_results import (
    Told,
    Trained,
    gain_of_curve,
    interval_told,
    told_of_curve,
    told_of_ladder,
    told_of_scrambled,
)
from kekule.workflow.examining_store import GO_ON, ExaminationFolder
from kekule.workflow.fold_store import FoldFolder
from kekule.workflow.prepare import Prepared
from kekule.workflow.progress import FoldProgress, is_shown, work_of
from kekule.workflow.reporting import report
from kekule.workflow.run_reading import read_run

WORTH_PROCESSES = 10.0  # core seconds of a variant; others have started by then

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examination:
    """What a run was asked, and what it answered.

    Attributes
    ----------
    path
        The run folder.
    told
        Content of ``examination.json``.
    """

    path: Path
    told: dict[str, Any]

    @property
    def report(self) -> Path:
        """The run's page, on which it is drawn."""
        return self.path / "report.html"

    @property
    def words(self) -> list[str]:
        """What was found, a sentence each."""
        from kekule.workflow.examining_words import sentences

        return sentences(self.told)


def examine(
    run: str | Path,
    *,
    parts: str | Sequence[str] = PARTS,
    seeds: int = 1,
    processes: int | None = None,
    progress: bool | None = None,
) -> Examination:
    """Train a run's recipe under other splits, on fewer rows and on scrambled labels.

    Three parts, each a question. ``ladder``: does the score hold for rows less like those that
    were trained on? ``curve``: would more rows help? ``scrambled``: does anything seem to be
    learnt where nothing can be? It takes about five times as long as one seed of the run did,
    and ships no model. Not for choosing between models: that is what `kekule.compare` is for.

    Parameters
    ----------
    run
        Run folder of `kekule.train`. The data it was trained on must still be there.
    parts
        Which: names in a list, or in a text with commas. One that is there already, of the same
        recipe, data, version and `seeds`, is not done again.
    seeds
        Repeats of every training, from the run's first seed on.
    processes
        Folds at once, one thread each; the cores at hand if None. Scores do not depend on it.
    progress
        Show a progress bar, and beforehand about how long it takes; None shows them on a
        terminal.

    Returns
    -------
    Examination
        With ``examination.json`` in the run folder, and ``report.html`` drawn again.

    Raises
    ------
    OutputError
        If `run` is no complete run, is being written to, or cannot be written. Finished parts
        and folds are kept: the same call goes on with them.
    DataFileError
        If the data it was trained on are gone or have changed.
    KekuleError
        If a part is unknown, or a number is out of range.

    References
    ----------
    Splits: Sheridan 2013, https://doi.org/10.1021/ci400084k. Scrambled labels: Rücker, Rücker &
    Meringer 2007, https://doi.org/10.1021/ci700157b.

    Examples
    --------
    >>> found = kekule.examine("models/mutag-gin", parts=["curve"])  # doctest: +SKIP
    >>> found.words  # doctest: +SKIP
    """
    wanted = parts_named(parts)
    for name, number in (("seeds", seeds), ("processes", processes)):
        if number is not None and number < 1:
            raise KekuleError(f"{name}: {number} given. Give 1 or more.")
    place = Path(run)
    scores = read_run(place)[0]
    recipe = read_recipe(place / "recipe.yaml")
    key = {
        "recipe": recipe.sha256,
        "data": str(scores["data_hash"]),
        "split": str(scores.get("split_hash", "")),
        "version": __version__,
    }
    folder = ExaminationFolder(place, key)
    with folder.locked():
        told = folder.told()
        known = told.get("parts", {})
        left = [part for part in wanted if known.get(part, {}).get("seeds") != seeds]
        if left:
            recipe = examined_recipe(recipe, scores, seeds)
            wishes = _Wishes(seeds, processes or available_cores(), progress)
            told = _examined(folder, recipe, scores, left, told, wishes)
        with one_thread():
            report(folder.run)
    return Examination(place, told)


class _Wishes(NamedTuple):
    """What is asked of an examination beside its parts."""

    seeds: int
    processes: int
    progress: bool | None


def _examined(
    folder: ExaminationFolder,
    recipe: Recipe,
    scores: Told,
    left: Sequence[str],
    told: Told,
    wishes: _Wishes,
) -> Told:
    """Do the parts that are left, each kept as soon as it is complete."""
    planned, prepared = plan_examination(
        recipe, scores, left, processes=wishes.processes, progress=wishes.progress
    )
    _say_beforehand(planned, scores, wishes)
    folder.open()
    metric = str(scores["primary"])
    for part in planned:
        trained, left_out = _train_part(folder, part, scores, wishes)
        told = {
            **told,
            "metric": metric,
            "interval": interval_told(prepared.inputs, metric),
            "of": folder.key,
            **_found(part.name, trained, prepared, metric),
        }
        about = {
            "seeds": wishes.seeds,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "fold_seconds": round(sum(r.seconds for t in trained for r in t.results.values()), 1),
            "left_out": left_out,
        }
        if part.name == "curve":
            about["gain"] = gain_of_curve(trained, metric)
        told["parts"] = {**told.get("parts", {}), part.name: about}
        folder.write(told)
    folder.close()
    return told


def _found(name: str, trained: list[Trained], prepared: Prepared, metric: str) -> Told:
    """The numbers of a part under the key that the page reads."""
    if name == "ladder":
        return {"ladder": told_of_ladder(trained, prepared, metric)}
    if name == "curve":
        return {"learning_curve": told_of_curve(trained, metric)}
    return {"scrambled": told_of_scrambled(trained[0], metric) if trained else None}


def _train_part(
    folder: ExaminationFolder, part: Part, scores: Told, wishes: _Wishes
) -> tuple[list[Trained], dict[str, str]]:
    """Train every variant of a part; say why where the rows do not allow one."""
    trained, left_out = [], dict(part.left_out)
    for number, variant in enumerate(part.variants, start=1):
        title = f"{part.name} {number}/{len(part.variants)}, {variant.name}"
        seconds = seconds_of([Part(part.name, (variant,))], scores)
        processes = wishes.processes if seconds > WORTH_PROCESSES else 1
        try:
            results = _train(
                variant, folder.folds(variant.store), title, processes, wishes.progress
            )
        except LostFoldError as error:
            raise LostFoldError(
                "the process of a fold died: out of memory, or killed. Finished folds are kept; "
                "give the same command again, with fewer --processes."
            ) from error
        except OutputError as error:
            raise OutputError(error.path, error.why, GO_ON) from error
        except KekuleError as error:
            log.warning("%s is left out: %s", title, error)
            left_out[variant.name] = str(error)
            continue
        trained.append(Trained(variant, results))
    return trained, left_out


def _train(
    variant: Variant, store: FoldFolder, title: str, processes: int, show: bool | None
) -> dict[FoldTask, FoldResult]:
    """Folds of a variant, those that are kept already as they are."""
    inputs, recipe = variant.inputs, variant.inputs.recipe
    left = [task for task in tasks_of(recipe, inputs.n_folds) if store.get(task) is None]
    log.info("%s: %d folds to run", title, len(left))
    epochs, trainings = work_of(inputs)
    with FoldProgress(title, left, epochs, show=show, trainings=trainings) as bar:
        return cross_validate(
            replace(inputs, folder=store.folder),
            store,
            processes=processes,
            on_progress=bar.on_progress,
            on_result=bar.on_result,
        )


def _say_beforehand(planned: Sequence[Part], scores: Told, wishes: _Wishes) -> None:
    """Say about how long it takes, by what the run's own folds took."""
    variants = {variant.store: variant for part in planned for variant in part.variants}
    n_folds = sum(variant.n_folds for variant in variants.values())
    seconds = seconds_of(planned, scores) / wishes.processes
    about = "under a minute" if seconds < 50 else f"about {max(round(seconds / 60), 1)} min"
    said = f"{', '.join(part.name for part in planned)}: {n_folds} trainings of a fold, {about}"
    log.info("%s", said)
    if is_shown(wishes.progress):
        Console(stderr=True, highlight=False).print(said, markup=False)
