"""What a fetched set's files were when they came, so that a later change is noticed."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kekule._errors import DataFileError

RECORD = "checksums.json"
KINDS = {".txt", ".csv"}  # of the files of sets; what else lies beside them is not theirs


def sha256_of(path: Path) -> str:
    """Hash a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_record(folder: Path, *, address: str, archive_sha256: str | None) -> None:
    """Write ``checksums.json``: where a set came from, when, and the sum of each file.

    Parameters
    ----------
    folder
        Of the set; its files lie in ``folder/raw``.
    address
        Where it was fetched from.
    archive_sha256
        Of the file it came in; None where it came as several.
    """
    record = {
        "name": folder.name,
        "address": address,
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        "archive_sha256": archive_sha256,
        "files": {path.name: sha256_of(path) for path in _files(folder, KINDS)},
    }
    text = json.dumps(record, indent=2) + "\n"
    (folder / RECORD).write_text(text, encoding="utf-8")


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read ``checksums.json``; None where the set was put there by hand, without one.

    Raises
    ------
    DataFileError
        If the record is damaged.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataFileError(path, f"it cannot be read ({error})", _cure(folder)) from error
    if not isinstance(record, dict) or not isinstance(record.get("files"), dict):
        raise DataFileError(path, "it is no record of a fetched set", _cure(folder))
    return record


def verify_record(folder: Path, record: dict[str, Any]) -> None:
    """Compare the files of a set with their sums.

    Raises
    ------
    DataFileError
        Naming the first file that was changed, removed or added.
    """
    expected: dict[str, str] = record["files"]
    kinds = {Path(name).suffix for name in expected} or KINDS
    present = {path.name: path for path in _files(folder, kinds)}
    for name in sorted({*expected, *present}):
        path = folder / "raw" / name
        if name not in present:
            raise DataFileError(path, "the file is gone since it was fetched", _cure(folder))
        if name not in expected:
            raise DataFileError(path, "the file was not in the set as fetched", _cure(folder))
        found = sha256_of(path)
        if found != expected[name]:
            why = f"the file was changed: its sha256 is {found}, not {expected[name]}"
            raise DataFileError(path, why, _cure(folder))


def _files(folder: Path, kinds: set[str]) -> list[Path]:
    return sorted(path for path in (folder / "raw").glob("*.*") if path.suffix in kinds)


def _cure(folder: Path) -> str:
    return f"Remove {folder} and fetch the set again with `kekule data get {folder.name}`."
