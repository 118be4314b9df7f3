"""A set small enough to be read by eye."""

import pytest

TINY = {  # a path of three nodes, and a single edge
    "A": "1, 2\n2, 1\n2, 3\n3, 2\n4, 5\n5, 4\n",
    "graph_indicator": "1\n1\n1\n2\n2\n",
    "graph_labels": "1\n-1\n",
    "node_labels": "0\n7\n0\n7\n7\n",
    "edge_labels": "1\n1\n2\n2\n1\n1\n",
    "node_attributes": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 4\n-4.5e0, 5\n",
}


@pytest.fixture
def tiny(tmp_path):
    """Write the tiny set with some files replaced (text or bytes) or left out (None)."""

    def write(folder=None, name="TINY", **changes):
        folder = tmp_path / name if folder is None else folder
        folder.mkdir(parents=True, exist_ok=True)
        for role, text in {**TINY, **changes}.items():
            if text is not None:
                raw = text if isinstance(text, bytes) else text.encode()
                (folder / f"{name}_{role}.txt").write_bytes(raw)
        return folder

    write.files = TINY
    return write
