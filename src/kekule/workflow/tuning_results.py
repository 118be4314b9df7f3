"""What a tuning leaves: its trials as a table, its best recipe, and the numbers of the page.

Everything is made from the journal, so that a page of a tuning that was stopped half-way is
right as far as it goes. Must not know pictures.
"""

import json
import statistics
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from kekule import __version__
from kekule.evaluation import FoldInputs, Recipe
from kekule.evaluation.comparison import DIGITS
from kekule.evaluation.metrics import METRICS
from kekule.evaluation.nested import recipe_at
from kekule.evaluation.summaries import summary_of
from kekule.evaluation.tuning_space import space_json
from kekule.workflow.csv_file import write_csv
from kekule.workflow.prepare import Prepared
from kekule.workflow.tuning_store import KILLED, OWN, Record, TrialStore
from kekule.workflow.tuning_trials import Search, Work

TABLE, BEST, TOLD, PAGE = "trials.csv", "best.yaml", "tuning.json", "tuning.html"
OUTER = "outer scores"  # what a study keeps of them
STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}
FEWEST_FOR_IMPORTANCE = 8  # completed trials; of fewer a forest explains what it wants

Told = dict[str, Any]


def told_of_tuning(work: Work, store: TrialStore, prepared: Prepared, recipe: Recipe) -> Told:
    """All that is known of a tuning, as it is written to ``tuning.json``."""
    main = work.searches[0]
    trials = {s.plan.name: trials_of(store.trials(s.plan.name)) for s in work.searches}
    metric = METRICS[work.metric]
    best = best_of(trials[main.plan.name], higher=metric.higher_is_better)
    told: Told = {
        "dataset": prepared.origin.name,
        "data_hash": prepared.origin.sha256,
        "recipe_hash": recipe.sha256,
        "version": __version__,
        "network": recipe.model.name,
        "seed": recipe.seed,
        "metric": work.metric,
        "higher_is_better": metric.higher_is_better,
        "n_trials": work.n_trials,
        "finished": all(_ended(of_study) >= work.n_trials for of_study in trials.values()),
        "rows": rows_said(work),
        "n_folds": len(main.folds),
        "space": space_json(work.space),
        "counts": dict(Counter(trial["state"] for trial in trials[main.plan.name])),
        "seconds": round(sum(t["seconds"] or 0 for own in trials.values() for t in own), 1),
        "best": best,
        "own": next((t for t in trials[main.plan.name] if t["own"] and _complete(t)), None),
        "trials": trials[main.plan.name],
        "nested": _nested(work, store, trials),
    }
    told |= _importance(store, main, trials[main.plan.name])
    return told | {"warning": warning_of(told, work)}


def trials_of(records: list[Record]) -> list[Told]:
    """Trials as plain values, by number; what is not known is None."""
    return [_trial(record) for record in records]


def best_of(trials: list[Told], *, higher: bool) -> Told | None:
    """The completed trial with the best value, the first of equals; None where there is none."""
    complete = [trial for trial in trials if _complete(trial)]
    sign = -1 if higher else 1
    return min(complete, key=lambda trial: sign * round(trial["value"], DIGITS), default=None)


def rows_said(work: Work) -> str:
    """Say on which rows trials are scored, and which are left alone."""
    main, recipe = work.searches[0], work.inputs.recipe
    n_folds, n_rows = len(main.folds), len(work.inputs.targets)
    if main.outer is not None:
        left = len({row for fold in main.folds for row in fold.scored.tolist()})
        return (
            f"{n_folds} folds of the {left:,} training rows; the {n_rows - left:,} others, "
            "which hold the recipe's test rows, are not used"
        )
    if work.inputs.n_folds > 1:
        return f"the {n_folds} folds of seed {recipe.seed} of the recipe's own protocol"
    return f"the {n_folds} test sets of the recipe's own protocol, one a seed"


def warning_of(told: Told, work: Work) -> str:
    """Say how far the best value can be believed."""
    scored = sum(trial["state"] in ("complete", "pruned") for trial in told["trials"])
    ours = f"The best of {scored} trials on the rows that chose it: it flatters. "
    if told["nested"] is not None:
        return ours + "The outer test rows, which no trial met, give the estimate."
    if work.searches[0].outer is not None:
        return ours + "The test rows were not touched: train the best recipe for an estimate."
    return (
        ours + "So do this recipe's scores on the same folds; for an estimate tune with --nested, "
        "or test on rows that were not among these."
    )


