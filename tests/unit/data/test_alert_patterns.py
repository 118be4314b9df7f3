"""The screen before structural alerts spares most patterns and loses none."""

import csv

import pytest
from rdkit import Chem
from rdkit.Chem import FilterCatalog
from rdkit.Chem.FilterCatalog import FilterMatchOps as Rules
from rdkit.Chem.FilterCatalog import SmartsMatcher as Pattern

from kekule.data.audit import alert_patterns
from kekule.data.audit.alert_patterns import CATALOGUES, alert_names, alerts_of
from kekule.data.smiles import quiet

ODD = [  # what has no carbon, hydrogens or bonds of its own, or parts that are no molecule's
    *("[H][H]", "[2H]O[2H]", "[Na+].[Cl-]", "*", "*C(*)=O", "[Fe]", "[He]", "O=[N+]([O-])O"),
    *("C->[Fe]", "[NH3]->[Pt](Cl)(Cl)<-[NH3]", "[SiH4]", "C[Si](C)(C)C", "B(O)(O)c1ccccc1"),
    *("[H]N([H])c1ccc([H])cc1", "Oc1ccc(CCC)cc1O", "CCCCCCCCCC", "N=[N+]=[N-]", "S=C=S"),
    *(
        "O=C1C=CC(=O)C=C1",
        "c1ccc2c(c1)ccc1ccccc12",
        "[Cu+2].[O-]C(=O)C",
        "ClC(Cl)(Cl)Cl",
        "[C-]#[O+]",
    ),
]


def plainly(mols):
    """Names of the alerts RDKit finds with every pattern."""
    wanted = FilterCatalog.FilterCatalogParams()
    for name in CATALOGUES:
        wanted.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, name))
    catalogue = FilterCatalog.FilterCatalog(wanted)
    return [
        [alert_patterns._plain(entry.GetDescription()) for entry in catalogue.GetMatches(mol)]
        for mol in mols
    ]


def screened(mols):
    names = alert_names()
    return [[names[place][1] for place in found] for found in alerts_of(mols)]


def molecules(texts):
    with quiet():
        return [mol for text in texts if (mol := Chem.MolFromSmiles(text)) is not None]


def of_set(data_root, name, part=slice(None)):
    with (data_root / "moleculenet" / f"{name}.csv").open(encoding="utf-8") as file:
        return molecules([row["smiles"] for row in csv.DictReader(file)][part])


def test_odd_molecules_have_the_alerts_rdkit_finds():
    mols = molecules(ODD)
    assert len(mols) == len(ODD)
    assert screened(mols) == plainly(mols)


@pytest.mark.parametrize("name", ["BBBP", "tox21"])
def test_real_molecules_have_the_alerts_rdkit_finds(data_root, name):
    mols = of_set(data_root, name, slice(None, None, 10 if name == "BBBP" else 40))
    found = screened(mols)

    assert found == plainly(mols)
    assert sum(map(len, found)) > 50


@pytest.mark.slow
@pytest.mark.parametrize("name", ["BBBP", "BACE", "clintox", "tox21"])
def test_every_molecule_of_a_set_has_the_alerts_rdkit_finds(data_root, name):
    mols = of_set(data_root, name)
    assert screened(mols) == plainly(mols)


def test_hydrogens_that_are_atoms_change_no_alert():
    mols = molecules(["Oc1ccc(CCC)cc1O", "CC(=O)C=C", "Nc1ccccc1", "O=C1C=CC(=O)C=C1"])
    explicit = [Chem.AddHs(mol) for mol in mols]
    assert screened(explicit) == plainly(explicit)


def test_all_patterns_but_a_few_are_read_and_most_are_spared(data_root):
    """Were RDKit to store its patterns otherwise, the screen would let everything through."""
    unread = [e for e in alert_patterns._patterns() if alert_patterns._query_of(e) is None]
    tried = alert_patterns._candidates(of_set(data_root, "BBBP", slice(None, None, 20)))

    assert unread == []
    assert tried.mean() < 0.15


@pytest.mark.parametrize(
    "rule",
    [
        Rules.Not(Pattern("O", "[#8]", 1)),
        Rules.And(Pattern("O", "[#8]", 1), Pattern("N", "[#7]", 1)),
        Rules.Or(Pattern("O", "[#8]", 1), Pattern("N", "[#7]", 1)),
        Pattern("O", "[#8]", 2),
        Pattern("O", "[#8]", 0, 0),
    ],
    ids=["none", "both", "either", "two", "no more than none"],
)
def test_a_rule_that_is_more_than_one_pattern_asks_for_nothing(rule):
    entry = FilterCatalog.FilterCatalogEntry("rule", rule)
    assert alert_patterns._query_of(entry) is None


def test_the_pattern_of_a_plain_rule_is_read():
    entry = FilterCatalog.FilterCatalogEntry("rule", Pattern("acid", "C(=O)[OH]", 1))
    assert Chem.MolToSmarts(alert_patterns._query_of(entry)) == "C(=O)[O&H1]"


def test_no_molecules_have_no_alerts():
    assert alerts_of([]) == []
