"""Colours, marks and words every figure shares.

Classes are told apart by colour and, where lines or points meet, by dash or mark as
well, so the pictures survive colour blindness and a grey printer. The six colours keep
a contrast of 3:1 on white and stay apart under simulated protanopia, deuteranopia and
tritanopia (the unit test computes both); text is never written in them.

Knows nothing but text.
"""

import math
import unicodedata

INK = "#16202A"  # text; 16:1 on white
MUTED = "#56616C"  # secondary text; 6:1 on white
FAINT = "#8A949E"  # lines that only support; 3:1 on white
RULE = "#DDE2E7"
PAPER = "#FFFFFF"
MODEL = "#0B4F6C"  # the model of the run, beside grey baselines

CLASS_COLOURS = ("#0A5EA8", "#C8500A", "#2AA18A", "#853232", "#B044DD", "#0F3F5C")
NODE_COLOURS = ("#56616C", "#2AA18A", "#853232", "#B044DD", "#C8500A", "#0A5EA8")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
METRIC_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "mcc": "MCC",
    "f1": "F1",
    "log_loss": "Log loss",
    "brier": "Brier",
    "ece": "ECE",
    "recall_at_precision_0.8": "Recall at precision 0.8",
    "tnr_at_npv_0.8": "TNR at NPV 0.8",
    "bedroc": "BEDROC",
    "enrichment_1pct": "Enrichment in 1 %",
    "enrichment_5pct": "Enrichment in 5 %",
}
EARLY = (  # of the top of a ranking: a table of their own
    *("recall_at_precision_0.8", "tnr_at_npv_0.8"),
    *("bedroc", "enrichment_1pct", "enrichment_5pct"),
)
OF_A_CUT = {  # of answers by a threshold; no metric of a run
    "precision": "Precision",
    "recall": "Recall",
    "specificity": "Specificity",
    "npv": "NPV",
}
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "ece"})


def class_colour(index: int) -> str:
    """Return the colour of class `index`; colours repeat after six, marks and dashes do not."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def class_mark(index: int) -> str:
    """Return the point mark of class `index`; with the colour, 42 classes differ."""
    return MARKS[index % len(MARKS)]


def class_dash(index: int) -> str | tuple[float, tuple[float, ...]]:
    """Return the dash of class `index`: one a round of colours, so 24 lines differ."""
    return DASHES[(index // len(CLASS_COLOURS)) % len(DASHES)]


def node_colour(code: int) -> str:
    """Return the colour of a node label in a drawn graph: grey first, apart from two classes."""
    return NODE_COLOURS[code % len(NODE_COLOURS)]


def luminance(colour: str) -> float:
    """Relative luminance of ``#RRGGBB``, from 0 (black) to 1 (white), as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21; text wants 4.5, marks 3."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ink_on(ground: str) -> str:
    """Dark or white text, whichever reads better on `ground`."""
    return INK if contrast(INK, ground) >= contrast(PAPER, ground) else PAPER


def metric_name(metric: str) -> str:
    """Return the metric as a reader says it."""
    return METRIC_NAMES.get(metric) or OF_A_CUT.get(metric, metric)


def plain(text: str, limit: int = 24) -> str:
    """Text safe to draw: no control characters (an SVG file may hold none), at most `limit` long.

    What is too long loses its middle: names of one set often differ in their last letters.
    """
    shown = "".join(UNPRINTABLE if unicodedata.category(c)[0] == "C" else c for c in text)
    if len(shown) <= limit:
        return shown
    tail = (limit - 1) // 2
    return shown[: limit - 1 - tail] + "\N{HORIZONTAL ELLIPSIS}" + shown[len(shown) - tail :]


def number(value: float, digits: int = 3) -> str:
    """Format a number with a fixed count of decimals; NaN is said to be undefined."""
    return (
        "undefined" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    )