def trials_table(work: Work, store: TrialStore) -> pd.DataFrame:
    """Table of all trials, one line each."""
    lines = []
    for search in work.searches:
        for trial in trials_of(store.trials(search.plan.name)):
            plain = {key: trial[key] for key in ("number", "state", "value", "std")}
            more = {"folds": len(trial["folds"]), "seconds": trial["seconds"]}
            line = {"study": search.plan.name} | plain | more | {"reason": trial["reason"]}
            lines.append(line | {key: trial["parameters"].get(key) for key in work.space})
    columns = ["study", "number", "state", "value", "std", "folds", "seconds", "reason"]
    return pd.DataFrame(lines, columns=[*columns, *work.space])


def write_results(work: Work, store: TrialStore, told: Told, recipe: Recipe) -> None:
    """Write table, best recipe, numbers and page into the folder, each whole or not at all."""
    from kekule.visualization.page import write_whole
    from kekule.visualization.tuning_page import write_tuning_page

    folder = work.folder
    write_csv(trials_table(work, store), folder / TABLE)
    if told["best"] is not None:
        best = recipe_at(recipe, told["best"]["parameters"])
        write_whole(folder / BEST, best.to_yaml().encode())
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(folder / TOLD, text.encode("utf-8", "replace"))
    write_tuning_page(told, folder / PAGE)


def read_told(folder: Path) -> Told:
    """What `write_results` wrote."""
    return dict(json.loads((folder / TOLD).read_text(encoding="utf-8")))


def _trial(record: Record) -> Told:
    known = record.user_attrs
    folds = list(known.get("folds", ()))
    state = "killed" if known.get("reason") == KILLED else STATES[record.state.name]
    return {
        "number": record.number,
        "state": state,
        "own": known.get("origin") == OWN,
        "value": statistics.fmean(folds) if folds else None,
        "std": statistics.stdev(folds) if len(folds) > 1 else None,
        "folds": folds,
        "seconds": _rounded(known.get("seconds")),
        "reason": known.get("reason", ""),
        "parameters": dict(known.get("tried", {})),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _complete(trial: Told) -> bool:
    return bool(trial["state"] == "complete")


def _ended(trials: list[Told]) -> int:
    return sum(trial["state"] in ("complete", "pruned", "failed") for trial in trials)


def _importance(store: TrialStore, main: Search, trials: list[Told]) -> Told:
    values = [trial["value"] for trial in trials if _complete(trial)]
    if len(values) < FEWEST_FOR_IMPORTANCE:
        why = f"{len(values)} completed trials are too few; {FEWEST_FOR_IMPORTANCE} are needed"
        return {"importance": None, "importance_note": why}
    if max(values) == min(values):
        return {"importance": None, "importance_note": "all trials have the same value"}
    return {"importance": store.importance(main.plan.name), "importance_note": ""}


def _nested(work: Work, store: TrialStore, trials: dict[str, list[Told]]) -> Told | None:
    """Estimate from the outer test rows: what each study chose, and how that did outside."""
    higher = METRICS[work.metric].higher_is_better
    outer, folds = [], []
    for search in work.searches:
        noted = store.noted(search.plan.name, OUTER)
        chosen = best_of(trials[search.plan.name], higher=higher)
        if noted is None or chosen is None or noted["trial"] != chosen["number"]:
            continue
        outer.append(noted["scores"])
        folds.append(
            {
                "study": search.plan.name,
                "seed": search.outer.seed if search.outer else None,
                "fold": search.outer.fold + 1 if search.outer else None,
                "trial": noted["trial"],
                "parameters": chosen["parameters"],
                "inner": chosen["value"],
                "outer": noted["scores"][work.metric],
            }
        )
    if not folds:
        return None
    inner = statistics.fmean(fold["inner"] for fold in folds)
    metrics = _outer_metrics(outer, work.inputs)
    estimate, sign = metrics[work.metric]["mean"], 1 if higher else -1
    return {
        "folds": folds,
        "inner_mean": inner,
        "flattery": None if estimate is None else sign * (inner - estimate),
        "metrics": metrics,
    }


def _outer_metrics(scores: list[dict[str, float | None]], inputs: FoldInputs) -> Told:
    told = {}
    for name, metric in METRICS.items():
        folds = [of_fold[name] for of_fold in scores]
        found = summary_of(tuple(folds), inputs.resampling, (metric.low, metric.high))
        told[name] = asdict(found) | {"folds": folds}
    return told
