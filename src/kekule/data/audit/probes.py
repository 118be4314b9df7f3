"""Shortcut probes: how well a label is foretold by what is no chemistry.

A model takes the easiest way to a low loss. If the position in the file, the habits of
whoever wrote the SMILES, or the digits of a registry number give the label away, a good
score need mean nothing; and even a model that cannot see them is trained on classes that
were gathered in two different ways. Each probe is one small model that sees one such
thing, scored on rows it has not seen.

Symbols: N molecules, T tasks.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.auroc import FEWEST, METHOD, Auroc, foretold, mean_of
from kekule.data.audit.charges import SALT_COLUMNS
from kekule.data.audit.facts import STEREO_MARKS
from kekule.data.audit.findings import AMBER, GREEN, RED, Finding, finding
from kekule.data.audit.identifiers import identifiers
from kekule.data.audit.looked_at import LookedAt
from kekule.data.audit.style import HABITS
from kekule.data.chunked import Progress
from kekule.data.molecule_table import MISSING

MOST_PROBED = 50_000  # rows; of more, as many are drawn
MOST_CLASSES = 10  # of a task, the most frequent ones
NOTICED = 0.60  # lower end of the interval, from which on a probe is amber
STRONG, SURELY = 0.75, 0.65  # AUROC and lower end, from which on a probe is red
_SEED = 0
_RANK = {GREEN: 0, AMBER: 1, RED: 2}
Labels = NDArray[np.int64]


class Probe(NamedTuple):
    """One thing that is no chemistry, or is so only in part."""

    name: str
    features: NDArray[np.floating]  # (N, any)
    worst: str  # colour it may get at most
    advice: str
    note: str = ""


_ORDER = (
    "The rows are sorted by label, or joined from sources that differ in it. Find out how the "
    "table was made: actives and inactives of two sources differ in more than activity. Never "
    "split or batch this table in the order of its rows."
)
_STYLE = (
    "The classes were written by different hands, so they come from different sources. A model "
    "that reads the text as given learns the hand. Use a graph or fingerprint of the "
    "standardised structure, and find out whether the classes were ever measured alike."
)
_DIGITS = (
    "The numbers in the names tell the label: classes were registered at different times or "
    "places. Keep names out of the features, and split by time or series, not at random."
)
_SALT = (
    "Whether a compound is drawn as a salt or an ion, a choice of its source, tells the label. "
    "Strip counter-ions and neutralise (the policy 'parent' does), and judge the model by how "
    "far it gets beyond this number."
)
_LENGTH = (
    "Size alone goes with the label. That is chemistry, but the cheapest there is: a model that "
    "does not beat this number has learnt to weigh molecules."
)
_STEREO = (
    "How much stereo is written goes with the label. Chiral drugs are chemistry; stereo that "
    "only one source wrote down is not. Train once with stereo dropped and compare."
)


def probe_findings(seen: LookedAt, *, progress: Progress | None = None) -> list[Finding]:
    """One finding a probe, for the worst foretold task."""
    targets, labels = seen.targets, seen.labels
    if targets is None or labels is None:
        return []
    probes = probes_of(seen)
    tell = _telling(progress, len(probes) * len(targets.tasks))
    return [_judged(probe, labels, targets.tasks, tell) for probe in probes]


def probes_of(seen: LookedAt) -> list[Probe]:
    """Lay out what each probe sees of the molecules."""
    named = identifiers(seen.table)
    order = seen.usable.astype(np.float64)[:, None]
    also = f"; also as {', '.join(map(repr, named.counters))}" if named.counters else ""
    read = f"; of {', '.join(map(repr, named.names))}" if named.names else ""
    column = seen.facts.column
    return [
        Probe("row order", order, RED, _ORDER, also),
        Probe("writing style", _filled(column(*HABITS)), RED, _STYLE),
        Probe("identifier digits", named.numbers[seen.usable], RED, _DIGITS, read),
        Probe("salt and charge", column(*SALT_COLUMNS), RED, _SALT),
        Probe("stereo annotation", column(*STEREO_MARKS), AMBER, _STEREO),
        Probe("length", column("length")[:, None], AMBER, _LENGTH),
    ]


def foretold_labels(features: NDArray[np.floating], labels: Labels) -> Auroc | None:
    """AUROC of one task; of several classes the mean of each against the rest.

    Classes are taken in the order they occur, so that their names play no part. None if
    fewer than two classes have `FEWEST` rows, or there is nothing to see.
    """
    known = np.flatnonzero(labels != MISSING)
    if len(known) > MOST_PROBED:
        drawn = np.random.default_rng(_SEED).choice(len(known), MOST_PROBED, replace=False)
        known = known[np.sort(drawn)]
    seen, labels = features[known], labels[known]
    classes = _enough(labels)
    if len(classes) < 2 or not seen.size:
        return None
    if len(classes) == len(np.unique(labels)) == 2:
        classes = classes[1:]
    return mean_of([foretold(seen, labels == each, seed=_SEED) for each in classes])


def _enough(labels: Labels) -> list[int]:
    """Classes with rows enough, and enough rows of others, in the order they occur."""
    classes, first, counts = np.unique(labels, return_index=True, return_counts=True)
    many = (counts >= FEWEST) & (len(labels) - counts >= FEWEST)
    kept = np.flatnonzero(many)
    kept = kept[np.lexsort([first[kept], -counts[kept]])][:MOST_CLASSES]
    return [int(classes[k]) for k in sorted(kept, key=lambda k: first[k])]


def _judged(
    probe: Probe, codes: Labels, tasks: tuple[str, ...], tell: Callable[[], None]
) -> Finding:
    found: dict[str, Auroc] = {}
    for task, labels in zip(tasks, codes.T, strict=True):
        auroc = foretold_labels(probe.features, labels)
        tell()
        if auroc is not None:
            found[task] = auroc
    name = f"shortcut: {probe.name}"
    if not found:
        why = f"fewer than {FEWEST} rows of a class" if probe.features.size else "no such column"
        return finding(name, GREEN, f"not probed: {why}", "")
    colours = {task: _colour(auroc, probe.worst) for task, auroc in found.items()}
    task = max(found, key=lambda task: (_RANK[colours[task]], found[task].low))
    odd = sum(colour != GREEN for colour in colours.values())
    of_task = f" for {task}; {odd} of {len(found)} tasks foretold" if len(found) > 1 else ""
    return finding(
        name,
        colours[task],
        f"AUROC {_written(found[task])}{of_task}{probe.note}",
        "" if colours[task] == GREEN else probe.advice,
        table=[
            {"task": each, "AUROC": _written(auroc), "verdict": colours[each]}
            for each, auroc in found.items()
        ],
        figure=_figure(found),
    )


def _written(auroc: Auroc) -> str:
    return f"{auroc.value:.2f} ({auroc.low:.2f} to {auroc.high:.2f})"


def _colour(auroc: Auroc, worst: str) -> str:
    if worst == RED and auroc.value >= STRONG and auroc.low >= SURELY:
        return RED
    return AMBER if auroc.low >= NOTICED else GREEN


def _figure(found: dict[str, Auroc]) -> dict[str, Any]:
    points = [
        {"name": task, **{key: round(number, 4) for key, number in auroc._asdict().items()}}
        for task, auroc in found.items()
    ]
    return {"kind": "intervals", "unit": "AUROC", "chance": 0.5, "points": points, "how": METHOD}


def _filled(habits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give a molecule with no occasion for a habit the habit of one that had.

    A gap of its own would tell that there was none, which is chemistry: no aromatic ring.
    """
    filled = habits.copy()
    rng = np.random.default_rng(_SEED)
    for column in filled.T:
        gaps = np.isnan(column)
        shown = column[~gaps]
        column[gaps] = rng.choice(shown, int(gaps.sum())) if len(shown) else 0.0
    return filled


def _telling(progress: Progress | None, total: int) -> Callable[[], None]:
    """Count up, telling each time."""
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress("probing for shortcuts", done, total)

    return tell
