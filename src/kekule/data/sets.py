"""What is known of the sets of the TU Dortmund collection without reading them.

Counts and columns are those the collection states for itself (Morris et al. 2020,
https://arxiv.org/abs/2007.08663, and the list beside its archive); the sums are of files
as they were in 2026. Sets to regress on and sets that change in time are left out.
"""

from dataclasses import dataclass, field
from pathlib import Path

from kekule.data.graphs import MoleculeAlphabet

RAW = Path("data/raw")  # where a fetched set is put, unless another place is named


@dataclass(frozen=True)
class SetEntry:
    """What is known of a set before it is read.

    Attributes
    ----------
    name
        As the collection spells it.
    kind
        ``molecules``, ``bioinformatics``, ``vision``, ``social`` or ``synthetic``.
    n_graphs, n_classes
        Counts.
    node_labels, edge_labels, node_attributes, edge_attributes
        Whether the set has them.
    alphabet
        What its labels stand for, where its files may come without a readme.
    graphs_sha256
        ``sha256`` of the set as `kekule.data.read_tu` gives it, where known.
    files
        sha256 of each file by name, where known.
    """

    name: str
    kind: str
    n_graphs: int
    n_classes: int
    node_labels: bool
    edge_labels: bool
    node_attributes: bool
    edge_attributes: bool
    alphabet: MoleculeAlphabet | None = None
    graphs_sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)


# name, graphs, classes; then which of node labels (n), edge labels (e), node attributes
# (a), edge attributes (b) there are, or - for none.
_TABLE = {
    "molecules": """
AIDS 2000 2 nea
BZR 405 2 na
BZR_MD 306 2 neb
COX2 467 2 na
COX2_MD 303 2 neb
DHFR 467 2 na
DHFR_MD 393 2 neb
ER_MD 446 2 neb
FRANKENSTEIN 4337 2 a
MCF-7 27770 2 ne
MCF-7H 27770 2 ne
MOLT-4 39765 2 ne
MOLT-4H 39765 2 ne
MUTAG 188 2 ne
Mutagenicity 4337 2 ne
NCI1 4110 2 n
NCI109 4127 2 n
NCI-H23 40353 2 ne
NCI-H23H 40353 2 ne
OVCAR-8 40516 2 ne
OVCAR-8H 40516 2 ne
P388 41472 2 ne
P388H 41472 2 ne
PC-3 27509 2 ne
PC-3H 27509 2 ne
PTC_FM 349 2 ne
PTC_FR 351 2 ne
PTC_MM 336 2 ne
PTC_MR 344 2 ne
SF-295 40271 2 ne
SF-295H 40271 2 ne
SN12C 40004 2 ne
SN12CH 40004 2 ne
SW-620 40532 2 ne
SW-620H 40532 2 ne
Tox21_AhR_training 8169 2 ne
Tox21_AhR_testing 272 2 ne
Tox21_AhR_evaluation 607 2 ne
Tox21_AR_training 9362 2 ne
Tox21_AR_testing 292 2 ne
Tox21_AR_evaluation 585 2 ne
Tox21_AR-LBD_training 8599 2 ne
Tox21_AR-LBD_testing 253 2 ne
Tox21_AR-LBD_evaluation 580 2 ne
Tox21_ARE_training 7167 2 ne
Tox21_ARE_testing 234 2 ne
Tox21_ARE_evaluation 552 2 ne
Tox21_aromatase_training 7226 2 ne
Tox21_aromatase_testing 214 2 ne
Tox21_aromatase_evaluation 528 2 ne
Tox21_ATAD5_training 9091 2 ne
Tox21_ATAD5_testing 272 2 ne
Tox21_ATAD5_evaluation 619 2 ne
Tox21_ER_training 7697 2 ne
Tox21_ER_testing 265 2 ne
Tox21_ER_evaluation 515 2 ne
Tox21_ER-LBD_training 8753 2 ne
Tox21_ER-LBD_testing 287 2 ne
Tox21_ER-LBD_evaluation 599 2 ne
Tox21_HSE_training 8150 2 ne
Tox21_HSE_testing 267 2 ne
Tox21_HSE_evaluation 607 2 ne
Tox21_MMP_training 7320 2 ne
Tox21_MMP_testing 238 2 ne
Tox21_MMP_evaluation 541 2 ne
Tox21_p53_training 8634 2 ne
Tox21_p53_testing 269 2 ne
Tox21_p53_evaluation 613 2 ne
Tox21_PPAR-gamma_training 8184 2 ne
Tox21_PPAR-gamma_testing 267 2 ne
Tox21_PPAR-gamma_evaluation 602 2 ne
UACC257 39988 2 ne
UACC257H 39988 2 ne
Yeast 79601 2 ne
YeastH 79601 2 ne
""",
    "bioinformatics": """
DD 1178 2 n
ENZYMES 600 6 na
KKI 83 2 n
OHSU 79 2 n
Peking_1 85 2 n
PROTEINS 1113 2 na
PROTEINS_full 1113 2 na
""",
    "vision": """
COIL-DEL 3900 100 ea
COIL-RAG 3900 100 ab
Cuneiform 267 30 neab
FIRSTMM_DB 41 11 nab
Fingerprint 2800 4 ab
Letter-high 2250 15 a
Letter-low 2250 15 a
Letter-med 2250 15 a
MSRC_9 221 8 n
MSRC_21 563 20 n
MSRC_21C 209 20 n
""",
    "social": """
COLLAB 5000 3 -
DBLP_v1 19456 2 ne
deezer_ego_nets 9629 2 -
github_stargazers 12725 2 -
IMDB-BINARY 1000 2 -
IMDB-MULTI 1500 3 -
REDDIT-BINARY 2000 2 -
REDDIT-MULTI-5K 4999 5 -
REDDIT-MULTI-12K 11929 11 -
reddit_threads 203088 2 -
TWITTER-Real-Graph-Partial 144033 2 nb
twitch_egos 127094 2 -
""",
    "synthetic": """
COLORS-3 10500 11 a
SYNTHETIC 300 2 a
SYNTHETICnew 300 2 a
Synthie 400 4 a
TRIANGLES 45000 10 -
""",
}

