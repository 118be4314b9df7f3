"""What the molecules of a table are: stereo left open, pieces, metals, charges, sizes."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.facts import PROPERTIES
from kekule.data.audit.findings import AMBER, GREEN, Finding, counted, finding, share
from kekule.data.audit.looked_at import LookedAt

_MANY_UNDEFINED = 0.2
_FENCE = 3.0  # quartile distances beyond the quartiles: Tukey's "far out"
_BINS = 24
_UNDEFINED = (
    "An undefined centre stands for a racemate, for an unknown isomer, or for nobody having drawn "
    "it; the label then belongs to a mixture. Do not read stereo features where most of it is "
    "missing: set standardise.stereo=drop, or resolve the isomers in the source."
)
_MIXTURES = (
    "Two organic molecules share a row, and only one of them can have made the label. The larger "
    "is kept; check that it is the one tested."
)
_METALS = (
    "Bonds to metals are drawn in many ways, and fingerprints and networks have seen few. Expect "
    "poor answers there, and check that the metal is part of the compound and no leftover."
)


def chemistry_findings(seen: LookedAt) -> list[Finding]:
    """Findings on what was drawn, and on sizes and properties of the standardised molecules."""
    return [
        _stereo(seen),
        *_pieces(seen),
        _metals(seen),
        _charges(seen),
        *(_range(seen, name) for name in PROPERTIES),
    ]


def _stereo(seen: LookedAt) -> Finding:
    centres = seen.facts.column("undefined stereocentres")
    bonds = seen.facts.column("undefined double bonds")
    possible = int(seen.facts.column("possible stereocentres").sum())
    open_ = centres > 0
    n, n_bonds = int(open_.sum()), int((bonds > 0).sum())
    value = (
        f"{counted(n, 'molecule')} ({share(n, len(seen))}); "
        f"{share(int(centres.sum()), possible)} of all centres"
    )
    if n_bonds:
        value += f"; double bonds in {counted(n_bonds, 'molecule')}"
    amber = n >= _MANY_UNDEFINED * len(seen) and n > 0
    return finding(
        "undefined stereocentres",
        AMBER if amber else GREEN,
        value if n or n_bonds else "none",
        _UNDEFINED if amber else "",
        rows=seen.usable[open_],
    )


def _pieces(seen: LookedAt) -> list[Finding]:
    several = seen.facts.column("pieces") > 1
    mixed = seen.facts.column("mixture") > 0
    salts = several & ~mixed
    return [
        finding("salts and solvates", GREEN, _of(salts, seen), "", rows=seen.usable[salts]),
        finding(
            "mixtures",
            AMBER if mixed.any() else GREEN,
            _of(mixed, seen),
            _MIXTURES if mixed.any() else "",
            rows=seen.usable[mixed],
        ),
    ]


def _metals(seen: LookedAt) -> Finding:
    found = np.array([bool(metals) for metals in seen.facts.metals], dtype=bool)
    counts = Counter(metal for metals in seen.facts.metals for metal in metals.split())
    value = _of(found, seen)
    if counts:
        value += ": " + ", ".join(f"{metal} {n}" for metal, n in counts.most_common(12))
    return finding(
        "metals",
        AMBER if found.any() else GREEN,
        value,
        _METALS if found.any() else "",
        rows=seen.usable[found],
        table=[{"metal": metal, "rows": n} for metal, n in counts.most_common()],
    )


def _charges(seen: LookedAt) -> Finding:
    """Charges a proton made, as drawn; what standardisation does about them is told there."""
    net = seen.facts.column("net charge")
    value = (
        f"{int((net > 0).sum()):,} positive, {int((net < 0).sum()):,} negative of {len(seen):,}"
    )
    charged = net != 0
    return finding(
        "drawn protonated or deprotonated",
        GREEN,
        value if charged.any() else "none",
        "",
        rows=seen.usable[charged],
    )


def _range(seen: LookedAt, name: str) -> Finding:
    values = seen.facts.column(name)
    if not len(values):
        return finding(f"range of {name}", GREEN, "no molecules", "")
    low, q1, median, q3, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    reach = _FENCE * (q3 - q1)
    least, most = max(q1 - reach, low), min(q3 + reach, high)
    far = (values < least) | (values > most)
    n = int(far.sum())
    value = f"{low:.4g} to {high:.4g}, median {median:.4g}"
    if n:
        value += f"; {counted(n, 'outlier')}"
    advice = (
        f"Molecules far outside the rest ({least:.3g} to {most:.3g}): peptides, dyes, "
        "polymers or fragments. A model learns little about so few; leave them out or mistrust it "
        "there."
    )
    return finding(
        f"range of {name}",
        AMBER if n else GREEN,
        value,
        advice if n else "",
        rows=seen.usable[far],
        figure=_histogram(values, name),
    )


def _histogram(values: NDArray[np.float32], name: str) -> dict[str, Any]:
    """Counts between the 0.5 and 99.5 percentile; what is beyond falls into the end bins."""
    low, high = np.quantile(values, [0.005, 0.995])
    clipped = np.clip(values, low, high)
    counts, edges = np.histogram(clipped, bins=_BINS)
    return {
        "kind": "histogram",
        "unit": name,
        "edges": [float(f"{edge:.5g}") for edge in edges],
        "counts": counts.tolist(),
    }


def _of(found: NDArray[np.bool_], seen: LookedAt) -> str:
    n = int(found.sum())
    return f"{counted(n, 'row')} ({share(n, len(seen))})" if n else "none"
