"""The zip of a graph set: looked through before a byte of it is unpacked.

An archive from a mirror is a stranger's file. It may hold the folder of the set with
plain files in it and nothing else: no path that leads elsewhere, no link, nothing that
swells beyond reason. Then PyTorch Geometric unpacks it into its own layout, so that its
`TUDataset` finds the set without fetching it again.
"""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from kekule._errors import DownloadError

CURE = "Do not use this file; fetch the set from another place with --mirror DIR|URL."
LARGEST = 16 * 2**30  # bytes, unpacked
SMALL = 64 * 2**20  # bytes, unpacked, below which no archive is suspected
SWELL = 200  # times its own size; the sets' text shrinks to about a tenth

_LITTER = (("__MACOSX",), (".DS_Store",))  # left by file managers; not unpacked into the set


def archive_address(name: str) -> str:
    """Give the address at which PyTorch Geometric looks for the zip of a set."""
    from torch_geometric.datasets import TUDataset

    return f"{TUDataset.url}/{name}.zip"


def table_address(name: str) -> str:
    """Give the address at which PyTorch Geometric looks for the table of a set of MoleculeNet."""
    from torch_geometric.datasets import MoleculeNet

    return str(MoleculeNet.url.format(MoleculeNet.names[name.lower()][1]))


def check_archive(path: Path, name: str, *, address: str) -> None:
    """Look through an archive without unpacking it.

    Parameters
    ----------
    path
        The zip file.
    name
        The set; its files must lie in a folder ``name``.
    address
        Where the archive came from, for errors.

    Raises
    ------
    DownloadError
        If it is no zip, lacks ``name/name_A.txt``, or holds what no such set holds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        why = f"what came is not a zip archive ({error})"
        raise DownloadError(address, why, CURE) from error
    for member in members:
        why = _objection(member, name)
        if why:
            raise DownloadError(address, f"the archive's {member.filename!r} {why}", CURE)
    names = {member.filename for member in members}
    if len(names) < len(members):
        raise DownloadError(address, "the archive holds two files of one name", CURE)
    if f"{name}/{name}_A.txt" not in names:
        raise DownloadError(address, f"the archive holds no {name}/{name}_A.txt", CURE)
    size = sum(member.file_size for member in members)
    if size > LARGEST or size > max(SMALL, SWELL * path.stat().st_size):
        why = f"the archive of {path.stat().st_size} bytes would swell to {size}"
        raise DownloadError(address, why, CURE)


def unpack_archive(path: Path, name: str, root: Path, *, address: str) -> Path:
    """Let PyTorch Geometric unpack a checked archive; return ``root/name``.

    The text files come to lie in ``root/name/raw``. Nothing is processed.

    Raises
    ------
    DownloadError
        If a member is damaged, or the disk is full.
    """
    from torch_geometric.datasets import TUDataset

    dataset = TUDataset.__new__(TUDataset)  # its __init__ would process what it unpacks
    dataset.root, dataset.name, dataset.cleaned = str(root), name, False
    dataset.url = f"file://{path.parent}"
    raw = Path(dataset.raw_dir)
    raw.mkdir(parents=True)
    try:
        dataset.download()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        why = f"the archive cannot be unpacked ({error})"
        raise DownloadError(address, why, CURE) from error
    return root / name


def _objection(member: zipfile.ZipInfo, name: str) -> str:
    """Say what speaks against unpacking a member; empty if nothing does."""
    parts = PurePosixPath(member.filename).parts
    if member.filename.startswith("/") or "\\" in member.filename or ".." in parts:
        return "leads out of the folder of the set"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if member.flag_bits & 0x1:
        return "is encrypted"
    expected = parts[:1] == (name,) and len(parts) == (1 if member.is_dir() else 2)
    litter = parts[:1] in _LITTER
    return "" if expected or litter else f"is not a file in the folder {name}"
