"""Sets of the TU Dortmund collection and of MoleculeNet, fetched once, whole or not at all.

A set is put together in a hidden folder beside its place, read to prove that it can be,
and renamed into place: whoever sees ``raw/NAME`` sees all of it. What came is written
down in ``checksums.json`` and held against it at each later call. The addresses and the
layout on disk are PyTorch Geometric's.
"""

import re
import shutil
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from kekule._errors import DataFileError, DownloadError
from kekule.data.archive import archive_address, check_archive, unpack_archive
from kekule.data.catalogue import EMBEDDED, known_name, nearest_name
from kekule.data.checksums import read_record, sha256_of, verify_record, write_record
from kekule.data.fetch import NoSuchFileError, Progress, fetch_file
from kekule.data.mirror import mirror_place
from kekule.data.molecule_download import check_table, obtain_table, unpack_table
from kekule.data.molecule_sets import REGRESSION_SETS, MoleculeSetEntry, molecule_set_entry
from kekule.data.sets import SETS
from kekule.data.tu import read_tu
from kekule.data.tu_files import ROLES
from kekule.data.workshop import workshop

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def get_set(
    name: str,
    *,
    raw: Path,
    mirror: str | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetch a set into ``raw/NAME``, or check the one that is there.

    Parameters
    ----------
    name
        Of a set of graphs in the TU Dortmund collection, listed in `kekule.data.SETS` or
        not, or of a table of molecules in `kekule.data.MOLECULE_SETS`.
    raw
        Folder of raw data; made where missing. The files put there are read-only.
    mirror
        Where to fetch from in place of the collection's own address: a folder or the
        ``http``, ``https`` or ``file`` address of one, holding ``NAME.zip`` (or, a
        folder, ``NAME/`` with the files) for graphs, ``NAME.csv`` or ``NAME.csv.gz`` for
        molecules.
    sha256
        The file that is fetched must have this sum, a packed one as it is packed.
    progress
        Called with bytes so far and in all (or None).

    Returns
    -------
    Path
        ``raw/NAME``; its files are in ``raw/NAME/raw``, as PyTorch Geometric has them. It
        looks for molecules in ``raw/name``, in small letters, which leads there.
        MUTAG comes with kekule and is copied, unless a mirror is named.

    Raises
    ------
    DownloadError
        If the set cannot be had, is not what it should be, or has no classes.
    DataFileError
        If the set that is already there was changed since.
    OutputError
        If ``raw`` cannot be written to.
    """
    name, entry = _meant(name)
    raw = Path(raw)
    target = _place(raw, name, entry)
    if target.exists():
        _verify(target, entry, sha256)
    else:
        with workshop(raw, name) as bench:
            folder = _put_together(name, entry, mirror, sha256, bench, progress)
            _publish(folder, target, entry, sha256)
    if entry is not None:
        _lead_to(target)
    return target


def _meant(name: str) -> tuple[str, MoleculeSetEntry | None]:
    """Find the set a name means; an entry, where it is one of molecules."""
    name = known_name(name)
    if not _NAME.fullmatch(name):
        cure = "Names are made of letters, digits, '_', '-' and '.'; see `kekule data list`."
        raise DownloadError(name, "this is no name of a set", cure)
    if name in SETS:
        return name, None
    numbers = REGRESSION_SETS.get(name.lower())
    if numbers:
        why = "this set is for regression, and kekule sorts into classes"
        raise DownloadError(numbers, why, "Choose one that `kekule data list` lists.")
    entry = molecule_set_entry(name)
    return (entry.name, entry) if entry else (name, None)


def _place(raw: Path, name: str, entry: MoleculeSetEntry | None) -> Path:
    """Say where a set is or will be; PyTorch Geometric's own folder is as good as ours."""
    small = raw / name.lower()
    theirs = entry is not None and small.is_dir() and not (raw / name).exists()
    return small if theirs else raw / name


def _put_together(
    name: str,
    entry: MoleculeSetEntry | None,
    mirror: str | None,
    sha256: str | None,
    bench: Path,
    progress: Progress | None,
) -> Path:
    """Make the folder of a set in the workshop, checked and with its record."""
    digest: str | None
    if entry is not None:
        address, file = obtain_table(entry, mirror, bench, progress)
        digest = _sum_of(file, address, sha256)
        folder = bench / name
        (folder / "raw").mkdir(parents=True)
        unpack_table(file, folder / "raw" / entry.file, address=address)
    else:
        address, archive = _obtain(name, mirror, bench, progress)
        digest = _archive_sum(archive, address, sha256)
        folder = _laid_out(archive, name, bench, address)
        _check_known(folder, address)
    _check_whole(folder, entry, address)
    write_record(folder, address=address, archive_sha256=digest)
    return folder


def _obtain(
    name: str, mirror: str | None, bench: Path, progress: Progress | None
) -> tuple[str, Path]:
    """Bring the archive into the workshop, or find the folder with the files."""
    if mirror is None and name in EMBEDDED:
        return "the copy inside kekule", EMBEDDED[name]
    place = None if mirror is None else mirror_place(mirror)
    try:
        if isinstance(place, Path):
            return _local(place, name)
        address = archive_address(name) if place is None else f"{place}/{quote(name)}.zip"
        archive = bench / f"{name}.zip"
        fetch_file(address, archive, progress=progress)
    except NoSuchFileError as error:
        near = "" if name in SETS else nearest_name(name)
        if near:
            cure = f"Did you mean {near}? {error.cure}"
            raise NoSuchFileError(error.address, error.why, cure) from error
        raise
    return address, archive


def _local(mirror: Path, name: str) -> tuple[str, Path]:
    for place in (mirror / f"{name}.zip", mirror / name, mirror / name / "raw"):
        if place.is_file() or (place / f"{name}_A.txt").is_file():
            return str(place), place
    why = f"it holds neither {name}.zip nor {name}/{name}_A.txt"
    if not mirror.is_dir():
        why = "there is no such folder"
    raise NoSuchFileError(str(mirror), why, "Name another place with --mirror DIR|URL.")


def _archive_sum(archive: Path, address: str, sha256: str | None) -> str | None:
    """Hash the archive and hold it against the sum that was asked for."""
    if archive.is_dir():
        if sha256 is not None:
            cure = "Leave the sum out, or name a mirror that has the archive."
            raise DownloadError(address, "a folder of files has no archive to sum", cure)
        return None
    return _sum_of(archive, address, sha256)


def _sum_of(file: Path, address: str, sha256: str | None) -> str:
    found = sha256_of(file)
    _compare_sums(address, found, sha256)
    return found


def _compare_sums(address: str, found: str | None, wanted: str | None) -> None:
    if wanted is not None and found != wanted.strip().lower():
        why = f"the file has sha256 {found}, not {wanted}"
        raise DownloadError(address, why, "Check the sum, or name another --mirror.")


def _laid_out(archive: Path, name: str, bench: Path, address: str) -> Path:
    """Put the text files of the set, and nothing else, into ``bench/name/raw``."""
    if archive.is_dir():
        place = bench / name / "raw"
        place.mkdir(parents=True)
        texts = [archive / f"{name}_{role}.txt" for role in (*ROLES, "graph_attributes")]
        for text in [*texts, archive / "README.txt"]:
            if text.is_file():
                shutil.copyfile(text, place / text.name)
        return bench / name
    check_archive(archive, name, address=address)
    folder = unpack_archive(archive, name, bench, address=address)
    for path in (folder / "raw").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix != ".txt":
            path.unlink()
    return folder


def _check_known(folder: Path, address: str) -> None:
    """Hold the files against the sums the catalogue has."""
    entry = SETS.get(folder.name)
    for name, wanted in entry.files.items() if entry else ():
        path = folder / "raw" / name
        found = sha256_of(path) if path.exists() else None
        if found != wanted:
            why = f"its {name} is not the known one (sha256 {found}, not {wanted})"
            cure = "Name another --mirror, or use the folder itself by its path."
            raise DownloadError(address, why, cure)


def _check_whole(folder: Path, entry: MoleculeSetEntry | None, address: str) -> None:
    """Read what came; an error names the address, not our place for a while."""
    try:
        _read(folder, entry)
    except DataFileError as error:
        line = f", line {error.line}" if error.line else ""
        why = f"the set cannot be read ({Path(str(error.path)).name}{line}: {error.why})"
        raise DownloadError(address, why, "Name another --mirror that has it whole.") from error


def _read(folder: Path, entry: MoleculeSetEntry | None) -> None:
    if entry is None:
        read_tu(folder)
    else:
        check_table(folder / "raw" / entry.file, entry)


def _verify(folder: Path, entry: MoleculeSetEntry | None, sha256: str | None) -> None:
    """Check a set that is there already."""
    record = read_record(folder)
    if record is None:
        _read(folder, entry)
    else:
        verify_record(folder, record)
    found = record.get("archive_sha256") if record else None
    _compare_sums(str(folder), found, sha256)


def _publish(
    folder: Path, target: Path, entry: MoleculeSetEntry | None, sha256: str | None
) -> None:
    """Rename the finished folder into place; who comes second takes what is there."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        _verify(target, entry, sha256)


def _lead_to(target: Path) -> None:
    """Let PyTorch Geometric, which writes the names of molecule sets small, find one."""
    link = target.with_name(target.name.lower())
    if not link.exists():
        with suppress(OSError):  # not every disk has links; only its second fetch is saved
            link.symlink_to(target.name)
