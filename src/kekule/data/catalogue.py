"""The graph sets kekule knows by name, and where to find one on this machine.

The table states facts of the TU Dortmund collection (Morris et al. 2020,
https://arxiv.org/abs/2007.08663). A set that is not in it can be fetched and read all
the same; one that is in it can be listed before it is fetched, and the bytes of some are
known, so that a changed copy is noticed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from kekule._errors import DataFileError
from kekule.data.graphs import LabelledGraphs, MoleculeAlphabet
from kekule.data.tu import read_tu

RAW = Path("data/raw")
EMBEDDED = {"MUTAG": Path(__file__).parent / "mutag"}


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
    node_labels, edge_labels, node_attributes
        Whether the set has them.
    alphabet
        What the labels stand for, where its copy may come without a readme.
    graphs_sha256
        The ``sha256`` of the set as `read_tu` gives it, where known.
    files
        sha256 of each file by name, where known.
    """

    name: str
    kind: str
    n_graphs: int
    n_classes: int
    node_labels: bool = True
    edge_labels: bool = False
    node_attributes: bool = False
    alphabet: MoleculeAlphabet | None = None
    graphs_sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)


def find_set(name_or_path: str | Path, *, raw: Path = RAW) -> LabelledGraphs:
    """Read a set given by its folder or its name.

    A folder goes first, then a set fetched into ``raw``, then MUTAG, which comes with
    kekule. Case does not matter where only one name fits.

    Parameters
    ----------
    name_or_path
        A folder in the TU Dortmund format, or a name such as ``MUTAG``.
    raw
        Where `kekule.data.get_set` puts the sets it fetches.

    Raises
    ------
    DataFileError
        If there is no such set here, with the command that fetches it and the nearest
        name; or if its files are damaged.
    """
    text = str(name_or_path)
    folder = Path(text).expanduser()
    if folder.is_dir() and (isinstance(name_or_path, Path) or "/" in text or _holds_set(folder)):
        return _read(folder)
    fetched = _names_in(raw)
    name = _same_name(text, [*fetched, *EMBEDDED])
    if name in fetched:
        return _read(raw / name)
    if name:
        return _read(EMBEDDED[name])
    if folder.is_dir():
        return _read(folder)
    raise DataFileError(text, f"no folder and no set in {raw} has this name", _cure(text))


def known_name(text: str) -> str:
    """The catalogue's spelling of a name, or the name itself where it is not listed."""
    return _same_name(text, SETS) or text


def _read(folder: Path) -> LabelledGraphs:
    graphs = read_tu(folder)
    entry = SETS.get(graphs.name)
    if graphs.alphabet is None and entry and entry.graphs_sha256 == graphs.sha256:
        return replace(graphs, alphabet=entry.alphabet)
    return graphs


def _holds_set(folder: Path) -> bool:
    return any(next(place.glob("?*_A.txt"), None) for place in (folder, folder / "raw"))


def _names_in(raw: Path) -> list[str]:
    if not raw.is_dir():
        return []
    return sorted(p.name for p in raw.iterdir() if p.is_dir() and not p.name.startswith("."))


def _same_name(text: str, names: Iterable[str]) -> str:
    """The one name equal to ``text``, or equal but for case; else empty."""
    names = set(names)
    alike = [name for name in names if name.lower() == text.lower()]
    if text in names:
        return text
    return alike[0] if len(alike) == 1 else ""


def _cure(text: str) -> str:
    if Path(text).name != text:
        return "Give the folder that holds NAME_A.txt, or the name of a set."
    if text in SETS:
        return f"Fetch it with `kekule data get {text}`."
    lower = {name.lower(): name for name in SETS}
    near = [lower[name] for name in get_close_matches(text.lower(), lower, n=1)]
    hint = f"Did you mean {near[0]}? " if near else ""
    return f"{hint}Fetch a set with `kekule data get {near[0] if near else text}`."


_MUTAG = MoleculeAlphabet(
    {0: "C", 1: "N", 2: "O", 3: "F", 4: "I", 5: "Cl", 6: "Br"},
    {0: "aromatic", 1: "single", 2: "double", 3: "triple"},
)
SETS: dict[str, SetEntry] = {
    "MUTAG": SetEntry("MUTAG", "molecules", 188, 2, edge_labels=True, alphabet=_MUTAG, graphs_sha256="7fcf50b40d207546b8e8146544d1e3e368dde178e9a6069d25bafb2639ccf3f6"),
}
