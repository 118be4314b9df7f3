"""Labels that may be wrong: nearly equal molecules in different classes.

Some such pairs are activity cliffs, where one atom makes the drug, and the most
interesting rows of a table; some are typing mistakes. Which, a chemist must say.
"""

import numpy as np
from numpy.typing import NDArray

from kekule.data.audit.findings import AMBER, GREEN, MOST_ROWS, Finding, counted, finding, share
from kekule.data.audit.looked_at import LookedAt
from kekule.data.audit.neighbours import MOST_COMPARED, NearPairs, near_pairs
from kekule.data.chunked import Progress
from kekule.data.molecule_table import MISSING
from kekule.data.smiles import shorten

CLIFF = 0.9  # Tanimoto similarity of ECFP4, from which on two molecules differ by an atom or two
_NOTICED = 0.01  # share of the labelled molecules in such a pair, from which on it is amber
_ADVICE = (
    "Nearly equal molecules with opposite labels: activity cliffs or wrong labels. Check the "
    "nearest pairs against the source. Where they are right, a smooth model must fail on one of "
    "the two, so expect errors there."
)


def noise_findings(seen: LookedAt, *, progress: Progress | None = None) -> list[Finding]:
    """One finding on pairs of near neighbours with opposite labels, all tasks together."""
    targets, labels = seen.targets, seen.labels
    if targets is None or labels is None:
        return []
    budget = MOST_COMPARED // max(len(targets.tasks), 1)
    found: list[NearPairs] = []
    for task, codes in enumerate(labels.T):
        found.append(_pairs_of(seen, codes, budget))
        if progress is not None:
            progress("comparing neighbours", task + 1, len(targets.tasks))
    touched = np.unique([row for pairs in found for row in (*pairs.first, *pairs.second)])
    labelled = int((labels != MISSING).any(axis=1).sum())
    amber = len(touched) > 0 and len(touched) >= _NOTICED * labelled
    return [
        finding(
            "near neighbours with opposite labels",
            AMBER if amber else GREEN,
            _value(found, len(touched), labelled),
            _ADVICE if amber else "",
            rows=seen.usable[touched.astype(np.int64)],
            table=_lines(seen, found),
        )
    ]


def _pairs_of(seen: LookedAt, codes: NDArray[np.int64], budget: int) -> NearPairs:
    """Pairs of one task, in positions among the molecules looked at."""
    known = np.flatnonzero(codes != MISSING)
    pairs = near_pairs(
        seen.facts.fingerprints[known],
        codes[known],
        seen.flat[known],
        least=CLIFF,
        most_compared=budget,
    )
    return pairs._replace(first=known[pairs.first], second=known[pairs.second])


def _value(found: list[NearPairs], n_touched: int, labelled: int) -> str:
    n_pairs = sum(pairs.n_pairs for pairs in found)
    if not n_pairs:
        value = f"none of Tanimoto similarity {CLIFF} or more"
    else:
        most = "at least " if any(len(pairs.first) < pairs.n_pairs for pairs in found) else ""
        value = (
            f"{counted(n_pairs, 'pair')} of Tanimoto similarity {CLIFF} or more, in {most}"
            f"{counted(n_touched, 'row')} ({share(n_touched, labelled)} of the labelled)"
        )
    part = min((pairs.sampled for pairs in found), default=1.0)
    return value if part == 1 else f"{value}; of a sample of {share(round(part * 1000), 1000)}"


def _lines(seen: LookedAt, found: list[NearPairs]) -> list[dict[str, object]]:
    """The nearest pairs of all tasks, each with both labels."""
    every = sorted(
        (-float(similarity), int(first), int(second), task)
        for task, pairs in enumerate(found)
        for first, second, similarity in list(
            zip(pairs.first, pairs.second, pairs.similarity, strict=True)
        )[:MOST_ROWS]
    )
    return [
        {
            "row": int(seen.usable[first]),
            "neighbour": int(seen.usable[second]),
            "similarity": round(-negative, 3),
            "label": seen.label_text(first, [task]),
            "its label": seen.label_text(second, [task]),
            "smiles": shorten(seen.smiles[first], 200),
            "smiles of neighbour": shorten(seen.smiles[second], 200),
        }
        for negative, first, second, task in every[:MOST_ROWS]
    ]
