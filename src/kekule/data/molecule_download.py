"""The table of a set of MoleculeNet: brought here, unpacked, and looked at line by line.

A table from a mirror is a stranger's file. It is believed when every line of it is text
with as many cells as the first has, and the first has the columns of the set; what its
cells say is for the reader of tables to find out. The address is PyTorch Geometric's, and
so is the name under which the table is put, so that its `MoleculeNet` finds it.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO
from urllib.parse import quote

from kekule._errors import DataFileError, DownloadError
from kekule.data.archive import SMALL, SWELL, table_address
from kekule.data.fetch import NoSuchFileError, Progress, fetch_file
from kekule.data.mirror import mirror_place
from kekule.data.molecule_sets import MoleculeSetEntry

CURE = "Do not use this file; fetch the set from another place with --mirror DIR|URL."
LARGEST = 4 * 2**30  # bytes, unpacked
LONGEST = 2**20  # characters of a line; the longest of these sets has some 5,000

_GZIP = b"\x1f\x8b"
_CHUNK = 2**20


def obtain_table(
    entry: MoleculeSetEntry, mirror: str | None, bench: Path, progress: Progress | None
) -> tuple[str, Path]:
    """Bring the table of a set into a folder, or find it in a mirror that is one.

    Returns
    -------
    tuple
        Where it is from, and the file, perhaps packed by gzip.

    Raises
    ------
    DownloadError
        If it cannot be had.
    """
    if mirror is None:
        return _fetched(table_address(entry.name), bench, progress)
    place = mirror_place(mirror)
    names = _names(entry)
    if isinstance(place, Path):
        return _local(place, entry, names)
    for name in names:
        try:
            return _fetched(f"{place}/{quote(name)}", bench, progress)
        except NoSuchFileError:
            continue  # it may be there under the next name
    why = f"it holds none of {', '.join(names)}"
    raise NoSuchFileError(place, why, "Name another place with --mirror DIR|URL.")


def unpack_table(file: Path, table: Path, *, address: str) -> None:
    """Copy a table, out of gzip where it is packed.

    Raises
    ------
    DownloadError
        If what is packed is damaged, or swells beyond reason.
    """
    with file.open("rb") as probe:
        packed = probe.read(2) == _GZIP
    size = file.stat().st_size
    most = min(LARGEST, max(SMALL, SWELL * size)) if packed else LARGEST
    try:
        with gzip.open(file) if packed else file.open("rb") as source, table.open("wb") as copy:
            whole = _copied(source, copy, most)  # type: ignore[arg-type]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DownloadError(address, f"it cannot be unpacked ({error})", CURE) from error
    if not whole:
        why = f"the file of {size} bytes would swell to more than {most}"
        raise DownloadError(address, why, CURE)


def check_table(table: Path, entry: MoleculeSetEntry) -> None:
    """Look at every line of a table.

    Raises
    ------
    DataFileError
        If it is missing or no table, lacks a column of the set, has no rows, or a line has
        more or fewer cells than the first.
    """
    cure = f"Remove it, and fetch the set with `kekule data get {entry.name}`."
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(_lines(file))
            header = next(reader, [])
            lacks = entry.lacks(header)
            if lacks:
                raise DataFileError(table, f"it is no table of {entry.name}: {lacks}", cure)
            rows = 0
            for row in filter(None, reader):
                rows += 1
                if len(row) != len(header):
                    why = f"{len(row)} cells stand in it, and {len(header)} in the first"
                    raise DataFileError(table, why, cure, line=reader.line_num)
    except FileNotFoundError as error:
        raise DataFileError(table, "there is no such file", cure) from error
    except (UnicodeDecodeError, csv.Error, _StrangeLine) as error:
        raise DataFileError(table, f"it is no table of text ({error})", cure) from error
    if not rows:
        raise DataFileError(table, "no row follows its first line", cure)


class _StrangeLine(Exception):  # noqa: N818 - a reason, not yet an error with its place
    """A line no table of text has."""


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise _StrangeLine(f"a line has more than {LONGEST} characters")
        if "\0" in line:
            raise _StrangeLine("it holds zero bytes")
        yield line


def _names(entry: MoleculeSetEntry) -> list[str]:
    """Names under which a mirror may hold the table, PyTorch Geometric's first."""
    ends = (".gz", "") if entry.packed else ("", ".gz")
    return list(
        dict.fromkeys(f"{stem}{end}" for stem in (entry.file, f"{entry.name}.csv") for end in ends)
    )


def _fetched(address: str, bench: Path, progress: Progress | None) -> tuple[str, Path]:
    file = bench / "fetched"
    fetch_file(address, file, progress=progress)
    return address, file


def _local(mirror: Path, entry: MoleculeSetEntry, names: list[str]) -> tuple[str, Path]:
    folders = [mirror / name / "raw" / entry.file for name in (entry.name, entry.name.lower())]
    for place in (*(mirror / name for name in names), *folders):
        if place.is_file():
            return str(place), place
    why = f"it holds none of {', '.join(names)}"
    if not mirror.is_dir():
        why = "there is no such folder"
    raise NoSuchFileError(str(mirror), why, "Name another place with --mirror DIR|URL.")


def _copied(source: BinaryIO, copy: BinaryIO, most: int) -> bool:
    """Copy what is read; False where it is more than `most` bytes."""
    done = 0
    while chunk := source.read(_CHUNK):
        done += len(chunk)
        if done > most:
            return False
        copy.write(chunk)
    return True
