"""The cells of one row of separated text in which quotation marks occur.

The csv module cannot go on after a damaged row, and bounds a cell by a number that is one
for the whole process; so the marks are read here. Knows text only.
"""

import re

_CONTENT = re.compile(r'[^"]*+(?:""[^"]*+)*+')  # up to the mark that closes a cell


class MarkError(Exception):
    """A row that cannot be told into cells, and why."""


class QuotedCells:
    """Cells of a row, line by line until it is whole.

    Parameters
    ----------
    separator
        Between cells.
    most
        Cells a row may have.

    Attributes
    ----------
    cells
        Those that are whole.
    opened
        Number of the line in which the mark now open stands; 0 where none is.
    """

    def __init__(self, separator: str, most: int):
        self._most = most
        self.cells: list[str] = []
        self.opened = 0
        self._separator = separator
        self._parts: list[str] = []  # of the cell in the open mark

    def feed(self, number: int, line: str) -> bool:
        """Take in a line, with its end; whether the row is whole now.

        Raises
        ------
        MarkError
            If anything but a separator follows a mark that closes a cell, or there are too
            many cells.
        """
        text = line.rstrip("\r\n")
        at = 0
        while True:
            if not self.opened and text.startswith('"', at):
                self.opened, self._parts = number, []
                at += 1
            if not self.opened:
                at = self._plain(text, at)
            else:
                at = self._quoted(text, at)
                if self.opened:
                    self._parts.append(line[len(text) :])
                    return False
            if len(self.cells) > self._most:
                raise MarkError(f"it has more than {self._most:,} cells")
            if at == len(text):
                return True
            at += 1

    def _plain(self, text: str, start: int) -> int:
        """Take a cell without marks; where it ends."""
        end = text.find(self._separator, start)
        end = len(text) if end < 0 else end
        self.cells.append(text[start:end])
        return end

    def _quoted(self, text: str, start: int) -> int:
        """Take what a line has of the cell in the open mark; where that ends."""
        content = _CONTENT.match(text, start)
        end = content.end() if content else len(text)
        self._parts.append(text[start:end])
        if end == len(text):
            return end
        self.opened = 0
        self.cells.append("".join(self._parts).replace('""', '"'))
        end += 1
        if end < len(text) and text[end] != self._separator:
            raise MarkError(f"{text[end : end + 20]!r} follows a closing quotation mark")
        return end
