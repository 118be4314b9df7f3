"""Which files kekule reads, told by how their names end."""

from pathlib import Path
from typing import Final

from kekule._errors import DataFileError

DELIMITED: Final = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
LINES: Final = (".smi", ".smiles")
TEXT: Final = ".txt"  # either of the two: its first line tells
RECORDS: Final = (".sdf", ".sd")
PARQUET: Final = ".parquet"
KINDS: Final = (*DELIMITED, TEXT, *LINES, PARQUET, *RECORDS)

_PACKED = ".gz"
_FOREIGN = (".mol", ".mol2", ".xls", ".xlsx", ".json", ".zip", ".bz2", ".xz", _PACKED)
_CURE = f"Give one of {', '.join(KINDS)}; all but {PARQUET} also packed, as in assay.csv.gz."


def kind_of(path: Path) -> str:
    """Ending of a file, without that of its packing.

    Raises
    ------
    DataFileError
        If there is no such file, or it is of no kind that is read.
    """
    try:
        found = path.exists()
    except OSError as error:  # a name too long, for one
        why = f"it cannot be read ({error.strerror})"
        raise DataFileError(path.name[:80], why, _CURE) from None
    if not found:
        raise DataFileError(path, "there is no such file or folder", _CURE)
    if path.is_dir():
        raise DataFileError(path, "it is a folder, and a table of molecules is asked for", _CURE)
    if not path.is_file():
        raise DataFileError(path, "it is a pipe or a device, and a file is asked for", _CURE)
    suffix = path.suffix.lower()
    if suffix == _PACKED:
        suffix = path.with_suffix("").suffix.lower()
        if suffix == PARQUET:
            raise DataFileError(path, "a packed Parquet file is not read", "Unpack it first.")
    if suffix not in KINDS:
        raise DataFileError(path, f"files of kind {path.suffix.lower()!r} are not read", _CURE)
    return suffix


def is_file_name(text: str) -> bool:
    """Whether a text ends like a data file, which no SMILES does."""
    return text.lower().endswith((*KINDS, *_FOREIGN))


def stem_of(path: Path) -> str:
    """Name of a file without its ending and that of its packing."""
    if path.suffix.lower() == _PACKED:
        path = path.with_suffix("")
    return path.stem
