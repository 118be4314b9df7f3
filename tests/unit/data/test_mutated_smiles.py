"""Twenty thousand damaged SMILES: each a row with a status, in bounded time and in silence.

The damage is what files, people and programs do to SMILES; it is the same on every run.
"""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rdkit import Chem, RDConfig

from kekule.data.rows import INVALID, OK, WARNING
from kekule.data.smiles import quiet
from kekule.data.standardisation import POLICIES, standardise_smiles

SMILES_CHARACTERS = "CNOSPFIBrclnosp[]()=#$:+-@/\\%.0123456789H*~ >|&{}"
STRANGE_CHARACTERS = "é€分\u200b\ufeff\x00\x07\x1b\t\n\U0001f9ea\ud800\u0391"
ATOMS = (
    *("C", "N", "O", "S", "P", "F", "[N+]", "[NH3+]", "[O-]", "[CH-]", "[13CH2]", "[2H]", "[H]"),
    *("[C@@H]", "[S+]", "[As]", "[Si]", "[se]", "[Fe]", "[Cu+2]", "=O", "=N", "#N", "[CH3:7]"),
    *("P(=O)", "S(=O)", "N(=O)=O", "[N-]", "=[N+]=[N-]", "[Al-3]", "[U]", "->", "[o+]", "[CH2]"),
)
BRACKETS = "[", "]", "(", ")", "[C", "@@H]", "[2H]", "[Cu+2]", "[13C]", "[Na+].", "[#6]", "[*]"


@pytest.fixture(scope="module")
def real():
    """Some real SMILES, those that come with RDKit."""
    path = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"
    return [line.split()[0] for line in path.read_text().splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("policy", "n"),
    [
        ("parent", 2_000),
        ("as-given", 1_000),
        ("parent-flat", 1_000),
        ("parent-tautomer", 300),
        pytest.param("parent", 20_000, marks=pytest.mark.slow),
        pytest.param("parent-tautomer", 20_000, marks=pytest.mark.slow),
    ],
)
def test_whatever_the_damage_each_row_has_a_status_and_what_is_usable_reads_back(
    real, policy, n, capfd
):
    smiles = _mutated(real, n, seed=3)
    start = time.monotonic()
    rows = standardise_smiles(smiles, POLICIES[policy])
    seconds = time.monotonic() - start

    assert capfd.readouterr() == ("", "")
    assert seconds < 60 + n * 0.05  # no row holds the others up
    assert len(rows.smiles) == len(rows.statuses) == len(rows.steps) == n
    for output, status in zip(rows.smiles, rows.statuses, strict=True):
        assert status.status in {OK, WARNING, INVALID}
        assert bool(status.reason) == (status.status != OK)
        assert bool(output) == (status.status != INVALID)
        assert len(status.reason) < 400
        assert "\n" not in status.reason
    usable = [output for output in rows.smiles if output]
    assert n / 10 < len(usable) < n * 9 / 10
    assert _read_and_written(usable) == usable


def test_two_processes_write_nothing_and_give_what_one_gives(real, tmp_path):
    smiles = _mutated(real, 2_000, seed=5)
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(smiles))
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(texts)], capture_output=True, timeout=240, check=False
    )
    alone = standardise_smiles(smiles, POLICIES["parent"])

    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout.decode() == json.dumps(vars(alone)) + "\n"


def test_standardising_the_survivors_again_changes_none_of_them(real):
    once = standardise_smiles(_mutated(real, 2_000, seed=7), POLICIES["parent"])
    usable = [output for output in once.smiles if output]
    assert standardise_smiles(usable, POLICIES["parent"]).smiles == usable


ASKED = """
import json, sys
from kekule.data.standardisation import POLICIES, standardise_smiles

with open(sys.argv[1]) as file:
    texts = json.load(file)
rows = standardise_smiles(texts, POLICIES["parent"], processes=2)
print(json.dumps(vars(rows)))
"""


def _read_and_written(smiles):
    with quiet():
        return [Chem.MolToSmiles(Chem.MolFromSmiles(text)) for text in smiles]


def _deleted(text, rng):
    start, end = _span(text, rng, longest=3)
    return text[:start] + text[end:]


def _inserted(text, rng):
    k = rng.randint(0, len(text))
    return text[:k] + rng.choice(SMILES_CHARACTERS) + text[k:]


def _made_strange(text, rng):
    k = rng.randint(0, len(text))
    return text[:k] + rng.choice(STRANGE_CHARACTERS) + text[k:]


def _transposed(text, rng):
    k = rng.randint(0, max(0, len(text) - 2))
    return text[:k] + text[k : k + 2][::-1] + text[k + 2 :]


def _repeated(text, rng):
    start, end = _span(text, rng, longest=30)
    return text[:end] + text[start:end] * rng.choice([1, 2, 5, 40]) + text[end:]


def _truncated(text, rng):
    return text[: rng.randint(0, len(text))]


def _with_other_rings(text, rng):
    digits = [k for k, c in enumerate(text) if c.isdigit()]
    if not digits:
        return _inserted(text, rng)
    k = rng.choice(digits)
    return text[:k] + rng.choice(["", "0", "9", "%10", "%(123)", "11", "%99"]) + text[k + 1 :]


def _with_other_brackets(text, rng):
    k = rng.randint(0, len(text))
    return text[:k] + rng.choice(BRACKETS) + text[k:]


def _with_an_end_of_another(text, rng, other="c1ccc2c(c1)[nH]c1ccccc12"):
    return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]


def _with_another_atom(text, rng):
    atoms = [k for k, c in enumerate(text) if c in "CNO"]
    if not atoms:
        return _inserted(text, rng)
    k = rng.choice(atoms)
    return text[:k] + rng.choice(ATOMS) + text[k + 1 :]


def _with_a_branch(text, rng):
    ends = [k for k, c in enumerate(text) if c in "CNOcn"]
    if not ends:
        return _inserted(text, rng)
    k = rng.choice(ends) + 1
    return f"{text[:k]}({rng.choice(ATOMS)}{rng.choice(ATOMS)}){text[k:]}"


def _with_company(text, rng):
    return f"{text}.{rng.choice(ATOMS)}{rng.choice(ATOMS)}"


GENTLE = (_with_another_atom, _with_a_branch, _with_company)  # about half can still be read
KINDS = (
    *GENTLE,
    _deleted,
    _inserted,
    _made_strange,
    _transposed,
    _repeated,
    _truncated,
    _with_other_rings,
    _with_other_brackets,
    _with_an_end_of_another,
)


def _mutated(smiles, n, *, seed=0):
    """`n` texts, each a SMILES damaged once to three times, half of them gently."""
    rng = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    texts = []
    for _ in range(n):
        text, kinds = rng.choice(smiles), rng.choice((GENTLE, KINDS))
        for _ in range(rng.randint(1, 3)):
            text = rng.choice(kinds)(text, rng)
        texts.append(text)
    return texts


def _span(text, rng, *, longest):
    start = rng.randint(0, len(text))
    return start, min(len(text), start + rng.randint(1, longest))
