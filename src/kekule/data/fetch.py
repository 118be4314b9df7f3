"""One file from one address onto the disk, tried again where that can help.

A server that is busy, a connection that drops and a body that is shorter than announced
are tried again after a pause; a file that is not there, or a certificate that cannot be
trusted, is not. Knows HTTP; must not know what the file is.
"""

import http.client
import logging
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from kekule._errors import DownloadError

Progress = Callable[[int, int | None], None]
MIRROR_CURE = "Check the connection, or name another place with --mirror DIR|URL."
PAUSES = (1.0, 3.0, 9.0)  # seconds before the second, third and fourth attempt
TIMEOUT = 60.0  # seconds without a byte
LARGEST = 8 * 2**30  # bytes

_CHUNK = 2**18
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_LOG = logging.getLogger(__name__)


class NoSuchFileError(DownloadError):
    """What is asked for is not at this address, and may be at another."""


class _Transient(Exception):  # noqa: N818 - a reason to try again, not an error
    """What may be over at the next attempt."""


def fetch_file(address: str, path: Path, *, progress: Progress | None = None) -> None:
    """Fetch an address into a file.

    Parameters
    ----------
    address
        ``http`` or ``https``; certificates are checked.
    path
        Written, and written anew at each attempt.
    progress
        Called with the bytes so far and in all (None where the server does not say).

    Raises
    ------
    NoSuchFileError
        If the server has no such file.
    DownloadError
        If the address answers with another lasting error, or still fails at the last attempt.
    """
    for pause in (*PAUSES, None):
        try:
            _attempt(address, path, progress)
        except _Transient as failure:
            if pause is None:
                why = f"{failure}, {len(PAUSES) + 1} times"
                raise DownloadError(address, why, MIRROR_CURE) from failure
            _LOG.warning("%s: %s; trying again in %g s", address, failure, pause)
            time.sleep(pause)
        else:
            return


def _attempt(address: str, path: Path, progress: Progress | None) -> None:
    request = urllib.request.Request(address, headers={"User-Agent": "kekule"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            if address.startswith("https:") and not response.url.startswith("https:"):
                why = f"it leads to {response.url}, which is not protected"
                raise DownloadError(address, why, MIRROR_CURE)
            _save(address, response, path, progress)
    except urllib.error.HTTPError as error:
        with error:
            _refuse(address, error)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            why = f"its certificate cannot be trusted ({error.reason.verify_message})"
            raise DownloadError(address, why, MIRROR_CURE) from error
        raise _Transient(f"no connection ({error.reason})") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _Transient(f"the connection broke ({error or type(error).__name__})") from error


def _refuse(address: str, error: urllib.error.HTTPError) -> None:
    """Turn the server's status into a reason to try again or to stop."""
    if error.code in _BUSY:
        raise _Transient(f"the server answers {error.code} {error.reason}") from error
    if error.code in (404, 410):
        why = f"there is no such file ({error.code} {error.reason})"
        cure = "Check the spelling with `kekule data list`, or name a --mirror that has it."
        raise NoSuchFileError(address, why, cure) from error
    why = f"the server answers {error.code} {error.reason}"
    raise DownloadError(address, why, MIRROR_CURE) from error


def _save(
    address: str, response: http.client.HTTPResponse, path: Path, progress: Progress | None
) -> None:
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    done = 0
    with path.open("wb") as file:
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if done > LARGEST:
                why = f"it is larger than {LARGEST} bytes"
                raise DownloadError(address, why, "Fetch it by hand if it is meant to be.")
            if progress is not None:
                progress(done, total)
    if total is not None and done != total:
        raise _Transient(f"only {done} of {total} bytes came")
