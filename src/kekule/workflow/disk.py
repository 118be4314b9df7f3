"""What a disk refuses, in words that say what to do."""

from pathlib import Path

from kekule._errors import KekuleError, OutputError


def unwritable(path: Path, error: OSError, cure: str) -> OSError:
    """Error to raise where `error` kept `path` from being written; one of ours is kept."""
    if isinstance(error, KekuleError):
        return error
    why = error.strerror or str(error)
    if isinstance(error, FileExistsError):  # of mkdir: a file where a folder must be
        why = f"{error.filename} is a file, not a folder"
    return OutputError(path, f"cannot be written: {why}", cure)


def name_as_text(path: Path | str) -> str:
    """Spell a path so that any text can hold it, whatever letters the locale knows."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
