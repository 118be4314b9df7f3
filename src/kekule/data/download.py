"""Graph sets of the TU Dortmund collection, fetched once, whole or not at all.

A set is put together in a hidden folder beside its place, read to prove that it can be,
and renamed into place: whoever sees ``raw/NAME`` sees all of it. What came is written
down in ``checksums.json`` and held against it at each later call. The address of the
archive and the layout on disk are PyTorch Geometric's.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from kekule._errors import DataFileError, DownloadError, KekuleError, OutputError
from kekule.data.archive import archive_address, check_archive, unpack_archive
from kekule.data.catalogue import EMBEDDED, known_name
from kekule.data.checksums import read_record, sha256_of, verify_record, write_record
from kekule.data.fetch import Progress, fetch_file
from kekule.data.sets import SETS
from kekule.data.tu import read_tu
from kekule.data.tu_files import ROLES

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ABANDONED = 3600.0  # seconds without a change, after which a hidden folder is litter


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
        Of a set in the collection, listed in `kekule.data.SETS` or not.
    raw
        Folder of raw data; made where missing. The files put there are read-only.
    mirror
        Where to fetch from in place of the collection's own address: a folder or the
        ``http``, ``https`` or ``file`` address of one, holding ``NAME.zip`` (or, a
        folder, ``NAME/`` with the files).
    sha256
        The archive must have this sum.
    progress
        Called with bytes so far and in all (or None).

    Returns
    -------
    Path
        ``raw/NAME``; its files are in ``raw/NAME/raw``, as PyTorch Geometric has them.
        MUTAG comes with kekule and is copied, unless a mirror is named.

    Raises
    ------
    DownloadError
        If the set cannot be had, or is not what it should be.
    DataFileError
        If the set that is already there was changed since.
    OutputError
        If ``raw`` cannot be written to.
    """
    name = known_name(name)
    if not _NAME.fullmatch(name):
        cure = "Names are made of letters, digits, '_', '-' and '.'; see `kekule data list`."
        raise DownloadError(name, "this is no name of a set", cure)
    raw = Path(raw)
    target = raw / name
    if target.exists():
        return _verified(target, sha256)
    with _workshop(raw, name) as bench:
        address, archive = _obtain(name, mirror, bench, progress)
        digest = _archive_sum(archive, address, sha256)
        folder = _laid_out(archive, name, bench, address)
        _check_known(folder, address)
        _check_readable(folder, address)
        write_record(folder, address=address, archive_sha256=digest)
        return _published(folder, target, sha256)


def _obtain(
    name: str, mirror: str | None, bench: Path, progress: Progress | None
) -> tuple[str, Path]:
    """Bring the archive into the workshop, or find the folder with the files."""
    if mirror is None and name in EMBEDDED:
        return "the copy inside kekule", EMBEDDED[name]
    scheme = urlsplit(mirror).scheme if mirror and "://" in mirror else ""
    if mirror is None:
        address = archive_address(name)
    elif scheme in ("http", "https"):
        address = f"{mirror.rstrip('/')}/{quote(name)}.zip"
    elif scheme in ("", "file"):
        return _local(Path(unquote(urlsplit(mirror).path) if scheme else mirror), name)
    else:
        cure = "Give a folder, or an http, https or file address."
        raise DownloadError(mirror, f"a mirror cannot be of kind {scheme!r}", cure)
    archive = bench / f"{name}.zip"
    fetch_file(address, archive, progress=progress)
    return address, archive


def _local(mirror: Path, name: str) -> tuple[str, Path]:
    mirror = mirror.expanduser().resolve()
    for place in (mirror / f"{name}.zip", mirror / name, mirror / name / "raw"):
        if place.is_file() or (place / f"{name}_A.txt").is_file():
            return str(place), place
    why = f"it holds neither {name}.zip nor {name}/{name}_A.txt"
    if not mirror.is_dir():
        why = "there is no such folder"
    raise DownloadError(str(mirror), why, "Name another place with --mirror DIR|URL.")


def _archive_sum(archive: Path, address: str, sha256: str | None) -> str | None:
    """Hash the archive and hold it against the sum that was asked for."""
    if archive.is_dir():
        if sha256 is not None:
            cure = "Leave the sum out, or name a mirror that has the archive."
            raise DownloadError(address, "a folder of files has no archive to sum", cure)
        return None
    found = sha256_of(archive)
    _compare_sums(address, found, sha256)
    return found


def _compare_sums(address: str, found: str | None, wanted: str | None) -> None:
    if wanted is not None and found != wanted.strip().lower():
        why = f"the archive has sha256 {found}, not {wanted}"
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


def _check_readable(folder: Path, address: str) -> None:
    try:
        read_tu(folder)
    except DataFileError as error:
        line = f", line {error.line}" if error.line else ""
        why = f"the set cannot be read ({Path(str(error.path)).name}{line}: {error.why})"
        raise DownloadError(address, why, "Name another --mirror that has it whole.") from error


def _verified(folder: Path, sha256: str | None) -> Path:
    """Check a set that is there already."""
    record = read_record(folder)
    if record is None:
        read_tu(folder)
    else:
        verify_record(folder, record)
    found = record.get("archive_sha256") if record else None
    _compare_sums(str(folder), found, sha256)
    return folder


def _published(folder: Path, target: Path, sha256: str | None) -> Path:
    """Rename the finished folder into place; who comes second takes what is there."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        return _verified(target, sha256)
    return target


@contextmanager
def _workshop(raw: Path, name: str) -> Iterator[Path]:
    """Make a hidden folder beside the place of a set, and leave nothing of it behind."""
    try:
        raw.mkdir(parents=True, exist_ok=True)
        _sweep(raw, name)
        bench = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=raw))
    except OSError as error:
        cure = "Choose a folder that can be written to."
        raise OutputError(raw, f"nothing can be put here ({error.strerror})", cure) from error
    try:
        yield bench
    except OSError as error:
        if isinstance(error, KekuleError):
            raise
        cure = "Make room, or choose another folder."
        raise OutputError(raw, f"the set cannot be put here ({error})", cure) from error
    finally:
        shutil.rmtree(bench, ignore_errors=True)


def _sweep(raw: Path, name: str) -> None:
    """Remove what a killed fetch of the same set left behind."""
    for litter in raw.glob(f".{name}-*"):
        with suppress(FileNotFoundError):  # another process has just finished with it
            changes = [path.lstat().st_mtime for path in (litter, *litter.rglob("*"))]
            if time.time() - max(changes) > _ABANDONED:
                shutil.rmtree(litter, ignore_errors=True)
