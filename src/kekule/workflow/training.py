"""Train: from a recipe to a finished run folder."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kekule import __version__
from kekule._errors import KekuleError, OutputError
from kekule.data.chunked import Beside, available_cores
from kekule.evaluation import (
    NETWORK,
    FoldResult,
    FoldTask,
    Recipe,
    cross_validate,
    read_recipe,
    scores_json,
    shipped,
    shipped_model,
    tasks_of,
)
from kekule.evaluation import Progress as Word
from kekule.evaluation.nested import grid_of, recipe_of_result
from kekule.evaluation.parallel import one_thread
from kekule.evaluation.plan import plan_of, told_of_plan
from kekule.evaluation.uncertainty import Uncertainty
from kekule.evaluation.uncertainty_domain import domain_of_run
from kekule.evaluation.uncertainty_estimate import estimate_uncertainty, told_of_shipped
from kekule.evaluation.uncertainty_fitting import uncertainty_of_shipped
from kekule.features import seen_codes
from kekule.models.ensemble_settings import AUTO
from kekule.registry import BundleContent, Predictor, load, save_bundle
from kekule.workflow.audit_of_run import audit_of_run, spare_process
from kekule.workflow.curve_tables import completed, write_curves
from kekule.workflow.disk import name_as_text, unwritable
from kekule.workflow.event_files import check_tensorboard
from kekule.workflow.logs import log_to
from kekule.workflow.metric_streams import MetricStream
from kekule.workflow.molecule_set import MoleculeSet
from kekule.workflow.prepare import Prepared, prepare, split_hash
from kekule.workflow.progress import FoldProgress, StageProgress, work_of
from kekule.workflow.reporting import report, report_beside
from kekule.workflow.run_folder import CHANGES, FILES, GO_ON, LOG, PROFILE, RunFolder
from kekule.workflow.tables import predictions_table
from kekule.workflow.tasks import label_counts

log = logging.getLogger(__name__)

EXAMPLES_PER_CLASS = 2
EXAMPLE_TASKS = 5


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    path
        Its folder.
    scores
        Content of ``scores.json``.
    """

    path: Path
    scores: dict[str, Any]

    @property
    def report(self) -> Path:
        """The page that shows the run."""
        return self.path / "report.html"

    def model(self) -> Predictor:
        """Load the run's model, ready to predict."""
        return load(self.path)


def train(
    recipe: str | Path | Recipe | None = None,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    audit: bool = True,
    processes: int | None = None,
    progress: bool | None = None,
) -> Run:
    """Train and validate a recipe's network beside its baselines; write the run folder.

    Parameters
    ----------
    recipe
        YAML file or `Recipe`; None for the defaults (a GIN on MUTAG).
    overrides
        ``key.sub=value``, as on the command line.
    out
        Run folder; ``models/<set>-<network>`` if None. Appears when complete.
    resume
        Go on from the finished folds of a killed run; a complete run of the same recipe
        and data is returned as it is.
    overwrite
        Replace a complete run that is there.
    audit
        Look the data over first. Leave it out only of data that were looked over before:
        ``audit.json`` and the report then say that it was not done.
    processes
        Folds at once, one thread each; the cores at hand if None. Scores do not depend on it.
    progress
        Show a progress bar; None shows it on a terminal.

    Returns
    -------
    Run
        Where it is, and its scores.

    Raises
    ------
    RecipeError, DataFileError
        If the recipe or its data cannot be used.
    OutputError
        If `out` cannot be written, holds another run or somebody's files, or is being
        written to. Finished folds are kept for `resume`.

    Examples
    --------
    >>> run = kekule.train(overrides=["data=MUTAG", "model=gcn"])  # doctest: +SKIP
    >>> run.scores["metrics"]["accuracy"]["mean"]  # doctest: +SKIP
    """
    started = time.perf_counter()
    if processes is not None and processes < 1:
        raise KekuleError(f"processes: {processes} folds at once do nothing. Give 1 or more.")
    recipe = recipe_of(recipe, overrides)
    if recipe.train.tensorboard:
        check_tensorboard()
    processes = processes or available_cores()
    with spare_process(recipe, wanted=audit, processes=processes) as spare:
        with StageProgress(show=progress) as stages:
            prepared = prepare(recipe, processes=processes, progress=stages)
        folder = RunFolder(_out(out, prepared))
        with folder.locked():
            return _run(
                prepared,
                folder,
                _Wishes(resume, overwrite, audit, processes, progress),
                spare,
                started,
            )


class _Wishes(NamedTuple):
    """What is asked of a run beside its recipe."""

    resume: bool
    overwrite: bool
    audit: bool
    processes: int
    progress: bool | None


