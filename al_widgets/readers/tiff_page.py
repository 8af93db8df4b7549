"""First page of TIFFs that Pillow cannot represent: more than 8 bits a channel, signed, 64-bit, planar.

Imported by `al_widgets.readers.images` only. Any thread.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS_PER_SAMPLE = 258
_SAMPLE_FORMAT = 339
_UNSIGNED = 1
_MIN_IS_WHITE = 0


def is_tiff(data: bytes) -> bool:
    """Say whether the bytes begin like a TIFF or a BigTIFF."""
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def needs_tifffile(picture: Image) -> bool:
    """Say whether a TIFF that Pillow opened has samples that Pillow may cut or widen: over 8 bits, or signed."""
    tags = getattr(picture, "tag_v2", {})
    return any(bits > 8 for bits in _numbers(tags.get(_BITS_PER_SAMPLE, 1))) or any(
        kind != _UNSIGNED for kind in _numbers(tags.get(_SAMPLE_FORMAT, _UNSIGNED))
    )


def _numbers(value: object) -> list[int]:
    return [number for number in (value if isinstance(value, tuple) else (value,)) if isinstance(number, int)]


def read_page(data: bytes, name: str, max_pixels: int) -> npt.NDArray[Any]:
    """Return the first page, upright, shape (h, w) or (h, w, c), in its stored dtype; Pillow is the second try.

    Raises
    ------
    ReadError
        If neither can read it, or it has more than `max_pixels` pixels.
    """
    try:
        return _by_tifffile(data, name, max_pixels)
    except ReadError as first:
        from al_widgets.readers import images

        try:
            picture = images.load(images.open_picture(data, name, max_pixels), name)
        except ReadError:
            raise first from None
        return images.to_array(picture)


def _by_tifffile(data: bytes, name: str, max_pixels: int) -> npt.NDArray[Any]:
    import tifffile

    # Its remarks on broken tags belong to whoever configured logging, not on a notebook's stderr.
    logger = logging.getLogger("tifffile")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    try:
        with tifffile.TiffFile(io.BytesIO(data), name="page.tif") as file:
            page = file.pages[0]
            _check_page(page, len(data), name, max_pixels)
            array = np.asarray(page.asarray())
            axes = str(page.axes)
            white = page.photometric == _MIN_IS_WHITE
            tag = page.tags.get("Orientation")
            turn = int(tag.value) if tag is not None and str(tag.value).isdigit() else 1
    except ReadError:
        raise
    except Exception as error:  # decoders fed with a stranger's bytes raise anything
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise ReadError(name, f"broken TIFF, or one of an unknown kind: {text}") from error
    return _upright(_rows_first(array, axes, name), turn, white)


def _check_page(page: Any, n_bytes: int, name: str, max_pixels: int) -> None:
    """Refuse a page from its header: tifffile would allocate whatever it declares."""
    height, width = int(page.imagelength), int(page.imagewidth)
    if height * width > max_pixels:
        raise ReadError(name, f"its header says {width} x {height} pixels, more than the limit of {max_pixels:,}")
    if page.compression == 1 and page.nbytes > n_bytes:
        raise ReadError(name, f"truncated TIFF: {page.nbytes:,} bytes of pixels in a file of {n_bytes:,}")
    if page.nbytes > 8 * 4 * max_pixels:
        raise ReadError(name, f"its header says {page.nbytes:,} bytes of pixels, too many to decode")


def _rows_first(array: npt.NDArray[Any], axes: str, name: str) -> npt.NDArray[Any]:
    """Bring tifffile's axes (for example SYX of a planar file) to (h, w) or (h, w, c)."""
    if axes == "SYX":
        array, axes = np.moveaxis(array, 0, -1), "YXS"
    if axes == "YXS" and array.ndim == 3 and array.shape[2] == 1:
        array, axes = array[:, :, 0], "YX"
    if axes not in ("YX", "YXS") or array.ndim != len(axes) or array.size == 0 or array.dtype.kind not in "buif":
        raise ReadError(name, f"TIFF page of shape {array.shape}, axes {axes}, {array.dtype}: not a picture")
    return array


def _upright(array: npt.NDArray[Any], turn: int, white: bool) -> npt.NDArray[Any]:
    """Turn as the TIFF tag Orientation says (TIFF 6.0, tag 274); where 0 means white, turn the grey values round."""
    if white and array.dtype.kind == "u":
        array = np.iinfo(array.dtype).max - array
    if array.dtype.kind == "b":
        array = np.where(array ^ white, np.uint8(255), np.uint8(0))
    if turn in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if turn in (2, 3, 6, 7):
        array = array[:, ::-1]
    if turn in (3, 4, 7, 8):
        array = array[::-1]
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False)
