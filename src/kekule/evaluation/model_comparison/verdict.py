"""What a comparison of models comes to, in numbers and in words.

The model with the best mean is set against every other. Those it is not separated from are
the best group. A winner is named only where it stands there alone, its lead is surely more
than the smallest that matters, and the corrected t test separates it from all, too:
significance alone is not worth a change of model, and folds that share rows overstate it.

References
----------
Ash et al. 2025, J. Chem. Inf. Model. 65:9398, on practical significance.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from kekule.evaluation.model_comparison.assumptions import (
    LARGEST_VARIANCE_RATIO,
    Assumptions,
    assumptions,
)
from kekule.evaluation.model_comparison.parametric import Anova, anova, corrected_pairs, tukey
from kekule.evaluation.model_comparison.ranks import RankTest, friedman, median_pairs
from kekule.evaluation.model_comparison.table import ComparisonError, FoldTable, Pair

Method = Literal["corrected t", "parametric", "ranks"]
INTERVALS: dict[Method, str] = {
    "corrected t": "corrected resampled t interval of the mean difference (Nadeau & Bengio 2003)",
    "parametric": "simultaneous interval of the mean difference (Tukey)",
    "ranks": "simultaneous interval of the median difference (sign test, Bonferroni)",
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """All that was found, and who won.

    Attributes
    ----------
    table
        What was compared.
    alpha, smallest_difference
        Chance of a false alarm, and the least lead that matters, in units of the metric.
    assumptions
        Which chose between means and ranks.
    method
        Whose p values and intervals `pairs` holds; of two models always ``corrected t``.
    anova
        None where there is no error to judge by.
    ranks
        Friedman's test and mean ranks.
    pairs, corrected
        All pairs by `method`, and by the corrected t test, each in the order of the table.
    best_group
        Models not separated from the best mean, best mean first.
    winner
        The only one of the best group, if its lead is also sure to matter and `confirmed`.
    confirmed
        Whether the corrected t test, too, separates from all the model that `method` finds
        ahead of all; None where `method` finds none, or its lead may not matter.
    words
        The verdict.
    """

    table: FoldTable
    alpha: float
    smallest_difference: float
    assumptions: Assumptions
    method: Method
    anova: Anova | None
    ranks: RankTest
    pairs: tuple[Pair, ...]
    corrected: tuple[Pair, ...]
    best_group: tuple[str, ...]
    winner: str | None
    confirmed: bool | None
    words: str

    @property
    def leads(self) -> tuple[Pair, ...]:
        """Pairs of the best mean by `method`, turned so that more is a lead; nearest first."""
        return tuple(_leads(self.pairs, self.best_group[0], self.table.higher_is_better))

    @property
    def corrected_leads(self) -> tuple[Pair, ...]:
        """The same by the corrected t test."""
        return tuple(_leads(self.corrected, self.best_group[0], self.table.higher_is_better))

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON of finite numbers; what is undefined is null."""
        t = self.table
        checked = asdict(self.assumptions) | {
            "sphericity": self.assumptions.sphericity._asdict(),
            "variance_ratio_allowed": LARGEST_VARIANCE_RATIO,
            "reasons": list(self.assumptions.reasons),
        }
        return {
            "metric": t.metric,
            "higher_is_better": t.higher_is_better,
            "n_folds": t.n_folds,
            "repeats": t.repeats,
            "models": [
                {"name": n, "mean": m, "std": s, "mean_rank": r, "folds": f}
                for n, m, s, r, f in zip(
                    t.models,
                    t.means.tolist(),
                    t.scores.std(1, ddof=1).tolist(),
                    self.ranks.mean_ranks,
                    t.scores.tolist(),
                    strict=True,
                )
            ],
            "alpha": self.alpha,
            "smallest_difference": self.smallest_difference,
            "assumptions": checked,
            "method": self.method,
            "interval": f"{100 * (1 - self.alpha):.4g} % {INTERVALS[self.method]}",
            "anova": self.anova and self.anova._asdict(),
            "friedman": {"statistic": self.ranks.statistic, "p": self.ranks.p},
            "critical_difference": self.ranks.critical_difference,
            "cliques": [list(clique) for clique in self.ranks.cliques],
            "pairs": [pair._asdict() for pair in self.pairs],
            "corrected_pairs": [pair._asdict() for pair in self.corrected],
            "leads": [pair._asdict() for pair in self.leads],
            "corrected_leads": [pair._asdict() for pair in self.corrected_leads],
            "best_group": list(self.best_group),
            "winner": self.winner,
            "confirmed": self.confirmed,
            "verdict": self.words,
        }


