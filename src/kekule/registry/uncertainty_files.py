"""What is known of a model's sureness, as files of its bundle.

``calibration.json``: settings, and for each task the calibrator and the threshold that belongs to
its probabilities. ``conformal.json``: for each task the scores of its calibration rows.
``domain.npz``, where there is a domain: arrays of numbers, read without pickle.

A bundle comes from outside. What is in these files is believed once it is what it must be, and an
array is read once its size is known to be that of its bytes. Must not know how any of it was
fitted.
"""

import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kekule._errors import BundleError, KekuleError
from kekule.evaluation.domain import Domain
from kekule.evaluation.uncertainty import BOTH, Uncertainty, UncertaintyError
from kekule.evaluation.uncertainty_domain import MOST_ROWS, WIDTHS
from kekule.evaluation.uncertainty_stored import MOST_COUNTED
from kekule.features.similarity import MOST_BITS
from kekule.registry.manifest import COPY_AGAIN, json_bytes, read_json

CALIBRATION, CONFORMAL, DOMAIN = "calibration.json", "conformal.json", "domain.npz"
LARGEST: Final = 256 * 1024 * 1024  # bytes of a domain's arrays and their headers, unpacked
SIMILARITY = "similarity"  # the array that says what is counted
_KINDS = tuple(WIDTHS)
_WORTH = ("worth", "bins")
_SINGLE = ("threshold", "k", "measure", SIMILARITY)
_REAL = ("threshold", "bins")  # the others are whole numbers
_NAMES = ("indptr", "indices", "data", "shape", "rows", *_SINGLE)
_DAMAGED = (  # what reading a damaged .npz raises, or arrays that do not fit each other
    *(ArithmeticError, EOFError, LookupError, MemoryError, NotImplementedError, OSError),
    *(RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)


def write_uncertainty(folder: Path, uncertainty: Uncertainty) -> None:
    """Write the files into a bundle's folder, before its manifest is written over them."""
    told = uncertainty.to_json()
    (folder / CALIBRATION).write_bytes(json_bytes(told["calibration"]))
    (folder / CONFORMAL).write_bytes(json_bytes(told["conformal"]))
    if uncertainty.domain is None:
        return
    arrays: dict[str, Any] = {
        **uncertainty.domain.to_arrays(),
        SIMILARITY: np.int64(_KINDS.index(uncertainty.similarity)),
    }
    with (folder / DOMAIN).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_uncertainty(
    folder: Path, manifest: Mapping[str, Any], *, n_classes: int, n_tasks: int = 1
) -> Uncertainty | None:
    """Read the files that a verified manifest lists; None where it lists none of them.

    Bundles made before there were such files have none.

    Parameters
    ----------
    folder
        The bundle.
    manifest
        Of `kekule.registry.manifest.read_manifest`, which held each file against its checksum.
    n_classes, n_tasks
        Of the model.

    Raises
    ------
    BundleError
        If one is missing beside the others, or is not what it must be; names the file.
    """
    listed = [name for name in (CALIBRATION, CONFORMAL, DOMAIN) if name in manifest["files"]]
    if not listed:
        return None
    if missing := [name for name in (CALIBRATION, CONFORMAL) if name not in listed]:
        why = f"it belongs to {missing[0]}, which the manifest does not list"
        raise BundleError(folder / listed[0], why, COPY_AGAIN)
    parts = {Path(name).stem: read_json(folder / name) for name in (CALIBRATION, CONFORMAL)}
    try:
        found = Uncertainty.from_json(parts)
    except UncertaintyError as error:
        why = _first_words(error.why)
        if error.what == BOTH:
            where = folder / f"{CALIBRATION}, {CONFORMAL}"
            raise BundleError(where, f"they do not fit each other: {why}", COPY_AGAIN) from None
        raise BundleError(
            folder / f"{error.what}.json", f"it is damaged: {why}", COPY_AGAIN
        ) from None
    classes = {task.n_classes for task in found.tasks}
    if len(found.tasks) != n_tasks or classes != {n_classes}:
        why = f"it is of {len(found.tasks)} task(s) with {sorted(classes)} classes"
        why += f", and the model has {n_tasks} with {n_classes}"
        raise BundleError(folder / CALIBRATION, why, COPY_AGAIN)
    if DOMAIN not in listed:
        return found
    domain, similarity = _read_domain(folder / DOMAIN)
    return replace(found, domain=domain, similarity=similarity)


def _read_domain(path: Path) -> tuple[Domain, str]:
    try:
        arrays = _arrays(path)
        kind = int(arrays.pop(SIMILARITY))
        if not 0 <= kind < len(_KINDS):
            raise ValueError(f"similarity {kind} is unknown here")
        _check(arrays, WIDTHS[_KINDS[kind]])
        return Domain.from_arrays(arrays), _KINDS[kind]
    except (KekuleError, *_DAMAGED) as error:
        raise BundleError(
            path,
            f"it holds no domain: {_first_words(str(error)) or type(error).__name__}",
            COPY_AGAIN,
        ) from None


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of an ``.npz``, each of numbers, and of as many as its header promises."""
    with path.open("rb") as file, zipfile.ZipFile(file) as members:
        sizes = {info.filename: info.file_size for info in members.infolist()}
        wanted = [f"{name}.npy" for name in _NAMES]
        optional = [f"{name}.npy" for name in _WORTH if f"{name}.npy" in sizes]
        if len(sizes) != len(members.infolist()) or set(sizes) != {*wanted, *optional}:
            raise ValueError(f"its arrays are {', '.join(sorted(sizes))[:120]}")
        if sum(sizes.values()) > LARGEST:
            raise ValueError(f"its arrays take {sum(sizes.values())} bytes, at most {LARGEST}")
        for name, size in sizes.items():
            _check_header(members, name, size)
        file.seek(0)
        with np.load(file, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}


def _check_header(members: zipfile.ZipFile, name: str, size: int) -> None:
    """Refuse an array whose header promises what its bytes do not hold, or another kind."""
    with members.open(name) as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):
            raise ValueError(f"{name} has version {version}")
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        promised = math.prod(shape) * dtype.itemsize + member.tell()
    kinds = "iuf" if name.removesuffix(".npy") in _REAL else "iu"
    several = bool(shape) and name.removesuffix(".npy") in _SINGLE
    if dtype.kind not in kinds or several or promised != size:
        raise ValueError(f"{name} is {dtype} {shape} in {size} bytes")


def _check(arrays: Mapping[str, NDArray[Any]], width: int) -> None:
    """Refuse what `Domain.from_arrays` would take and a question would fall over later."""
    shape, data = arrays["shape"], arrays["data"]
    if shape.shape != (2,) or shape[1] != width or not 1 <= shape[0] <= MOST_ROWS:
        raise ValueError(
            f"rows of shape {str(shape.tolist())[:40]}, not (m, {width}) with m up to {MOST_ROWS}"
        )
    if (data < 0).any() or data.sum(dtype=np.float64) > MOST_BITS:
        raise ValueError(f"{data.dtype} values are no counts, or more than {MOST_BITS} in all")
    rows, threshold = arrays["rows"].astype(np.int64), float(arrays["threshold"])
    if (rows < 0).any() or not 0 <= threshold <= 1:
        raise ValueError(f"threshold {threshold} is not from 0 to 1, or a row below 0")
    if any(name in arrays for name in _WORTH):
        _check_worth(*(arrays[name] for name in _WORTH))


def _check_worth(counts: NDArray[Any], bins: NDArray[Any]) -> None:
    if counts.ndim != 2 or counts.shape[1] != 2 or len(counts) < 2:
        raise ValueError(f"what it is worth is {counts.dtype} {counts.shape}")
    hits, rows = counts.T
    if (hits < 0).any() or (hits > rows).any() or (rows > MOST_COUNTED).any():
        raise ValueError(f"what it is worth are no wrong answers of up to {MOST_COUNTED} rows")
    if bins.shape != (len(counts) - 2, 2) or not ((bins >= 0) & (bins <= 1)).all():
        raise ValueError(f"bins of similarity {bins.shape} are not from 0 to 1")
    if (np.diff(bins.reshape(-1)) < 0).any():
        raise ValueError("bins of similarity do not rise")


def _first_words(text: str, most: int = 300) -> str:
    return " ".join(text.split())[:most]
