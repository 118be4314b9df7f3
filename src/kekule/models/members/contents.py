"""Settings and arrays of a stored member, handed out once they are what they must be.

They may come from anybody. What is handed out has the type, the shape and the range that was
asked for and is a number throughout; nothing is made room for that is not there already. Every
fault is a ValueError that names the part.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kekule.models.members.member import Stored

LONGEST_NAME, MOST_NAMES = 200, 10_000

Shape = tuple[int | None, ...]  # None: any length


class Contents:
    """What was stored; every array has to be asked for.

    Parameters
    ----------
    stored
        Of any origin.
    what
        Words for it, with which errors begin.
    """

    def __init__(self, stored: Stored, what: str = "member"):
        settings, arrays = stored
        if not isinstance(settings, Mapping) or not isinstance(arrays, Mapping):
            raise ValueError(f"{what}: settings and arrays are not named parts")
        self.what = what
        self.settings: Mapping[str, Any] = settings
        self._left: dict[str, Any] = dict(arrays)

    def setting(self, name: str, kind: type | tuple[type, ...]) -> Any:
        """Return a setting of one of these types."""
        given = self.settings.get(name)
        if not isinstance(given, kind) or (isinstance(given, bool) and kind is int):
            raise ValueError(f"{self.what}: {name} is {str(given)[:60]!r}")
        return given

    def whole(self, name: str, least: int, most: int) -> int:
        """Whole number in a range."""
        given: int = self.setting(name, int)
        if not least <= given <= most:
            raise ValueError(f"{self.what}: {name} is {given}, not from {least} to {most}")
        return given

    def whole_numbers(self, name: str, least: int, most: int) -> tuple[int, ...]:
        """List of whole numbers in a range."""
        given: list[Any] = self.setting(name, list)
        fit = all(type(value) is int and least <= value <= most for value in given[:MOST_NAMES])
        if not fit or len(given) > MOST_NAMES:
            raise ValueError(f"{self.what}: {name} are {str(given)[:60]}")
        return tuple(given)

    def classes(self, n_classes: int) -> NDArray[np.int64]:
        """Classes that were seen in training, at least two, rising."""
        given = self.whole_numbers("classes", 0, n_classes - 1)
        if len(given) < 2 or any(a >= b for a, b in pairwise(given)):
            raise ValueError(f"{self.what}: classes are {str(given)[:60]}, not two that rise")
        return np.array(given, dtype=np.int64)

    def names(self, name: str) -> tuple[str, ...]:
        """List of different names."""
        given: list[Any] = self.setting(name, list)
        fit = all(isinstance(one, str) and len(one) <= LONGEST_NAME for one in given[:MOST_NAMES])
        if not fit or len(given) > MOST_NAMES or len(set(given)) < len(given):
            raise ValueError(f"{self.what}: {name} are {str(given)[:60]}, not different names")
        return tuple(given)

    def array(self, name: str, dtypes: DTypeLike | tuple[DTypeLike, ...], shape: Shape) -> Any:
        """Array of one of these types and of this shape, all of it finite."""
        if name not in self._left:
            raise ValueError(f"{self.what}: there is no array {name!r}")
        given = self._left.pop(name)
        allowed = [np.dtype(d) for d in (dtypes if isinstance(dtypes, tuple) else (dtypes,))]
        if not isinstance(given, np.ndarray) or given.dtype not in allowed:
            kind = getattr(given, "dtype", type(given).__name__)
            raise ValueError(f"{self.what}: array {name!r} is of {kind}, not {allowed[0]}")
        fits = given.ndim == len(shape) and all(
            wanted is None or length == wanted
            for length, wanted in zip(given.shape, shape, strict=True)
        )
        if not fits:
            raise ValueError(f"{self.what}: array {name!r} is {given.shape}, not {shape}")
        if given.dtype.kind == "f" and not np.isfinite(given).all():
            raise ValueError(f"{self.what}: array {name!r} holds values that are no numbers")
        return np.asarray(given, order="C")

    def under(self, prefix: str, settings: Mapping[str, Any] | None = None) -> "Contents":
        """Arrays whose names begin with `prefix`, without it; they have been asked for then."""
        own = {
            name: self._left.pop(name) for name in [*self._left] if str(name).startswith(prefix)
        }
        bare = {name.removeprefix(prefix): array for name, array in own.items()}
        given = self.settings if settings is None else settings
        return Contents(Stored(dict(given), bare), f"{self.what}, {prefix.rstrip('.')}")

    def end(self) -> None:
        """Refuse arrays that nobody asked for."""
        if self._left:
            raise ValueError(f"{self.what}: array {str(min(self._left, key=str))[:60]!r} is extra")


def storable(settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Stored:
    """Settings and arrays for a file: safetensors writes bytes as they lie, in whichever order."""
    return Stored(settings, {name: np.asarray(a, order="C") for name, a in arrays.items()})


def prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays with `prefix` before their names; `Contents.under` takes it off."""
    return {f"{prefix}{name}": array for name, array in arrays.items()}
