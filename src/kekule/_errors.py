"""The one family of errors a user of kekule is meant to see; imports nothing.

Every message says where, what was given, why it cannot be used and what to do about it,
on one line. The parts stay on the error as attributes, for programs.
"""

from typing import Any


class KekuleError(Exception):
    """Something the caller can put right; the command line prints it and exits with 2."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass whole from a fold's process to ours; pickle would call a subclass with its text."""
        return _revived, (type(self), self.args, self.__dict__)


def _revived(kind: type[KekuleError], args: tuple[Any, ...], parts: dict[str, Any]) -> KekuleError:
    error = kind.__new__(kind)
    super(KekuleError, error).__init__(*args)
    error.__dict__.update(parts)
    return error


class MoleculeError(KekuleError, ValueError):
    """A structure that cannot be read, naming where it came from."""

    def __init__(self, text: str, why: str, *, source: str = "input", row: int | None = None):
        where = source if row is None else f"{source}, row {row}"
        super().__init__(
            f"{where}: cannot read {text!r} as a molecule: {why}. "
            "Correct the row, or leave out --strict to keep it as an invalid row."
        )
        self.text, self.why, self.source, self.row = text, why, source, row


class DataFileError(KekuleError, ValueError):
    """A data file that is missing or damaged, naming file and line (1-based)."""

    def __init__(self, path: object, why: str, cure: str, *, line: int | None = None):
        where = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {why}. {cure}")
        self.path, self.line, self.why, self.cure = path, line, why, cure


class DownloadError(KekuleError, OSError):
    """A data set that could not be fetched, naming the address that was asked."""

    def __init__(self, address: str, why: str, cure: str):
        super().__init__(f"{address}: {why}. {cure}")
        self.address, self.why, self.cure = address, why, cure


class RecipeError(KekuleError, ValueError):
    """A key or value of a recipe that cannot be used, naming the key."""

    def __init__(self, key: str, why: str, cure: str, *, source: str = "recipe"):
        end = "" if why.endswith("?") else "."
        super().__init__(f"{source}: {key}: {why}{end} {cure}")
        self.key, self.why, self.cure, self.source = key, why, cure, source


class SchemaError(KekuleError, ValueError):
    """Graphs whose columns or values a schema has no code for."""


class OutputError(KekuleError, OSError):
    """A place that cannot be written to, or that holds something worth keeping."""

    def __init__(self, path: object, why: str, cure: str):
        super().__init__(f"{path}: {why}. {cure}")
        self.path, self.why, self.cure = path, why, cure


class BundleError(KekuleError, ValueError):
    """A bundle that is missing, changed or made by another version, naming the file."""

    def __init__(self, path: object, why: str, cure: str):
        super().__init__(f"{path}: {why}. {cure}")
        self.path, self.why, self.cure = path, why, cure


class TrainingError(KekuleError, ArithmeticError):
    """A training whose numbers left the range of numbers, naming model and epoch."""

    def __init__(self, where: str, why: str, cure: str):
        super().__init__(f"{where}: {why}. {cure}")
        self.where, self.why, self.cure = where, why, cure
