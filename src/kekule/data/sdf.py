"""SDF files of any size: a record a row, its data fields the columns.

Records are told apart by their ``$$$$`` lines and given to RDKit one by one, so that a
damaged one costs only itself; its data fields are read all the same. The columns are the
structure, the title lines where there are any, and every data field of the file in the
order in which they first appear: for that the file is read twice, first for the names of
its fields, so that every part of it has the same columns. Knows RDKit and text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kekule._errors import DataFileError
from kekule.data.mol_blocks import smiles_of_block
from kekule.data.raw_rows import OpenedTable, Row
from kekule.data.text_lines import TextFile, text_lines

LONGEST_RECORD = 1_000_000  # characters
MOST_FIELDS = 10_000  # of one file; each is a column

_END = "$$$$"
_HEADER = 4  # lines of a record before its first atom
_BLOCK_END = "M  END"


@dataclass
class _Record:
    """Lines of one record, without their ends; none beyond `LONGEST_RECORD` is kept."""

    lines: list[str] = field(default_factory=list)
    size: int = 0
    ended: bool = False

    @property
    def title(self) -> str:
        return self.lines[0].strip() if self.lines and self.readable else ""

    @property
    def readable(self) -> bool:
        return self.size <= LONGEST_RECORD

    def add(self, line: str) -> None:
        self.size += len(line)
        if self.readable:
            self.lines.append(line.rstrip("\r\n"))

    def parts(self) -> tuple[str, list[str], bool]:
        """Its mol block, the lines of its data fields, and whether the file ends within it.

        A value that was cut short would be another value, so the last field is then left out;
        a record that is too long has no fields.
        """
        if not self.readable:
            return "", [], False
        place = self._block_end()
        block, data = "\n".join([*self.lines[:place], ""]), self.lines[place:]
        if self.ended:
            return block, data, False
        cut = _BLOCK_END not in block
        while data and data[-1].strip():
            data.pop()
            cut = True
        return block, data, cut

    def _block_end(self) -> int:
        for place, line in enumerate(self.lines):
            if place >= _HEADER - 1 and line.startswith(_BLOCK_END):
                return place + 1
            if place >= _HEADER and line.startswith(">"):
                return place
        return len(self.lines)


def open_sdf(files: Sequence[TextFile]) -> OpenedTable:
    """Open one or several files as one table.

    A field that occurs twice in a record keeps both values, one a line. A file that ends
    without ``$$$$`` has a last record with a reason, unless that record is whole as far as
    it goes; then there is a remark.

    Raises
    ------
    DataFileError
        If a file cannot be read, or has too many data fields.
    """
    fields, titled = _fields_of(files)
    structures = _free("smiles", "structure", fields)
    title = _free("title", "title_line", fields) if titled else None
    remarks: list[str] = []
    return OpenedTable(
        source=", ".join(file.name for file in files),
        columns=[structures, *([title] if title else []), *fields],
        rows=_rows(files, fields, titled, remarks),
        structures=structures,
        identifiers=title,
        remarks=remarks,
    )


def _fields_of(files: Sequence[TextFile]) -> tuple[list[str], bool]:
    """Names of all data fields, and whether any record has a title."""
    fields: dict[str, None] = {}
    titled = False
    for file in files:
        for record in _records(file, []):
            titled = titled or record.title != ""
            fields.update(dict.fromkeys(_values(record.parts()[1])))
            if len(fields) > MOST_FIELDS:
                why = f"it has more than {MOST_FIELDS:,} different data fields"
                raise DataFileError(file.name, why, "Check what its data fields are.")
    return list(fields), titled


def _rows(
    files: Sequence[TextFile], fields: Sequence[str], titled: bool, remarks: list[str]
) -> Iterator[Row]:
    for file in files:
        for record in _records(file, remarks):
            block, data, cut = record.parts()
            values = _values(data)
            smiles, reason = _structure(record, block, cut)
            if not record.ended and not reason:
                remarks.append(f"The last record of {file.short} has no line of {_END}.")
            title = [record.title] if titled else []
            yield Row([smiles, *title, *(values.get(name, "") for name in fields)], reason)


def _structure(record: _Record, block: str, cut: bool) -> tuple[str, str]:
    """SMILES of a record, or why there is none."""
    if not record.readable:
        many = f"{record.size:,} characters, and at most {LONGEST_RECORD:,} are read"
        return "", f"the record has {many}"
    if cut:
        return "", f"the file ends within the record, before its line of {_END}"
    if "\0" in block:
        return "", "the record holds a NUL character, which no text has"
    return smiles_of_block(block)


def _values(lines: Sequence[str]) -> dict[str, str]:
    """Data fields of a record."""
    values: dict[str, list[str]] = {}
    value: list[str] | None = None
    for text in lines:
        if value is None and text.startswith(">"):
            value = values.setdefault(_name(text), [])
        elif not text.strip():
            value = None
        elif value is not None:
            value.append(text)
    return {name: "\n".join(value) for name, value in values.items()}


def _name(header: str) -> str:
    """Name of a field: what stands in angles, or else behind the first one."""
    _, opened, rest = header[1:].partition("<")
    name, closed, _ = rest.rpartition(">")
    return name if opened and closed else header[1:].strip()


def _records(file: TextFile, remarks: list[str]) -> Iterator[_Record]:
    record = _Record()
    for line in text_lines(file, remarks):
        if line.startswith(_END):
            record.ended = True
            yield record
            record = _Record()
        else:
            record.add(line)
    if not record.readable or any(line.strip() for line in record.lines):
        yield record


def _free(name: str, other: str, taken: Sequence[str]) -> str:
    """Find a name for a column that no data field has, in whatever case."""
    folded = {field.lower() for field in taken}
    candidates = [name, other, *(f"{other}_{k}" for k in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in folded)
