"""Structural alerts of a table: how often, which, and whether they go with a class.

References
----------
PAINS: Baell and Holloway 2010, J. Med. Chem. 53:2719-2740. BRENK: Brenk et al. 2008,
ChemMedChem 3:435-444. The patterns are those of RDKit's FilterCatalog.
"""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.alert_patterns import CATALOGUES, alert_names
from kekule.data.audit.findings import AMBER, GREEN, MOST_ROWS, Finding, counted, finding, share
from kekule.data.audit.looked_at import LookedAt
from kekule.data.molecule_table import MISSING

_MANY_PAINS = 0.05  # share of the molecules, from which on it is amber
_ADVICE = (
    "Such substructures light up many assays without binding (redox, aggregation, fluorescence). "
    "If they go with the active class, the model may learn assay interference: see the rates of "
    "the classes."
)


def alert_findings(seen: LookedAt) -> list[Finding]:
    """One finding a catalogue, with the rate in every class.

    BRENK's alerts are of what one would not screen: half of all drugs have some, so they are
    counted and not coloured.
    """
    names = alert_names()
    return [_of_catalogue(catalogue, names, seen) for catalogue in CATALOGUES]


def _of_catalogue(catalogue: str, names: list[tuple[str, str]], seen: LookedAt) -> Finding:
    hits = [
        [names[k][1] for k in found if names[k][0] == catalogue] for found in seen.facts.alerts
    ]
    hit = np.array([bool(each) for each in hits], dtype=bool)
    n = int(hit.sum())
    value = f"{counted(n, 'row')} ({share(n, len(seen))})"
    rates = _rates(hit, seen)
    if rates and len({point["task"] for point in rates}) == 1:
        value += "; " + ", ".join(f"{_percent(point)} of {point['class']}" for point in rates)
    amber = catalogue == "PAINS" and n > 0 and n >= _MANY_PAINS * len(seen)
    counts = Counter(name for each in hits for name in dict.fromkeys(each))
    return finding(
        f"structural alerts, {catalogue}",
        AMBER if amber else GREEN,
        value if n else "none",
        _ADVICE if amber else "",
        rows=seen.usable[hit],
        table=[{"alert": name, "rows": count} for name, count in counts.most_common(MOST_ROWS)],
        figure={"kind": "bars", "unit": "share with an alert", "points": rates} if rates else None,
    )


def _percent(point: dict[str, Any]) -> str:
    return f"{100 * point['value']:.0f} %"


def _rates(hit: NDArray[np.bool_], seen: LookedAt) -> list[dict[str, Any]]:
    """Share of the molecules of each class that have an alert."""
    targets, labels = seen.targets, seen.labels
    if targets is None or labels is None:
        return []
    rates = []
    for task, name in enumerate(targets.tasks):
        for code in np.unique(labels[:, task]).tolist():
            if code == MISSING:
                continue
            of_class = targets.classes[task][code]
            label = of_class if len(targets.tasks) == 1 else f"{name}: {of_class}"
            value = round(float(hit[labels[:, task] == code].mean()), 4)
            rates.append({"name": label, "task": name, "class": of_class, "value": value})
    return rates
