"""What an examination has found, in words and with no more certainty than its intervals give.

From ``examination.json`` alone.
"""

from collections.abc import Mapping
from typing import Any

from kekule.evaluation.comparison import CONFIDENCE
from kekule.evaluation.metrics import METRICS

RANKS = "roc_auc"

Told = Mapping[str, Any]


def sentences(told: Told) -> list[str]:
    """One for each part that was examined, and one for each question that could not be asked."""
    metric = told["metric"]
    said = [_ladder(told.get("ladder") or (), metric), _curve(told, metric)]
    said += [_scrambled(told.get("scrambled"), metric), _ranked(told.get("scrambled"), metric)]
    for part, done in told["parts"].items():
        said += [f"Not asked: {part}, {what}: {why}" for what, why in done["left_out"].items()]
    return [sentence for sentence in said if sentence]


def score_in_words(score: Told) -> str:
    """Mean with its interval, where there is one."""
    if score["mean"] is None:
        return "undefined"
    if score["low"] is None:
        return f"{score['mean']:.3f}"
    return f"{score['mean']:.3f} ({score['low']:.3f} to {score['high']:.3f})"


def _ladder(rungs: Any, metric: str) -> str:
    if len(rungs) < 2:
        return ""
    steps = [f"{rung['split']} {score_in_words(rung['primary'])}" for rung in rungs]
    return f"Splits, {_named(metric)}: {', '.join(steps)}."


def _curve(told: Told, metric: str) -> str:
    stages = told.get("learning_curve") or ()
    if not stages:
        return ""
    rows = ", ".join(f"{each['rows']:,} rows {score_in_words(each['primary'])}" for each in stages)
    said = f"Training rows, {_named(metric)}: {rows}."
    gain = told["parts"]["curve"].get("gain")
    if gain is None or gain["low"] is None:
        return f"{said} Whether more rows would help cannot be told from noise."
    change = f"{gain['mean']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
    by_chance = gain["p"] is not None and gain["p"] >= 1 - CONFIDENCE
    if by_chance or gain["low"] <= 0 <= gain["high"]:
        return f"{said} The last step up changed it by {change}: no more than noise."
    better = (gain["mean"] > 0) is METRICS[metric].higher_is_better
    word = "more rows should help" if better else "more rows made it worse"
    return f"{said} The last step up changed it by {change}: {word}."


def _scrambled(found: Told | None, metric: str) -> str:
    if not found:
        return ""
    score, chance = score_in_words(found["primary"]), found["chance"]
    said = f"Labels dealt anew, {_named(metric)}: {score}"
    if found["holds_chance"] is None:
        beside = "" if chance is None else f"; chance gets {chance:.3f}"
        return f"{said}{beside}. There is no interval to hold it against."
    if found["holds_chance"]:
        return f"{said} holds {chance:.3f}, what chance gets: no sign of a leak."
    above = (found["primary"]["low"] > chance) is METRICS[metric].higher_is_better
    if above:
        return (
            f"{said} is better than {chance:.3f}, what chance gets: something was learnt where "
            "nothing can be. Look for a leak in the split."
        )
    return f"{said} is worse than {chance:.3f}, what chance gets, which is no leak."


def _ranked(found: Told | None, metric: str) -> str:
    """The area under the curve beside a primary score that may not move: it sees every rank."""
    if not found or metric == RANKS or found["metrics"][RANKS]["mean"] is None:
        return ""
    score = found["metrics"][RANKS]
    said = f"Labels dealt anew, {_named(RANKS)}: {score_in_words(score)}; chance gets 0.5"
    if score["low"] is not None and score["low"] > 0.5:
        return f"{said}, and this is better. Look for a leak in the split."
    return f"{said}."


def _named(metric: str) -> str:
    return metric.replace("_", " ")
