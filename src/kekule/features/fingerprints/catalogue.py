"""The fingerprints kekule knows by name."""

from kekule.features.fingerprints.atom_pair import atom_pair
from kekule.features.fingerprints.avalon import avalon
from kekule.features.fingerprints.descriptors import rdkit_descriptors
from kekule.features.fingerprints.erg import erg
from kekule.features.fingerprints.fingerprint import Fingerprint
from kekule.features.fingerprints.maccs import maccs
from kekule.features.fingerprints.morgan import ecfp, fcfp

FINGERPRINTS: dict[str, Fingerprint] = {
    "ecfp": ecfp(),
    "fcfp": fcfp(),
    "avalon": avalon(),
    "atom-pair": atom_pair(),
    "maccs": maccs(),
    "erg": erg(),
    "rdkit-descriptors": rdkit_descriptors(),
}
