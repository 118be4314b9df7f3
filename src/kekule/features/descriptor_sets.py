"""Sets of molecule descriptors by name, and the schema of a molecule that carries one.

A set is fixed by its name and version, as ``physchem-1``: which descriptors, in which order,
in which scale, and what stands where there is no value. A release of RDKit that knows more
descriptors changes none of it, so a bundle can say in one word what its network was given.
Raise the version with any such change.

Knows names only; `kekule.features.descriptors` computes, and alone needs RDKit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from kekule._errors import KekuleError, SchemaError
from kekule.features.molecule_schema import MOLECULE_SCHEMA
from kekule.features.schema import GraphSchema

NO_DESCRIPTORS: Final = "none"


class UnknownDescriptorsError(KekuleError, ValueError):
    """A set of descriptors that is asked for and that there is not, with the nearest there is."""

    def __init__(self, name: object):
        known = (NO_DESCRIPTORS, *DESCRIPTORS)
        near = get_close_matches(str(name), known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        super().__init__(
            f"descriptors: there is no set of the name {name!r}. {hint}"
            f"There are {', '.join(known)}."
        )
        self.name = name


@dataclass(frozen=True, eq=False)
class DescriptorSet:
    """A set of descriptors, with what a person needs to choose it.

    Attributes
    ----------
    name
        As a recipe names it.
    version
        Of its meaning.
    columns
        P names, RDKit's own; ``FormalCharge``, of the whole molecule, is ours.
    usual
        By name the value, in RDKit's scale, that stands where there is none. Zero for a
        descriptor that is not named.
    use, avoid
        When it is the right choice, and when not.
    few
        Molecules that one process has done before others have started.
    """

    name: str
    version: int
    columns: tuple[str, ...]
    usual: Mapping[str, float]
    use: str
    avoid: str
    few: int

    @property
    def key(self) -> str:
        """Name and version, as a schema holds them."""
        return f"{self.name}-{self.version}"


# Medians of HIV, BBBP and Tox21; a charge without parameters leaves all of these undefined.
_USUAL: Final = {
    "MaxPartialCharge": 0.27,
    "MinPartialCharge": -0.44,
    "MaxAbsPartialCharge": 0.45,
    "MinAbsPartialCharge": 0.27,
    "BCUT2D_MWHI": 16.7,
    "BCUT2D_MWLOW": 10.0,
    "BCUT2D_CHGHI": 2.3,
    "BCUT2D_CHGLO": -2.2,
    "BCUT2D_LOGPHI": 2.3,
    "BCUT2D_LOGPLOW": -2.3,
    "BCUT2D_MRHI": 6.0,
    "BCUT2D_MRLOW": -0.1,
}
_PHYSCHEM: Final = """
    MolWt MolLogP MolMR TPSA NumHDonors NumHAcceptors NumHeteroatoms NumRotatableBonds RingCount
    NumAromaticRings FractionCSP3 FormalCharge
