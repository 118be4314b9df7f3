"""Rows of numbers for models without a graph: fingerprints and descriptors of molecules.

One contract for all of them: a molecule in, a row of fixed width out, the same however
its SMILES is written. `FINGERPRINTS` says of each when to use it and when not.
"""

from kekule.features.fingerprints.catalogue import FINGERPRINTS as FINGERPRINTS
from kekule.features.fingerprints.fingerprint import Fingerprint as Fingerprint
from kekule.features.fingerprints.stored import stored_fingerprints as stored_fingerprints
from kekule.features.fingerprints.table import FingerprintTable as FingerprintTable
from kekule.features.fingerprints.table import UnknownFingerprintError as UnknownFingerprintError
from kekule.features.fingerprints.table import fingerprints as fingerprints