def _run(
    prepared: Prepared,
    folder: RunFolder,
    wishes: _Wishes,
    spare: Beside | None,
    started: float,
) -> Run:
    """Train what is left to train in a folder that is ours, and write the run."""
    recipe, processes = prepared.inputs.recipe, wishes.processes
    key = {"recipe": recipe.sha256, "data": prepared.origin.sha256, "version": __version__}
    if split := split_hash(recipe):
        key["split"] = split
    if folder.occupied():
        if not wishes.overwrite:
            return _finished(folder.out, key, resume=wishes.resume)
        folder.check_replaceable()
    folder.open(key, resume=wishes.resume)
    with log_to(folder.files / LOG):
        log.info("recipe %s on %s", recipe.sha256[:12], prepared.origin.source)
        left = [t for t in _tasks(prepared) if folder.folds.get(t) is None]
        with audit_of_run(
            prepared,
            folder,
            wanted=wishes.audit,
            spare=processes - len(left),
            processes=processes,
            show=wishes.progress,
            process=spare,
        ) as audited:
            results = _cross_validate(prepared, folder, processes, wishes.progress, left=left)
            found = audited()
        try:
            seconds = time.perf_counter() - started
            _write(folder, prepared, results, key, found, seconds, spare)
        except OSError as error:
            raise unwritable(folder.out, error, GO_ON) from error
    return Run(folder.publish(overwrite=wishes.overwrite), _scores(folder.out))


def recipe_of(recipe: str | Path | Recipe | None, overrides: Sequence[str]) -> Recipe:
    """Recipe of a file or of its own class, with overrides."""
    if not isinstance(recipe, Recipe):
        return read_recipe(None if recipe is None else Path(recipe), overrides)
    if not overrides:
        return recipe
    given = recipe.model_dump(mode="json")  # JSON is YAML: a recipe is its own overrides
    return read_recipe(None, [*(f"{k}={json.dumps(v)}" for k, v in given.items()), *overrides])


def _out(out: str | Path | None, prepared: Prepared) -> Path:
    """Place of the run folder, links followed, so that a link to it stays one."""
    if out is None:
        model = prepared.inputs.recipe.model.name
        out = Path("models", f"{prepared.origin.name.lower()}-{model}")
    try:
        place = Path(out).resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise OutputError(out, f"cannot be written: {error}", "Give another --out.") from None
    if place.is_mount():
        raise OutputError(
            out,
            "it is where a disk begins, and a run is renamed into place",
            "Give a folder in it.",
        )
    return place


def _scores(path: Path) -> dict[str, Any]:
    return dict(json.loads((path / "scores.json").read_text(encoding="utf-8")))


def _finished(out: Path, key: dict[str, str], *, resume: bool) -> Run:
    """Give back the complete run that is already there, if it is the one asked for."""
    why = next((f"{name} is missing" for name in FILES if not (out / name).exists()), "")
    try:
        scores = {} if why else _scores(out)
        found = {"recipe": scores["recipe_hash"], "data": scores["data_hash"]}
        found["split"] = scores.get("split_hash", "")
    except (OSError, ValueError, TypeError, KeyError) as error:
        why = why or f"scores.json: {error!r}"
        raise OutputError(
            out, f"it is there and is no complete run of kekule ({why})", "Give another --out."
        ) from None
    if not resume:
        raise OutputError(
            out,
            "it is there already",
            "Give another --out, --overwrite to replace it, or --resume to keep it.",
        )
    differing = [name for name in found if found[name] != key.get(name, "")]
    if differing:
        raise OutputError(
            out,
            f"the complete run there has another {' and '.join(differing)}",
            "Give another --out, or --overwrite to replace it.",
        )
    return Run(out, scores)


def _tasks(prepared: Prepared) -> list[FoldTask]:
    return tasks_of(prepared.inputs.recipe, prepared.inputs.n_folds)


def _cross_validate(
    prepared: Prepared,
    folder: RunFolder,
    processes: int,
    show: bool | None,
    *,
    left: list[FoldTask],
) -> dict[FoldTask, FoldResult]:
    recipe, store = prepared.inputs.recipe, folder.folds
    kept = len(_tasks(prepared)) - len(left)
    if kept:
        log.info("resumed: %d finished folds are kept, %d to run", kept, len(left))
    name = recipe.model.name
    if name == AUTO:
        log.info("%s", told_of_plan(plan_of(prepared.inputs)))
    epochs, trainings = work_of(prepared.inputs)
    bar = FoldProgress(name, left, epochs, show=show, trainings=trainings)
    stream = MetricStream(folder.files, network=name, tensorboard=recipe.train.tensorboard)

    def on_progress(word: Word) -> None:
        stream.on_progress(word)
        bar.on_progress(word)

    def on_result(task: FoldTask, result: FoldResult) -> None:
        trained = len(result.train_loss)
        epochs = f", epoch {result.best_epoch + 1} of {trained}" if trained else ""
        chose = f", chose {grid_of(recipe)[result.chosen]}" if result.chosen >= 0 else ""
        told = epochs + chose if task.model == NETWORK else ""
        log.info("%s: %.1f s%s", task, result.seconds, told)
        bar.on_result(task, result)

    profile = folder.files / PROFILE if recipe.train.profile else None
    with bar, stream:
        results = cross_validate(
            replace(prepared.inputs, folder=store.folder, profile=profile),
            store,
            processes=processes,
            on_progress=on_progress,
            on_result=on_result,
        )
        stream.complete(completed(results, name, stream.heard))
    return results


