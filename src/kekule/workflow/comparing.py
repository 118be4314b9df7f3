"""Compare: from finished runs to a verdict on their models, a page and a JSON file.

Reads ``scores.json`` of each run and nothing else: no data, no bundle. The statistics are
those of `kekule.evaluation.model_comparison`.
"""

from collections.abc import Collection, Mapping, Sequence
from json import dumps, loads
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from kekule._errors import OutputError
from kekule.evaluation.model_comparison import (
    Comparison,
    ComparisonError,
    compare_models,
    fold_table,
)
from kekule.workflow.csv_file import check_writable
from kekule.workflow.disk import name_as_text
from kekule.workflow.run_folder import FILES, SOMETIMES

Scores = Mapping[str, Any]  # a scores.json, read


def compare(
    runs: str | Path | Sequence[str | Path],
    *,
    metric: str | None = None,
    baselines: bool = True,
    without: Collection[str] = (),
    smallest_difference: float = 0.0,
    alpha: float = 0.05,
    json: str | Path | None = None,
    html: str | Path | None = None,
) -> Comparison:
    """Say which model of several runs is best, if any is, by more than noise.

    The runs must be of the same rows in the same folds. One run alone compares its network
    with its baselines. Not for a single test set, which shows nothing of its luck, and not to
    choose among many recipes: the best of many draws is flattered by its score.

    Parameters
    ----------
    runs
        Run folders of `kekule.train`; a model is called as its folder. Their order changes
        nothing.
    metric
        Score to compare by; the one the runs' own verdicts speak of if None.
    baselines
        Whether the runs' baselines take part.
    without
        Models to leave out, by their names; that of a baseline leaves it out of every run.
    smallest_difference
        Least lead that would matter in use, in units of the metric.
    alpha
        Chance of any false alarm.
    json, html
        Also write the comparison there, as JSON and as a page that needs nothing else.

    Returns
    -------
    Comparison
        Means, ranks, tests and intervals of all pairs, ``winner`` and the verdict in ``words``.

    Raises
    ------
    ComparisonError
        If the runs cannot be compared with each other by `metric`.
    OutputError
        If a folder is no complete run, or a file cannot be written.

    References
    ----------
    Ash et al. 2025, J. Chem. Inf. Model. 65:9398.
    """
    folders = [Path(run) for run in ([runs] if isinstance(runs, str | Path) else runs)]
    _check_outputs(folders, [Path(out) for out in (json, html) if out is not None])
    named = dict(sorted(zip(run_names(folders), map(_read_scores, folders), strict=True)))
    kept, others = _left_out(named, without)
    table = fold_table(kept, metric or _primary(kept), baselines=baselines, without=others)
    found = compare_models(table, smallest_difference=smallest_difference, alpha=alpha)
    if json is not None or html is not None:
        _write(found.to_json() | {"compared": _compared(named)}, json, html)
    return found


def run_names(folders: Sequence[Path]) -> tuple[str, ...]:
    """Name of each run: that of its folder, with as many above it as tell it from the others.

    Raises
    ------
    ComparisonError
        If a folder is given twice.
    """
    real = [folder.resolve() for folder in folders]
    if twice := [folder for folder, at in zip(folders, real, strict=True) if real.count(at) > 1]:
        raise ComparisonError(name_as_text(twice[0]), "the run is given twice", "Give it once.")
    paths = [folder.absolute().parts for folder in map(_straight, folders)]
    return tuple(name_as_text(_tail(path, paths)) for path in paths)


def _straight(folder: Path) -> Path:
    """The folder by a path whose last part is its name; links keep theirs."""
    return folder if folder.name not in ("", "..") else folder.resolve()


def _tail(path: tuple[str, ...], paths: list[tuple[str, ...]]) -> str:
    lengths = range(1, len(path) + 1)
    alone = (n for n in lengths if sum(other[-n:] == path[-n:] for other in paths) == 1)
    return "/".join(path[-next(alone, len(path)) :])


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _Summary(_Part):
    folds: list[float | None]


class _Protocol(_Part):
    folds: int
    seeds_used: list[int]
    description: str


class _Scores(_Part):
    """What a comparison looks at of ``scores.json``."""

    dataset: str
    data_hash: str
    recipe_hash: str
    created: str
    n_rows: int
    n_rejected: int
    primary: str
    model: dict[str, Any]
    protocol: _Protocol
    metrics: dict[str, _Summary]
    baselines: dict[str, dict[str, _Summary]]


def _read_scores(run: Path) -> Scores:
    path = run / "scores.json"
    try:
        content = path.read_bytes()
        _Scores.model_validate_json(content)
        scores: Scores = loads(content)
    except OSError as error:
        why = f"it is no complete run: scores.json cannot be read ({error.strerror})"
        raise OutputError(name_as_text(run), why, "Give a folder of `kekule train`.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        why = f"it is no complete run: {where} of scores.json: {first['msg']}"
        raise OutputError(name_as_text(run), why, "Train it again.") from None
    return scores


def _left_out(
    runs: Mapping[str, Scores], without: Collection[str]
) -> tuple[dict[str, Scores], set[str]]:
    """Runs without the baselines named by their own names, and the names that are left."""
    known = {name for scores in runs.values() for name in scores["baselines"]} - set(runs)
    gone = known.intersection(without)
    kept: dict[str, Scores] = {
        name: {
            **scores,
            "baselines": {b: s for b, s in scores["baselines"].items() if b not in gone},
        }
        for name, scores in runs.items()
    }
    return kept, set(without) - gone


def _primary(runs: Mapping[str, Scores]) -> str:
    """The score that all runs were judged by."""
    of = {str(scores["primary"]): name for name, scores in runs.items()}
    if len(of) > 1:
        one, other = sorted(of)[:2]
        why = f"{of[one]} is judged by {one} and {of[other]} by {other}"
        raise ComparisonError("metric", why, "Give the metric to compare by.")
    return next(iter(of), "accuracy")


def _compared(runs: Mapping[str, Scores]) -> dict[str, Any]:
    """Which rows, folds and runs a comparison is of; the first run speaks for what all share."""
    first = next(iter(runs.values()))
    protocol = first["protocol"]
    return {
        "dataset": ", ".join(sorted({str(scores["dataset"]) for scores in runs.values()})),
        "data_hash": first["data_hash"],
        "n_rows": first["n_rows"],
        "n_rejected": first["n_rejected"],
        "folds": str(protocol["description"]).rpartition("; ")[0] or protocol["description"],
        "split": protocol.get("split"),
        "seeds": protocol["seeds_used"],
        "runs": [
            {
                "name": name,
                "model": scores["model"].get("name"),
                "created": scores["created"],
                "recipe_hash": scores["recipe_hash"],
            }
            for name, scores in runs.items()
        ],
    }


def _check_outputs(runs: list[Path], outs: list[Path]) -> None:
    """Refuse, before the work, places that cannot be written to, and files of the runs."""
    taken = {
        (run / name).resolve(): "it is part of a run" for run in runs for name in FILES + SOMETIMES
    }
    for out in outs:
        for place in (out.resolve(), *out.resolve().parents):
            if place in taken:
                raise OutputError(out, taken[place], "Give another name.")
        check_writable(out)
        taken[out.resolve()] = "two files would have this name"


def _write(told: dict[str, Any], json: str | Path | None, html: str | Path | None) -> None:
    from kekule.visualization.page import write_whole

    if json is not None:
        text = dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_whole(Path(json), text.encode("utf-8", "replace"))
    if html is not None:
        from kekule.visualization.comparison_page import write_comparison_page

        write_comparison_page(told, Path(html))
