"""The audit as a page that needs nothing but itself: findings, the worst first, with pictures.

Knows the findings as plain dicts; must not know how they were come by. Every text in them
comes from a user's file and is escaped.
"""

from pathlib import Path
from typing import Any

from markupsafe import Markup
from rdkit import Chem

from kekule.data.smiles import quiet
from kekule.visualization.audit_figures import TONES, drawn, probes_picture, worst_first
from kekule.visualization.molecules import draw_molecule
from kekule.visualization.page import page_environment, write_text

MOST_LINES = 20  # of a finding's table on the page; the JSON has more
CARD = (220, 150)  # pixels of one molecule
STRUCTURES = ("smiles", "structure")  # columns of a finding's table that are drawn as well
MOST_DRAWN = 8  # molecules of one finding


def write_audit_page(audit: dict[str, Any], path: Path) -> Path:
    """Write the page of an audit to `path`; see `kekule.visualization.page.write_text`."""
    return write_text(path, render_audit(audit))


def render_audit(audit: dict[str, Any]) -> str:
    """Return the page of what `kekule.data.audit` gives."""
    findings = worst_first(audit["findings"])
    return (
        page_environment()
        .get_template("audit.html.j2")
        .render(
            audit=audit,
            findings=[_shown(finding, number) for number, finding in enumerate(findings)],
            probes=Markup(probes_picture(audit["findings"])),  # noqa: S704  # drawn by us
            counts={tone: sum(f["verdict"] == tone for f in findings) for tone in TONES},
            most_lines=MOST_LINES,
        )
    )


def readable(value: Any) -> str:
    """Write a finding's value as a person would: no brackets, no quotes."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {readable(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(readable, value)) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _shown(finding: dict[str, Any], number: int) -> dict[str, Any]:
    """A finding with its value as text, its table as cells, and its pictures drawn."""
    lines = finding.get("table") or []
    columns = list(dict.fromkeys(key for line in lines for key in line))
    return (
        {"rows": [], "advice": ""}
        | finding
        | {
            "value": readable(finding.get("value")),
            "columns": columns,
            "lines": [[readable(line.get(key, "")) for key in columns] for line in lines],
            "svg": Markup(drawn(finding.get("figure"), f"finding-{number}")),  # noqa: S704  # drawn by us
            "molecules": _molecules(lines),
        }
    )


def _molecules(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drawings of the structures a table names, each with what else its line says."""
    found = []
    for line in lines[:MOST_DRAWN]:
        for key, value in line.items():
            if not key.lower().startswith(STRUCTURES) or not isinstance(value, str):
                continue
            with quiet():
                mol = Chem.MolFromSmiles(value) if len(value) < 500 else None
            if mol is not None and mol.GetNumAtoms():
                rest = {k: readable(v) for k, v in line.items() if v is not value}
                svg = Markup(draw_molecule(mol, size=CARD))  # noqa: S704  # drawn by RDKit
                found.append({"svg": svg, "about": rest})
    return found[:MOST_DRAWN]