"""
# RDKit 2026.03's, without Ipc and AvgIpc, which it has wrong from 70 atoms on.
_RDKIT: Final = """
    MaxAbsEStateIndex MaxEStateIndex MinAbsEStateIndex MinEStateIndex qed SPS MolWt HeavyAtomMolWt
    ExactMolWt NumValenceElectrons NumRadicalElectrons MaxPartialCharge MinPartialCharge
    MaxAbsPartialCharge MinAbsPartialCharge FpDensityMorgan1 FpDensityMorgan2 FpDensityMorgan3
    BCUT2D_MWHI BCUT2D_MWLOW BCUT2D_CHGHI BCUT2D_CHGLO BCUT2D_LOGPHI BCUT2D_LOGPLOW BCUT2D_MRHI
    BCUT2D_MRLOW BalabanJ BertzCT Chi0 Chi0n Chi0v Chi1 Chi1n Chi1v Chi2n Chi2v Chi3n Chi3v Chi4n
    Chi4v HallKierAlpha Kappa1 Kappa2 Kappa3 LabuteASA PEOE_VSA1 PEOE_VSA10 PEOE_VSA11 PEOE_VSA12
    PEOE_VSA13 PEOE_VSA14 PEOE_VSA2 PEOE_VSA3 PEOE_VSA4 PEOE_VSA5 PEOE_VSA6 PEOE_VSA7 PEOE_VSA8
    PEOE_VSA9 SMR_VSA1 SMR_VSA10 SMR_VSA2 SMR_VSA3 SMR_VSA4 SMR_VSA5 SMR_VSA6 SMR_VSA7 SMR_VSA8
    SMR_VSA9 SlogP_VSA1 SlogP_VSA10 SlogP_VSA11 SlogP_VSA12 SlogP_VSA2 SlogP_VSA3 SlogP_VSA4
    SlogP_VSA5 SlogP_VSA6 SlogP_VSA7 SlogP_VSA8 SlogP_VSA9 TPSA EState_VSA1 EState_VSA10
    EState_VSA11 EState_VSA2 EState_VSA3 EState_VSA4 EState_VSA5 EState_VSA6 EState_VSA7
    EState_VSA8 EState_VSA9 VSA_EState1 VSA_EState10 VSA_EState2 VSA_EState3 VSA_EState4
    VSA_EState5 VSA_EState6 VSA_EState7 VSA_EState8 VSA_EState9 FractionCSP3 HeavyAtomCount
    NHOHCount NOCount NumAliphaticCarbocycles NumAliphaticHeterocycles NumAliphaticRings
    NumAmideBonds NumAromaticCarbocycles NumAromaticHeterocycles NumAromaticRings
    NumAtomStereoCenters NumBridgeheadAtoms NumHAcceptors NumHDonors NumHeteroatoms NumHeterocycles
    NumRotatableBonds NumSaturatedCarbocycles NumSaturatedHeterocycles NumSaturatedRings
    NumSpiroAtoms NumUnspecifiedAtomStereoCenters Phi RingCount MolLogP MolMR fr_Al_COO fr_Al_OH
    fr_Al_OH_noTert fr_ArN fr_Ar_COO fr_Ar_N fr_Ar_NH fr_Ar_OH fr_COO fr_COO2 fr_C_O fr_C_O_noCOO
    fr_C_S fr_HOCCN fr_Imine fr_NH0 fr_NH1 fr_NH2 fr_N_O fr_Ndealkylation1 fr_Ndealkylation2
    fr_Nhpyrrole fr_SH fr_aldehyde fr_alkyl_carbamate fr_alkyl_halide fr_allylic_oxid fr_amide
    fr_amidine fr_aniline fr_aryl_methyl fr_azide fr_azo fr_barbitur fr_benzene fr_benzodiazepine
    fr_bicyclic fr_diazo fr_dihydropyridine fr_epoxide fr_ester fr_ether fr_furan fr_guanido
    fr_halogen fr_hdrzine fr_hdrzone fr_imidazole fr_imide fr_isocyan fr_isothiocyan fr_ketone
    fr_ketone_Topliss fr_lactam fr_lactone fr_methoxy fr_morpholine fr_nitrile fr_nitro
    fr_nitro_arom fr_nitro_arom_nonortho fr_nitroso fr_oxazole fr_oxime fr_para_hydroxylation
    fr_phenol fr_phenol_noOrthoHbond fr_phos_acid fr_phos_ester fr_piperdine fr_piperzine
    fr_priamide fr_prisulfonamd fr_pyridine fr_quatN fr_sulfide fr_sulfonamd fr_sulfone
    fr_term_acetylene fr_tetrazole fr_thiazole fr_thiocyan fr_thiophene fr_unbrch_alkane fr_urea
"""

DESCRIPTORS: Final[dict[str, DescriptorSet]] = {
    "physchem": DescriptorSet(
        name="physchem",
        version=1,
        columns=tuple(_PHYSCHEM.split()),
        usual={},
        use="Where size and polarity decide, as for uptake or the blood-brain barrier; costs as "
        "much as standardising does.",
        avoid="Where a series of one scaffold is ranked: its members differ little in them.",
        few=4000,
    ),
    "rdkit": DescriptorSet(
        name="rdkit",
        version=1,
        columns=tuple(_RDKIT.split()),
        usual=_USUAL,
        use="Where rows are few: what a network of some hundred molecules cannot learn of charges "
        "and groups is told to it.",
        avoid="Where molecules are many, at 4 ms each, or rows hold metals, of which twelve of "
        "them say nothing.",
        few=1000,
    ),
}


def described_schema(name: str = NO_DESCRIPTORS) -> GraphSchema:
    """`MOLECULE_SCHEMA`, with the descriptors of the set called `name` beside the graph.

    Raises
    ------
    UnknownDescriptorsError
        If there is no such set.

    Examples
    --------
    >>> described_schema("physchem").n_graph_attributes
    12
    """
    if name == NO_DESCRIPTORS:
        return MOLECULE_SCHEMA
    if name not in DESCRIPTORS:
        raise UnknownDescriptorsError(name)
    kind = DESCRIPTORS[name]
    return replace(MOLECULE_SCHEMA, n_graph_attributes=len(kind.columns), descriptors=kind.key)


def without_descriptors(schema: GraphSchema) -> GraphSchema:
    """Return the schema of the graph alone."""
    return replace(schema, n_graph_attributes=0, descriptors=None)


def descriptors_of(schema: GraphSchema) -> DescriptorSet | None:
    """Return the set that fills a schema's graph attributes; None where it has none.

    Raises
    ------
    SchemaError
        If they are of another set or another version than there is here, of another number,
        or beside graphs that are not molecules.
    """
    key, width = schema.descriptors, schema.n_graph_attributes
    if key is None and not width:
        return None
    kind = next((kind for kind in DESCRIPTORS.values() if kind.key == key), None)
    if kind is None:
        known = ", ".join(kind.key for kind in DESCRIPTORS.values())
        raise SchemaError(
            f"schema: descriptors {key!r} are not known here; known are {known}. "
            "Install the version of kekule that made the model."
        )
    if len(kind.columns) != width or schema.featuriser is None:
        what = (
            f"{width} instead of {len(kind.columns)}" if schema.featuriser else "of no molecules"
        )
        raise SchemaError(
            f"schema: descriptors {key} are {what}. "
            "Take the schema from a bundle as it was written."
        )
    return kind
