r"""Lines of a text file of any size, packed or not, in whatever encoding it came.

A line ends with ``\n``, ``\r\n`` or ``\r`` and keeps that end. Bytes are read in blocks
and let go of again, so memory does not grow with the file. A line that is not UTF-8 is
taken for Windows-1252, in which every byte stands for something; UTF-16 shows by its
first bytes. Knows gzip and encodings; must not know what the lines mean.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from typing import BinaryIO

from kekule._errors import DataFileError

LONGEST_LINE = 64_000_000  # bytes; held in memory at once

_BLOCK = 1 << 18
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class TextFile:
    """Something with a name for messages that can be read from its start, more than once."""

    name: str
    opened: Callable[[], BinaryIO]

    @property
    def short(self) -> str:
        """Its name without folders."""
        return PurePath(self.name).name


def text_file(path: Path) -> TextFile:
    """Name a file to be read; it is opened when its first line is asked for."""
    return TextFile(str(path), lambda: path.open("rb"))


def text_in_memory(name: str, raw: bytes) -> TextFile:
    """Name bytes that were read already."""
    return TextFile(name, lambda: io.BytesIO(raw))


def text_lines(file: TextFile, remarks: list[str]) -> Iterator[str]:
    """Read line by line.

    Parameters
    ----------
    file
        Its first bytes tell whether it is packed with gzip, whatever its name.
    remarks
        Is told, once, of an encoding other than UTF-8, and of a last line without end.

    Yields
    ------
    str
        A line with its end, which only the last may lack.

    Raises
    ------
    DataFileError
        If the file is missing, cannot be read, is a damaged archive (after the lines that
        came before the damage), or has a line of more than `LONGEST_LINE` bytes.
    """
    number = 0
    try:
        for raw in _split(_as_utf8(file, _blocks(file), remarks)):
            number += 1
            if not raw.endswith((b"\n", b"\r")):
                remarks.append(f"The last line of {file.short} has no end; is the file whole?")
            yield _decoded(file, number, raw, remarks)
    except FileNotFoundError:
        raise DataFileError(file.name, "there is no such file", "Check its name.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        why = f"the archive is damaged or cut short after about line {number} ({error})"
        raise DataFileError(file.name, why, "Fetch or pack the file again.") from error
    except OSError as error:
        why = f"it cannot be read ({error.strerror or error})"
        raise DataFileError(file.name, why, "Check what it is and who may read it.") from error
    except _LineTooLongError:
        why = f"the line has more than {LONGEST_LINE:,} bytes"
        cure = "Check that the file is what its name says."
        raise DataFileError(file.name, why, cure, line=number + 1) from None


class _LineTooLongError(Exception):
    pass


def _blocks(file: TextFile) -> Iterator[bytes]:
    with file.opened() as raw:
        start = raw.read(len(_GZIP))
        raw.seek(0)
        if start != _GZIP:
            while block := raw.read(_BLOCK):
                yield block
            return
        with gzip.GzipFile(fileobj=raw) as unpacked:
            while block := unpacked.read(_BLOCK):
                yield block


def _as_utf8(file: TextFile, blocks: Iterator[bytes], remarks: list[str]) -> Iterator[bytes]:
    """Take a mark away, and turn UTF-16 into UTF-8."""
    first = next(blocks, b"")
    encoding = _utf16(first)
    if encoding is None:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from blocks
        return
    remarks.append(f"{file.short} is in UTF-16.")
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    strange = False
    for block in chain([first], blocks, [b""]):
        text = decoder.decode(block, final=not block)
        if "\ufffd" in text and not strange:
            strange = True
            remarks.append(f"{file.short} has bytes that are not UTF-16, shown as '\ufffd'.")
        yield text.encode("utf-8")


def _utf16(start: bytes) -> str | None:
    """Encoding of a text whose first bytes are those of UTF-16, with or without mark."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[0:64:2], start[1:64:2]
    if len(odd) < 2 or any(even) == any(odd):
        return None
    zeros, letters, encoding = (odd, even, "utf-16-le") if any(even) else (even, odd, "utf-16-be")
    return encoding if not any(zeros) and all(letters) else None


def _split(blocks: Iterator[bytes]) -> Iterator[bytes]:
    pieces: list[bytes] = []  # of a line whose end has not come yet
    for block in blocks:
        if b"\n" not in block and b"\r" not in block:
            pieces.append(block)
        else:
            lines = b"".join([*pieces, block]).splitlines(keepends=True)
            # A last \r may be the first half of an end.
            pieces = [] if lines[-1].endswith(b"\n") else [lines.pop()]
            yield from lines
        if sum(map(len, pieces)) > LONGEST_LINE:
            raise _LineTooLongError
    yield from b"".join(pieces).splitlines(keepends=True)


def _decoded(file: TextFile, number: int, raw: bytes, remarks: list[str]) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        said = f"of {file.short} is not UTF-8; it and others like it were read as Windows-1252."
        if not any(remark.endswith(said) for remark in remarks):
            remarks.append(f"Line {number} {said}")
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:  # five bytes stand for nothing there
        return raw.decode("latin-1")
