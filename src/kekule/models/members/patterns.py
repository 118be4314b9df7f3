"""Vocabularies of subtree patterns as arrays of a stored member."""

from typing import Any

from numpy import uint64
from numpy.typing import NDArray

from kekule.features.wl_vocabulary import WLVocabulary
from kekule.models.members.contents import Contents

DEEPEST = 10  # that a stored member may ask for


def vocabulary_in(given: Contents) -> WLVocabulary:
    """Vocabulary of what `arrays_of_vocabulary` gave, down to the setting ``depth``."""
    depth = given.whole("depth", 0, DEEPEST)
    patterns = tuple(given.array(_name(d), uint64, (None,)) for d in range(depth + 1))
    try:
        return WLVocabulary(patterns)
    except ValueError as error:
        raise ValueError(f"{given.what}: {error}") from None


def arrays_of_vocabulary(vocabulary: WLVocabulary) -> dict[str, NDArray[Any]]:
    """Arrays by name; ``depth`` is to be the last one's."""
    return {_name(depth): own for depth, own in enumerate(vocabulary.patterns)}


def _name(depth: int) -> str:
    return f"patterns{depth}"