def compare_models(
    table: FoldTable, *, smallest_difference: float = 0.0, alpha: float = 0.05
) -> Comparison:
    """Compare models over folds and say which is best, if any is.

    Two models are judged by the corrected t test. More by Tukey's test where its assumptions
    hold, else by Friedman's and Conover's. These take folds for independent and find
    differences too readily, so that a winner is named only where the corrected test agrees.

    Parameters
    ----------
    table
        Scores on the same folds; 5 folds of 5 repeats are a good measure.
    smallest_difference
        Least lead that would matter in use, in units of the metric, ≥ 0.
    alpha
        Chance of any false alarm, between 0 and 1.

    Raises
    ------
    ComparisonError
        If `smallest_difference` or `alpha` is out of its range.
    """
    if not 0 < alpha < 1:
        raise ComparisonError("alpha", f"{alpha} is no chance between 0 and 1", "Give 0.05.")
    if not 0 <= smallest_difference < np.inf:
        why = f"{smallest_difference} is no difference that can matter"
        raise ComparisonError("smallest_difference", why, "Give a finite number, 0 or more.")
    checked, ranks = assumptions(table, alpha=alpha), friedman(table, alpha=alpha)
    corrected = corrected_pairs(table, alpha=alpha)
    method: Method = checked.decision if len(table.models) > 2 else "corrected t"
    pairs = _pairs_by(method, table, corrected, alpha)
    best = _best(table, ranks)
    leads = _leads(pairs, best, table.higher_is_better)
    ahead = _separated(method, leads, table, ranks, alpha)
    clear = all(lead.low is not None and lead.low > smallest_difference for lead in leads)
    leader = best if clear and len(ahead) == len(leads) else None
    confirmed = None if leader is None else not _not_separated(corrected, leader, alpha)
    found = Comparison(
        table=table,
        alpha=alpha,
        smallest_difference=smallest_difference,
        assumptions=checked,
        method=method,
        anova=anova(table) if table.residuals.any() else None,
        ranks=ranks,
        pairs=pairs,
        corrected=corrected,
        best_group=(best, *(lead.other for lead in leads if lead.other not in ahead)),
        winner=leader if confirmed else None,
        confirmed=confirmed,
        words="",
    )
    return replace(found, words=_words(found, leads))


def _pairs_by(
    method: Method, table: FoldTable, corrected: tuple[Pair, ...], alpha: float
) -> tuple[Pair, ...]:
    if method == "corrected t":
        return corrected
    return (tukey if method == "parametric" else median_pairs)(table, alpha=alpha)


def _best(table: FoldTable, ranks: RankTest) -> str:
    """Model with the best mean; of equals the better ranked, then the first by name."""
    good = table.means if table.higher_is_better else -table.means
    return min(zip(-good, ranks.mean_ranks, table.models, strict=True))[2]


def _leads(pairs: tuple[Pair, ...], best: str, higher_is_better: bool) -> list[Pair]:
    """Pairs of the best model turned so that `one` is it and more is better; nearest first."""
    found = [
        pair if (pair.one == best) == higher_is_better else _mirrored(pair)
        for pair in pairs
        if best in (pair.one, pair.other)
    ]
    named = [
        pair._replace(one=best, other=pair.other if pair.one == best else pair.one)
        for pair in found
    ]
    return sorted(named, key=lambda lead: (lead.mean, lead.other))


def _mirrored(pair: Pair) -> Pair:
    low, high = (None if end is None else -end for end in (pair.high, pair.low))
    return pair._replace(mean=-pair.mean, low=low, high=high)


def _separated(
    method: Method, leads: list[Pair], table: FoldTable, ranks: RankTest, alpha: float
) -> set[str]:
    """Models that the best is ahead of by more than noise, by its ranks too if those judge."""
    found = {lead.other for lead in leads if lead.p < alpha}
    if method != "ranks":
        return found
    if ranks.p >= alpha:
        return set()
    rank = dict(zip(table.models, ranks.mean_ranks, strict=True))
    return {other for other in found if rank[leads[0].one] < rank[other]}


def _words(comparison: Comparison, leads: list[Pair]) -> str:
    """The verdict on a comparison, of which `words` is not looked at."""
    c, t = comparison, comparison.table
    best = c.best_group[0]
    mean = float(t.means[t.models.index(best)])
    opening = (
        f"Of {len(t.models)} models on {t.scores.shape[1]} folds {best} has the best mean "
        f"{t.metric}, {mean:.3f}. {_judge(c)}"
    )
    if len(c.best_group) > 1:
        others = ", ".join(c.best_group[1:])
        said = f"It is not separated from {others}: within noise, so no winner is named."
    else:
        said = _alone(c, leads)
    return f"{opening} {said}"


def _judge(c: Comparison) -> str:
    if c.method == "corrected t":
        return "The corrected t test judges."
    if c.method == "parametric":
        return "The folds are as an ANOVA assumes, so Tukey's test judges."
    return f"Ranks judge (Friedman, then Conover), because {'; '.join(c.assumptions.reasons)}."


def _alone(c: Comparison, leads: list[Pair]) -> str:
    """Words where the best is ahead of all others by more than noise."""
    opening = "It is ahead of every other by more than noise"
    least = min(leads, key=lambda lead: -np.inf if lead.low is None else lead.low)
    if least.low is None or least.high is None:
        return f"{opening}, but so few folds give no interval of its lead: no winner is named."
    lead = f"its lead over {least.other} is {least.low:+.3f} to {least.high:+.3f}"
    matters = f"{c.smallest_difference:g}" if c.smallest_difference else "nothing"
    if c.confirmed is None:
        return f"{opening}, but {lead}, perhaps no more than {matters}: no winner is named."
    return f"{opening}; {lead}, surely more than {matters}. {_confirmation(c)}"


def _confirmation(c: Comparison) -> str:
    """What the corrected test, which knows that folds share rows, makes of a leader."""
    leader = c.best_group[0]
    if c.method == "corrected t":
        return f"{leader} wins."
    if c.confirmed:
        allows = "The corrected t test, which allows for shared training rows, agrees."
        return f"{leader} wins. {allows}"
    judge = "Tukey's test separates" if c.method == "parametric" else "Ranks separate"
    return (
        f"{judge} them, the corrected t test, which allows for shared training rows, does not "
        f"(from {', '.join(_not_separated(c.corrected, leader, c.alpha))}): no winner is named."
    )


def _not_separated(pairs: tuple[Pair, ...], model: str, alpha: float) -> list[str]:
    return [
        pair.other if pair.one == model else pair.one
        for pair in pairs
        if model in (pair.one, pair.other) and pair.p >= alpha
    ]
