"""The manifest of a bundle: what it is, and the checksum of every byte in it.

A bundle comes from outside. It is read as JSON and safetensors, never as pickle; every
file must be listed with its sha256, no name may leave the folder, and the manifest carries
a sum of itself, so that a changed byte anywhere is an error that names the file.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kekule._errors import BundleError

MANIFEST = "bundle.json"
FORMAT = 4
LARGEST_JSON = 256 * 1024 * 1024  # bytes
COPY_AGAIN = "Copy the bundle again from where it was made, or train it anew."
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")


def sha256_of(path: Path) -> str:
    """Hash of a file's bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(path, f"it cannot be read: {error.strerror}", COPY_AGAIN) from None


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write ``bundle.json`` over every other file of `folder`, last of all."""
    files = sorted(p for p in folder.iterdir() if p.name != MANIFEST)
    content = {"format": FORMAT, **content, "files": {p.name: sha256_of(p) for p in files}}
    content["sha256"] = _own_sum(content)
    (folder / MANIFEST).write_bytes(json_bytes(content))


def read_manifest(folder: Path, *, needed: Iterable[str]) -> dict[str, Any]:
    """Read and verify ``bundle.json`` and every file it lists.

    Parameters
    ----------
    folder
        The bundle.
    needed
        Files that must be on the list, so that none is read unverified.

    Raises
    ------
    BundleError
        If the folder is no bundle, was written by a newer version, or a file is missing
        or differs from its checksum; names the file.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        raise BundleError(
            folder, "there is no such folder", "Give a bundle or a run folder of `kekule train`."
        )
    if not path.is_file():
        raise BundleError(
            folder,
            f"there is no {MANIFEST} in it",
            "Give a bundle or a run folder of `kekule train`.",
        )
    raw = _read_bytes(path)
    content = _parsed(path, raw)
    version = content.get("format") if isinstance(content, dict) else None
    if type(version) is not int or version < 1:
        raise BundleError(path, "it states no format version", COPY_AGAIN)
    if version > FORMAT:
        raise BundleError(
            path,
            f"it has format {version}, and this version of kekule reads up to {FORMAT}",
            "Install a newer kekule.",
        )
    if content.get("sha256") != _own_sum(content) or json_bytes(content) != raw:
        raise BundleError(path, "it was changed after it was written", COPY_AGAIN)
    _check_files(folder, content.get("files"), needed)
    return dict(content)


def read_json(path: Path) -> Any:
    """Read a JSON file of a bundle.

    Raises
    ------
    BundleError
        If it is missing, absurdly large or not JSON.
    """
    return _parsed(path, _read_bytes(path))


def json_bytes(content: Any) -> bytes:
    """The one way JSON is written into a bundle."""
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")  # half a character, in a name, is escaped


def _read_bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise BundleError(path, "it is larger than 256 MiB", COPY_AGAIN)
        return path.read_bytes()
    except OSError as error:
        raise BundleError(path, f"it cannot be read: {error.strerror}", COPY_AGAIN) from None


def _parsed(path: Path, raw: bytes) -> Any:
    """JSON that can also be written again: nested no deeper than the interpreter follows."""
    try:
        content = json.loads(raw.decode("utf-8"))
        json.dumps(content)
    except (ValueError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise BundleError(path, f"it is not JSON: {why}", COPY_AGAIN) from None
    return content


def _own_sum(content: dict[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _check_files(folder: Path, files: Any, needed: Iterable[str]) -> None:
    """Hold every listed file against its checksum."""
    if not isinstance(files, dict) or not all(isinstance(v, str) for v in files.values()):
        raise BundleError(folder / MANIFEST, "it lists no files with checksums", COPY_AGAIN)
    for name in needed:
        if name not in files:
            raise BundleError(folder / MANIFEST, f"it does not list {name}", COPY_AGAIN)
    for name, expected in files.items():
        _check_file(folder, name, expected)


def _check_file(folder: Path, name: str, expected: str) -> None:
    path = folder / name
    if not _PLAIN_NAME.match(name):
        raise BundleError(folder / MANIFEST, f"{name!r} is not a plain file name", COPY_AGAIN)
    if path.is_symlink() or not path.is_file():
        raise BundleError(path, "the manifest lists it, and it is not there as a file", COPY_AGAIN)
    found = sha256_of(path)
    if found != expected:
        raise BundleError(
            path, f"it has sha256 {found[:12]}… instead of {expected[:12]}…", COPY_AGAIN
        )
