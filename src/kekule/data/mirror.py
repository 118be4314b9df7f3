"""Where a set is fetched from in place of its own address: a folder, or a server."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from kekule._errors import DownloadError


def mirror_place(mirror: str) -> Path | str:
    """Read what ``--mirror`` names: a folder's path, or an address without its last slash.

    Raises
    ------
    DownloadError
        If it is an address of another kind than ``http``, ``https`` and ``file``.
    """
    cure = "Give a folder, or an http, https or file address."
    try:
        parts = urlsplit(mirror)
        _ = parts.port
    except ValueError as error:
        raise DownloadError(mirror, f"this is no address ({error})", cure) from None
    scheme = parts.scheme if "://" in mirror else ""
    if scheme in ("http", "https"):
        return mirror.rstrip("/")
    if scheme in ("", "file"):
        return Path(unquote(urlsplit(mirror).path) if scheme else mirror).expanduser().resolve()
    raise DownloadError(mirror, f"a mirror cannot be of kind {scheme!r}", cure)
