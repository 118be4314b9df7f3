"""Two runs as a report reads them: MUTAG with made-up answers, and a set of no molecules."""

from importlib.resources import files

import numpy as np
import pytest
from extra_views import extras
from rdkit import Chem, rdBase

from kekule.evaluation import METRICS
from kekule.visualization.run_view import FoldCurve, Layer, ParameterHistory, RunView, Score

ELEMENTS = ("C", "N", "O", "F", "I", "Cl", "Br")
ORDERS = (
    Chem.BondType.AROMATIC,
    Chem.BondType.SINGLE,
    Chem.BondType.DOUBLE,
    Chem.BondType.TRIPLE,
)
AUDIT = [
    {"name": "duplicates", "verdict": "green", "value": "0 rows", "advice": ""},
    {
        "name": "class balance",
        "verdict": "amber",
        "value": "66% in one class",
        "advice": "Read balanced accuracy beside accuracy.",
    },
    {
        "name": "size tells the class",
        "verdict": "red",
        "value": "AUC 0.86 from size alone",
        "advice": "Compare with structure-free.",
    },
]


@pytest.fixture(scope="session")
def mutag() -> RunView:
    """MUTAG's own graphs and molecules under made-up probabilities, curves and weights."""
    rng = np.random.default_rng(3)
    graphs, truth = read_mutag()
    molecules = tuple(build_molecule(*graph) for graph in graphs)
    smiles = tuple("" if mol is None else Chem.MolToSmiles(mol) for mol in molecules)
    counts = {
        name: np.bincount(truth, [np.sum(g[0] == code) for g in graphs], 2).astype(int)
        for code, name in enumerate(ELEMENTS)
    }
    return made_up_view(
        rng,
        truth,
        name="mutag-gin",
        dataset="MUTAG",
        classes=("-1", "1"),
        positive="1",
        verdict=(
            "gin gives 88.1% of unseen rows their class (95% interval 83.0% to 93.2%). It is "
            "ahead of the best baseline, WL-SVM (86.8%), by 1.3 points (interval of the "
            "difference -2.1 to +4.7, p = 0.42): within noise, so nothing here separates the "
            "two, and the baseline is the simpler."
        ),
        n_nodes=np.array([len(g[0]) for g in graphs]),
        n_edges=np.array([g[1].shape[1] for g in graphs]),
        label_counts=counts,
        molecules=molecules,
        graphs=lambda i: (both_ways(graphs[i][1]), graphs[i][0], ELEMENTS),
        smiles=smiles,
    )


