"""Where a graph set is on this machine: a folder, a fetched set, or one that is built in.

The names kekule knows are in `kekule.data.sets`; a set that is not there can be fetched
and read all the same.
"""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from kekule._errors import DataFileError
from kekule.data.graphs import LabelledGraphs
from kekule.data.molecule_sets import MOLECULE_SETS
from kekule.data.sets import RAW, SETS
from kekule.data.tu import read_tu

EMBEDDED = {"MUTAG": Path(__file__).parent / "mutag"}


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
    """Spell a name as the catalogue does, or leave it where it is not listed."""
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
    """Find the one name equal to ``text``, or equal but for case; else empty."""
    names = set(names)
    alike = [name for name in names if name.lower() == text.lower()]
    if text in names:
        return text
    return alike[0] if len(alike) == 1 else ""


def nearest_name(text: str) -> str:
    """Find the name of a set of either collection that is most like a text; empty if none is."""
    lower = {name.lower(): name for name in (*MOLECULE_SETS, *SETS)}
    near = get_close_matches(text.lower(), lower, n=1)
    return lower[near[0]] if near else ""


def _cure(text: str) -> str:
    if Path(text).name != text:
        return "Give the folder that holds NAME_A.txt, or the name of a set."
    if text in SETS or text in MOLECULE_SETS:
        return f"Fetch it with `kekule data get {text}`."
    near = nearest_name(text)
    hint = f"Did you mean {near}? " if near else ""
    return f"{hint}Fetch a set with `kekule data get {near or text}`."