_FILE_SUMS: dict[str, dict[str, str]] = {  # of the file NAME_key.txt
    "MUTAG": {
        "A": "d9656ca7493f3445d737c711710bb36fd432dddd1c0ea32e1d4713c86ebd28e2",
        "edge_labels": "4669ce755075ff86c3240709345745886400908fa637a49310459b9c267b3e56",
        "graph_indicator": "7d520a4d6c7961c0cdeabe076d8fe27e795b6d373485c9a2b744987e560a2056",
        "graph_labels": "a1518ea39ba3426bd42f57396b9c4baffe68e9adc718caeeab0119c6591a5f2c",
        "node_labels": "678f429965490e84dd27713017538c995fc05d1621beac910848b600015ee863",
    },
    "PTC_MR": {
        "A": "f79523ff94dfbef539e5602a8ac1931a50a2800f33fa1d30e5e31725289b5202",
        "edge_labels": "acee2f93b52175a329009dc837bea9db7c2a121c2ef0b1587b38bbe6fc9b8177",
        "graph_indicator": "d52754f3cbc54e29324f884b4c17200c16e06db0c499afae300b4fa1bb6d794b",
        "graph_labels": "64210accbe4c6c027535b1294e0da652b1f539667f7a2d4bf5121dcd8b00a224",
        "node_labels": "cc50d1e1c5f4c98b2100cf50c5ddd88ff28b419a9180d531046b75ce22983235",
    },
    "NCI1": {
        "A": "2c028eda59a5fe96e2265a63d9ac236901bd9a7dc658498be13cd704a703076d",
        "graph_indicator": "ffe5acfa754b057d5ce0dc725c5aadb631628161886cc040d38c719635257dc5",
        "graph_labels": "fae44681e70113f496256ae87eaac33b7836e3a97fe8e023933b84fde6a5c8a2",
        "node_labels": "dc0a22b6cbff0c939de00373e823977ba32b358f560e4288d7602f7b51407ee2",
    },
    "PROTEINS": {
        "A": "4c4b33e272fc95cac6d27ed6d5d12b9a852c8610e91fff59f8f0dbdd5a20df67",
        "graph_indicator": "8d4ff1e852a5c28561e9bffb44cf9490bc552b13a3b6156dd12dc7f44e9afc4a",
        "graph_labels": "c0ef9810c440775252872318d0c8adc385588e14bc4c47a2c34aa96ee3c7cdcd",
        "node_attributes": "54eef829abb37e458a5fbf3a3c581e48e5810e220463c2cd951856b9ceb08f07",
        "node_labels": "f758e8ad3d6e3c026b50833d75f6f90735b94eb3345e4243707f495ca8afea8d",
    },
    "ENZYMES": {
        "A": "5553c84f8f562f3e199dfd27192174f485e85c44c1357661098668937a739cbf",
        "graph_indicator": "95ba0fa47eba6f02e6b754a215dc66d5b49de3f45f57a128514301a8d7ed5f46",
        "graph_labels": "04743e08967e61e65cdacbb90f8df6ee53742b3d2e7b84675b85ebac70506856",
        "node_attributes": "305a8fc3b12f79fb844ef3374d6a3c8ceeb4887dd4f86bbfe37932c4c5434e7b",
        "node_labels": "8263eb9b64efa231a5886343483ccfc0342f2407014763a8f738fd51c32ce770",
    },
}

_MUTAG = MoleculeAlphabet(
    {0: "C", 1: "N", 2: "O", 3: "F", 4: "I", 5: "Cl", 6: "Br"},
    {0: "aromatic", 1: "single", 2: "double", 3: "triple"},
)
_PTC_ELEMENTS = "In P O N Na C Cl S Br F K Cu Zn I Ba Sn Pb Ca"
_PTC_MR = MoleculeAlphabet(
    dict(enumerate(_PTC_ELEMENTS.split())),
    {0: "triple", 1: "double", 2: "single", 3: "aromatic"},
)
_ALPHABETS = {  # believed only of these very files
    "MUTAG": (_MUTAG, "7fcf50b40d207546b8e8146544d1e3e368dde178e9a6069d25bafb2639ccf3f6"),
    "PTC_MR": (_PTC_MR, "6f37032432ba5dea8faa947b1227b7ae81744a1f5f420af833c9fb7800055290"),
}


def _entry(line: str, kind: str) -> SetEntry:
    name, n_graphs, n_classes, columns = line.split()
    alphabet, graphs_sha256 = _ALPHABETS.get(name, (None, ""))
    sums = _FILE_SUMS.get(name, {})
    return SetEntry(
        name,
        kind,
        int(n_graphs),
        int(n_classes),
        node_labels="n" in columns,
        edge_labels="e" in columns,
        node_attributes="a" in columns,
        edge_attributes="b" in columns,
        alphabet=alphabet,
        graphs_sha256=graphs_sha256,
        files={f"{name}_{role}.txt": digest for role, digest in sums.items()},
    )


_ENTRIES = [
    _entry(line, kind) for kind, text in _TABLE.items() for line in text.split("\n") if line
]
SETS: dict[str, SetEntry] = {entry.name: entry for entry in _ENTRIES}
