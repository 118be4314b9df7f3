"""The tables and plain words of the page, as values a template only has to place.

Symbols: R rows, C classes. Must not know HTML.
"""

import re
from dataclasses import dataclass

import numpy as np

from kekule.visualization.folds import UNDEFINED, model_scores, shown_metrics
from kekule.visualization.palette import EARLY, LOWER_IS_BETTER
from kekule.visualization.run_view import RunView, Score, predicted_class, wrong_rows

# The words of kekule.evaluation, which this part may not import; a test holds them together.
INTERVAL = "95 % corrected resampled t interval over folds (Nadeau & Bengio 2003)"
MOST_ROWS = 3000  # beyond, the page lists wrong rows only


@dataclass(frozen=True)
class ScoreRow:
    """One model of the table of scores; `best` holds the metrics to highlight."""

    name: str
    is_model: bool
    scores: dict[str, Score]
    best: frozenset[str]


@dataclass(frozen=True)
class Headline:
    """One key number with its rival: the best baseline by the same metric, if any."""

    metric: str
    score: Score
    rival: str
    rival_score: Score


@dataclass(frozen=True)
class ClassFacts:
    """One class of the data; medians and ranges are NaN and 0 for a class without rows."""

    name: str
    n_rows: int
    median_nodes: float
    nodes: tuple[int, int]
    median_edges: float


@dataclass(frozen=True)
class RowLine:
    """One line of the table of rows; `probability` is NaN where there is no prediction."""

    row: int
    truth: str
    predicted: str
    probability: float
    fold: int
    n_nodes: int
    smiles: str
    wrong: bool


def winner(view: RunView) -> str | None:
    """Return the model the verdict declares the winner, or None.

    The verdict is the judge, not the numbers. A name wins where the verdict says that it
    "wins", "beats" or "is better"; "it beats" speaks of the run's model. A verdict that
    speaks of noise otherwise than "more than noise" takes all that back. Any other
    wording highlights nothing, which errs on the modest side.
    """
    words = view.verdict.casefold()
    decided = "noise" not in re.sub(r"(?<!not )(?<!no )more than (the )?noise", "", words)
    if not decided or "distinguishable" in words:
        return None
    if re.search(r"\bit (wins|beats|is better)\b", words):
        return view.model
    for name in sorted((view.model, *view.baselines), key=len, reverse=True):
        if re.search(
            rf"(?<!\w){re.escape(name.casefold())}( \([^)]*\))? (wins|beats|is better)\b", words
        ):
            return name
    return None


def score_rows(view: RunView) -> list[ScoreRow]:
    """List the model, then its baselines, all with the same metrics, undefined where missing."""
    declared = winner(view)
    rows: list[ScoreRow] = []
    for name, given in {view.model: view.scores, **view.baselines}.items():
        scores = {metric: given.get(metric, UNDEFINED) for metric in view.scores}
        best = {m for m in scores if name == declared and _best_model(view, m) == name}
        rows.append(ScoreRow(name, not rows, scores, frozenset(best)))
    return rows


def score_tables(view: RunView) -> list[list[str]]:
    """Metrics of each table of scores: all but those of the top of a ranking, then those."""
    early = [metric for metric in view.scores if metric in EARLY]
    return [[m for m in view.scores if m not in EARLY], *([early] if early else [])]


def headlines(view: RunView) -> list[Headline]:
    """Three key numbers, each beside the baseline that comes nearest or wins."""
    found = []
    for metric in shown_metrics(view, 3):
        rival = _best_model(view, metric, among=tuple(view.baselines)) or ""
        rival_score = view.baselines[rival][metric] if rival else UNDEFINED
        found.append(Headline(metric, view.scores[metric], rival, rival_score))
    return found


def class_facts(view: RunView) -> list[ClassFacts]:
    """How many rows each class has, and how large they are."""
    found = []
    for index, name in enumerate(view.classes):
        nodes, edges = view.n_nodes[view.truth == index], view.n_edges[view.truth == index]
        if len(nodes):
            middles = float(np.median(nodes)), float(np.median(edges))
            ends = int(nodes.min()), int(nodes.max())
        else:
            middles, ends = (float("nan"), float("nan")), (0, 0)
        found.append(ClassFacts(name, len(nodes), middles[0], ends, middles[1]))
    return found


def row_lines(view: RunView) -> list[RowLine]:
    """Every row in the order of the source; only the wrong ones beyond `MOST_ROWS`."""
    predicted = predicted_class(view)
    wrong = set(wrong_rows(view).tolist())
    shown = range(len(view.rows)) if len(view.rows) <= MOST_ROWS else sorted(wrong)
    return [_row_line(view, i, int(predicted[i]), i in wrong) for i in shown]


def _row_line(view: RunView, i: int, predicted: int, wrong: bool) -> RowLine:
    """Build one line; the probability is the positive class's, or else the predicted one's."""
    column = len(view.classes) - 1 if view.positive is not None else predicted
    return RowLine(
        row=int(view.rows[i]),
        truth=view.classes[view.truth[i]],
        predicted=view.classes[predicted] if predicted >= 0 else "",
        probability=float(view.probabilities[i, column]) if predicted >= 0 else float("nan"),
        fold=int(view.fold[i]),
        n_nodes=int(view.n_nodes[i]),
        smiles=view.smiles[i],
        wrong=wrong,
    )


def _best_model(view: RunView, metric: str, among: tuple[str, ...] | None = None) -> str | None:
    """Name the model with the best defined mean; None if it is defined for none."""
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    means = {
        name: sign * score.mean
        for name, score in model_scores(view, metric).items()
        if np.isfinite(score.mean) and (among is None or name in among)
    }
    return max(means, key=lambda name: means[name]) if means else None
