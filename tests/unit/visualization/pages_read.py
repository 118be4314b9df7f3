"""Pages and figures as their tests read them, and a text that tries to break out of both."""

from html.parser import HTMLParser

EVIL = "<script>alert('x')</script> $\\foo_{$ & -->"


class Page(HTMLParser):
    """Elements as (tag, attributes), their ids, cells of each table by its id, visible text."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.ids, self.words, self.tags = {}, [], [], []
        self.cell, self.table = None, None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        if tag == "table":
            self.table = self.tables.setdefault(given.get("id", len(self.tables)), [])
        if tag == "tr":
            self.table.append([])
        if tag in ("td", "th"):
            self.cell = []

    def handle_data(self, data):
        self.words.append(data)
        if self.cell is not None:
            self.cell.append(data)

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            self.table[-1].append("".join(self.cell))
            self.cell = None


def artists(figure, gid):
    """Everything in a figure that was drawn under this name."""
    return figure.findobj(lambda artist: artist.get_gid() == gid)