def _write(
    folder: RunFolder,
    prepared: Prepared,
    results: dict[FoldTask, FoldResult],
    key: dict[str, str],
    audit: dict[str, Any],
    seconds: float,
    process: Beside | None,
) -> None:
    """Write every file of the run into its unfinished folder."""
    files, recipe, origin = folder.files, prepared.inputs.recipe, prepared.origin
    domain = domain_of_run(results, prepared.inputs, source_rows=prepared.usable)
    scores = {
        "name": name_as_text(folder.out.name),
        "dataset": origin.name,
        "data_hash": key["data"],
        "recipe_hash": key["recipe"],
        "split_hash": key.get("split", ""),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "n_rows": len(origin),
        "n_rejected": len(origin) - len(prepared.usable),
        "duplicates": prepared.duplicates,
        "classes": list(prepared.classes),
        **({"tasks": label_counts(prepared)} if prepared.tasks else {}),
        "seconds": round(seconds, 1),
        "fold_seconds": round(sum(result.seconds for result in results.values()), 1),
        **scores_json(results, prepared.inputs),
        "uncertainty": estimate_uncertainty(results, prepared.inputs, domain=domain),
    }
    (files / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    _write_json(files / "audit.json", audit)
    predictions_table(prepared, results).to_csv(files / "predictions.csv", index=False)
    prepared.rejected().to_csv(files / "rejected.csv", index=False)
    ours = recipe_of_result(recipe, results[shipped(recipe)])
    write_curves(files, replace(prepared.inputs, recipe=ours), results)
    if isinstance(origin, MoleculeSet):
        origin.changes().to_csv(files / CHANGES, index=False)
    uncertainty = uncertainty_of_shipped(results, prepared.inputs, domain=domain)
    scores["uncertainty"]["shipped"] = told_of_shipped(uncertainty, tuple(prepared.tasks))
    _write_json(files / "scores.json", scores)
    bundle = _bundle(prepared, results, ours, scores, key, uncertainty)
    with one_thread():  # as it was trained; threads would mostly wait for each other
        save_bundle(files / "bundle", bundle)
    log.info("%s", scores["verdict"])
    log.info("shipped model: %s", shipped_model(recipe))
    with one_thread():
        if process is None:
            report(files)
        else:
            report_beside(files, process)


def _bundle(
    prepared: Prepared,
    results: dict[FoldTask, FoldResult],
    ours: Recipe,
    scores: dict[str, Any],
    key: dict[str, str],
    uncertainty: Uncertainty,
) -> BundleContent:
    """What the bundle of a run holds; `ours` is the recipe with the settings that were chosen."""
    recipe, origin = prepared.inputs.recipe, prepared.origin
    return BundleContent(
        name=scores["name"],
        classes=prepared.classes,
        schema=prepared.inputs.graphs.schema,
        model_settings=_model_settings(ours, results[shipped(recipe)]),
        weights=results[shipped(recipe)].weights,
        recipe_yaml=recipe.to_yaml(),
        recipe_sha256=key["recipe"],
        data_sha256=key["data"],
        scores=scores,
        examples=origin.examples(_example_rows(prepared)),
        policy=recipe.standardise if isinstance(origin, MoleculeSet) else None,
        seen=seen_codes(prepared.inputs.graphs),
        tasks=prepared.tasks,
        created=scores["created"],
        uncertainty=uncertainty,
    )


def _model_settings(recipe: Recipe, result: FoldResult) -> dict[str, Any]:
    """What a bundle is told of its model beside the arrays."""
    if recipe.model.name == AUTO:
        return {"name": AUTO, **json.loads(result.told)["shipped"]}
    return recipe.model.model_dump(mode="json")


def _example_rows(prepared: Prepared) -> np.ndarray[Any, np.dtype[np.int64]]:
    """What a bundle replays when it is opened: the first usable rows of each class.

    Of several tasks those of the first few: a row is replayed for all of them.
    Of a table also the first that standardisation changed, so that another policy is noticed.
    """
    targets = prepared.inputs.targets.reshape(len(prepared.usable), -1)
    firsts = [
        np.flatnonzero(of_task == k)[:EXAMPLES_PER_CLASS]
        for of_task in targets.T[:EXAMPLE_TASKS]
        for k in range(prepared.inputs.n_classes)
    ]
    rows = prepared.usable[np.unique(np.concatenate(firsts))]
    if isinstance(prepared.origin, MoleculeSet):
        steps = prepared.origin.rows.steps
        changed = [row for row in prepared.usable.tolist() if steps[row]]
        rows = np.union1d(rows, changed[:EXAMPLES_PER_CLASS]).astype(np.int64)
    return np.sort(rows)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