@pytest.fixture(scope="session")
def enzymes() -> RunView:
    """Six classes, no molecules, one huge graph, a fold without class 3, undefined scores."""
    rng = np.random.default_rng(5)
    truth = np.repeat(np.arange(6), 30)
    rng.shuffle(truth)
    sizes = np.clip(rng.gamma(6, 6, len(truth)).astype(int) + 3, 4, 140)
    fold = np.arange(len(truth)) % 10
    fold[(fold == 0) & (truth == 3)] = 1
    wrong = int(np.flatnonzero(truth == 5)[0])
    sizes[wrong] = 220
    rings = [ring_with_chords(np.random.default_rng(i), n) for i, n in enumerate(sizes)]
    view = made_up_view(
        rng,
        truth,
        fold=fold,
        name="enzymes-gcn",
        dataset="ENZYMES",
        model="gcn",
        classes=("EC 1", "EC 2", "EC 3", "EC 4", "EC 5", "EC 6"),
        positive=None,
        verdict=(
            "gcn gives 44.0% of unseen rows their class (95% interval 40.1% to 47.9%). The "
            "baseline WL-SVM (52.0%) beats it by 8.0 points (interval of the difference -12.0 "
            "to -4.0, p = 0.001): more than noise. On these data use the baseline."
        ),
        n_nodes=sizes,
        n_edges=np.array([e.shape[1] // 2 for e, _ in rings]),
        label_counts={n: rng.integers(100, 900, 6) for n in ("helix", "sheet", "turn")},
        molecules=(None,) * len(truth),
        graphs=lambda i: (*rings[i], ("helix", "sheet", "turn")),
        smiles=("",) * len(truth),
    )
    undefined = Score(float("nan"), float("nan"), float("nan"), float("nan"), (float("nan"),) * 10)
    view.probabilities[wrong] = np.eye(6)[0]
    view.scores["pr_auc"] = undefined
    view.baselines["majority"]["mcc"] = undefined
    return view


def made_up_view(rng, truth, **given) -> RunView:
    """Fill every field that `given` leaves open with something a real run could hold."""
    n, n_classes = len(truth), len(given["classes"])
    logits = rng.normal(0, 1.2, (n, n_classes)) + 2.4 * np.eye(n_classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    curves = tuple(made_up_curve(rng, s, f) for s in range(3) for f in range(10))
    accuracy = float(np.mean(probabilities.argmax(axis=1) == truth))
    spread = rng.normal(0, 0.1, (n, 16)) + np.eye(n_classes, 16)[truth]
    sizes = {
        "atom.weight": 448,
        "conv.0.nn.0.weight": 4096,
        "conv.0.nn.0.bias": 64,
        "conv.1.nn.0.weight": 4096,
        "head.weight": 64 * n_classes,
        "head.bias": n_classes,
    }
    filled = {
        "model": "gin",
        "created": "2026-11-23 10:15",
        "n_rejected": 2,
        "rows": np.arange(n) + 2 * (np.arange(n) >= 5),  # rows 5 and 6 were rejected
        "truth": truth,
        "fold": rng.permutation(n) % 10,
        "probabilities": probabilities,
        "scores": {m: made_up_score(rng, accuracy) for m in METRICS},
        "baselines": {
            name: {m: made_up_score(rng, level) for m in METRICS}
            for name, level in (("majority", 0.6), ("structure-free", 0.8), ("WL-SVM", 0.84))
        },
        "curves": (*curves, made_up_curve(rng, 0, -1)),
        "layers": (
            Layer("atom", "Embedding", "7 by 64", 448),
            Layer("conv.0", "GINEConv", "64 → 64", 8384),
            Layer("conv.1", "GINEConv", "64 → 64", 8384),
            Layer("head", "Linear", f"64 → {n_classes}", 65 * n_classes),
        ),
        "weights": {k: rng.normal(0, 0.1, v).astype(np.float32) for k, v in sizes.items()},
        "embedding": spread.astype(np.float32),
        "recipe": "data:\n  name: MUTAG\nmodel:\n  name: gin\n  width: 64\nseed: 0\n",
        "environment": {"python": "3.11.9", "torch": "2.13.0", "rdkit": "2026.3.6"},
        "hashes": {"data": "a3" * 32, "recipe": "5e" * 32, "bundle": "0c" * 32},
        "audit": AUDIT,
        "history": made_up_history(rng, tuple(sizes)),
        "seed_spread": {
            m: tuple(accuracy + rng.normal(0, 0.006, 3)) for m in ("accuracy", "roc_auc")
        },
    }
    rest = extras(given["classes"], filled["rows"], graphs=given["positive"] is None)
    return RunView(**{**rest, **filled, **given})


def made_up_curve(rng, seed, fold) -> FoldCurve:
    epochs = int(rng.integers(60, 140))
    steps = np.arange(epochs)
    train = 0.15 + 0.55 * np.exp(-steps / 25) + rng.normal(0, 0.01, epochs)
    validation = 0.35 + 0.35 * np.exp(-steps / 18) + 0.0012 * steps + rng.normal(0, 0.025, epochs)
    rate = 2e-3 * (1 + np.cos(np.pi * steps / 150)) / 2
    return FoldCurve(seed, fold, train, validation, int(validation.argmin()), rate)


def made_up_history(rng, names) -> ParameterHistory:
    """Ninety epochs in which gradients fade, the last array's being zero."""
    steps = np.arange(90)[:, None]
    values = np.exp(rng.normal(-2, 1, len(names)) + 0.01 * steps)
    gradients = np.exp(rng.normal(-5, 1, (90, len(names))) - 0.02 * steps)
    gradients[:, -1] = 0
    return ParameterHistory(names, values, gradients)


def made_up_score(rng, level) -> Score:
    folds = np.clip(rng.normal(level, 0.06, 10), 0, 1)
    half = 2.26 * folds.std(ddof=1) / np.sqrt(10)
    mean = float(folds.mean())
    return Score(mean, float(folds.std(ddof=1)), mean - half, mean + half, tuple(folds.tolist()))


def read_mutag():
    """Graphs as (labels (V,), edges (2, B) each once, bond codes (B,)) and classes 0, 1."""
    folder = files("kekule.data") / "mutag"

    def column(name):
        return np.array(
            (folder / f"MUTAG_{name}.txt").read_text().replace(",", " ").split(), dtype=int
        )

    edges, bonds = column("A").reshape(-1, 2).T - 1, column("edge_labels")
    owner, labels = column("graph_indicator") - 1, column("node_labels")
    first = np.searchsorted(owner, np.arange(owner[-1] + 1))
    graphs = []
    for g, start in enumerate(first):
        here = (owner[edges[0]] == g) & (edges[0] < edges[1])
        graphs.append((labels[owner == g], edges[:, here] - start, bonds[here]))
    return graphs, (column("graph_labels") + 1) // 2


def build_molecule(labels, edges, bonds):
    """Build the molecule a MUTAG graph stands for, nitro groups charge-separated; else None."""
    mol = Chem.RWMol()
    for label in labels.tolist():
        mol.AddAtom(Chem.Atom(ELEMENTS[label]))
    for (u, v), bond in zip(edges.T.tolist(), bonds.tolist(), strict=True):
        mol.AddBond(u, v, ORDERS[bond])
        if ORDERS[bond] == Chem.BondType.AROMATIC:
            mol.GetBondBetweenAtoms(u, v).SetIsAromatic(True)
            mol.GetAtomWithIdx(u).SetIsAromatic(True)
            mol.GetAtomWithIdx(v).SetIsAromatic(True)
    separate_nitro(mol)
    with rdBase.BlockLogs():
        failed = Chem.SanitizeMol(mol, catchErrors=True)
    return None if failed else mol.GetMol()


def separate_nitro(mol):
    """Charge N(=O)-O as [N+](=O)[O-]: the files hold the oxygen without its hydrogen or charge."""
    for atom in mol.GetAtoms():
        ends = [b.GetOtherAtom(atom) for b in atom.GetBonds() if b.GetBondType() == ORDERS[1]]
        bare = [o for o in ends if o.GetSymbol() == "O" and o.GetDegree() == 1]
        double = any(b.GetBondType() == ORDERS[2] for b in atom.GetBonds())
        if atom.GetSymbol() == "N" and double and len(bare) == 1:
            bare[0].SetFormalCharge(-1)
            atom.SetFormalCharge(1)


def both_ways(edges):
    return np.concatenate([edges, edges[::-1]], axis=1)


def ring_with_chords(rng, n):
    """A ring of `n` nodes with a few chords: (edge_index (2, E), codes (n,))."""
    ring = np.stack([np.arange(n), (np.arange(n) + 1) % n])
    chords = rng.integers(0, n, (2, n // 4))
    edges = np.concatenate([ring, chords[:, chords[0] != chords[1]]], axis=1)
    return both_ways(edges), rng.integers(0, 3, n)
