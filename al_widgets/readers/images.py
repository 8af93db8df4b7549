"""Pictures from PNG, JPEG, WebP, GIF, BMP and TIFF files, for encoders and for the screen.

Imported by pools. Any thread may call; no global state of Pillow or of `warnings` is touched: the plugin is chosen by the
file's first bytes and its size is checked from the header, before Pillow's own check could warn.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError
from al_widgets.readers.file_bytes import read_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 1024**3 // 4 // 3
"""Largest picture that is decoded, in pixels: a quarter of a gigabyte of RGB, Pillow's own bound of what is harmless."""

EXTENSIONS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff")
"""Endings of file names that are taken for pictures, lower case."""

_EXIF_ORIENTATION = 0x0112


def read_image(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.generic]:
    """Return the picture in a file, upright; the first one where there are several frames or pages.

    Parameters
    ----------
    path : str or path-like
    max_pixels : int
        Pictures with more pixels are refused before they are decoded.

    Returns
    -------
    ndarray (h, w), (h, w, 3) or (h, w, 4)
        uint8 for 1- and 8-bit pictures (1-bit as 0 and 255; palettes looked up; CMYK and YCbCr as RGB; grey with alpha as
        RGBA), uint16 for 16-bit grey, and the stored dtype for other TIFFs. 16-bit RGB in PNG comes as uint8.

    Raises
    ------
    ReadError
        If the file cannot be read or is no picture; never another exception.
    """
    return decode_image(read_bytes(path), os.fspath(path), max_pixels)


def decode_image(
    data: bytes, name: str, max_pixels: int = MAX_PIXELS, near_side: int | None = None
) -> npt.NDArray[np.generic]:
    """Return the picture in `data`; see `read_image`.

    Parameters
    ----------
    data : bytes
    name : str
        What errors call it.
    max_pixels : int
    near_side : int, optional
        Permission to decode a JPEG at 1/2, 1/4 or 1/8 of its size, as long as its shorter side keeps this many pixels:
        several times faster, for encoders that shrink it anyway.
    """
    from al_widgets.readers.tiff_page import is_tiff, needs_tifffile, read_page

    tiff = is_tiff(data)
    try:
        picture = open_picture(data, name, max_pixels)
        if not (tiff and needs_tifffile(picture)):
            if near_side is not None:
                shrink_while_decoding(picture, near_side)
            return to_array(upright(load(picture, name)))
    except ReadError:
        if not tiff:
            raise
    return read_page(data, name, max_pixels)


def open_picture(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Image:
    """Read the header only and return Pillow's picture, not decoded and within `max_pixels`; raises `ReadError`."""
    kind = _kind(data)
    if kind is None:
        raise ReadError(name, "it is no PNG, JPEG, WebP, GIF, BMP or TIFF picture")
    declared = _declared_size(kind, data)
    if declared is not None:
        _check_size(name, *declared, max_pixels)
    try:
        picture = _plugin(kind, data, name)
    except Exception as error:  # decoders fed with a stranger's bytes raise anything
        raise ReadError(name, f"broken {kind} header: {_words(error)}") from error
    _check_size(name, *picture.size, max_pixels)
    return picture


def load(picture: Image, name: str) -> Image:
    """Decode the pixels; raises `ReadError` for a truncated or broken file."""
    try:
        picture.load()
    except Exception as error:  # as above
        raise ReadError(name, f"truncated or broken {picture.format}: {_words(error)}") from error
    return picture


def orientation(picture: Image) -> int:
    """Return the EXIF orientation 1 … 8; 1 where there is none or where it is malformed.

    TIFF pictures give 1: Pillow turns them upright while decoding.
    """
    if picture.format == "TIFF":
        return 1
    try:
        value = picture.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # a broken EXIF block does not spoil the pixels
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(picture: Image) -> Image:
    """Return the decoded picture turned as its EXIF orientation says."""
    from PIL.Image import Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def shrink_while_decoding(picture: Image, near_side: int) -> None:
    """Let the JPEG decoder work at a fraction of the size, its shorter side at least `near_side`; others are left alone."""
    shorter = min(picture.size)
    if picture.format == "JPEG" and shorter >= 2 * near_side:
        # Pillow picks the largest of 2, 4, 8 that keeps both sides at or above what is asked.
        width, height = (max(1, side * near_side // shorter) for side in picture.size)
        picture.draft(None, (width, height))


def displayable(picture: Image) -> Image:
    """Return a decoded picture as mode L, RGB or RGBA; 16-bit, int32 and float modes are returned as they are."""
    mode = picture.mode
    if mode in ("L", "RGB", "RGBA", "F") or mode.startswith("I"):
        return picture
    if mode == "1":
        return picture.convert("L")
    if mode == "P":
        if "transparency" in picture.info:
            return picture.convert("RGBA")
        rgb = picture.convert("RGB")
        red, green, blue = np.asarray(rgb).transpose(2, 0, 1)
        return rgb.getchannel(0) if np.array_equal(red, green) and np.array_equal(red, blue) else rgb
    if mode in ("PA", "LA", "La", "RGBa"):
        # Premultiplied grey has one way out, by LA.
        return (picture.convert("LA") if mode == "La" else picture).convert("RGBA")
    return picture.convert("RGB")


def to_array(picture: Image) -> npt.NDArray[np.generic]:
    """Return a decoded picture as a native-endian array; see `read_image`."""
    array = np.array(displayable(picture))
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _kind(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data.startswith(b"BM"):
        return "BMP"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    return None


def _plugin(kind: str, data: bytes, name: str) -> Image:
    from PIL import (
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    classes: dict[str, Any] = {
        "PNG": PngImagePlugin.PngImageFile,
        "JPEG": JpegImagePlugin.JpegImageFile,  # a multi-picture file (MPO) is read as its first picture
        "WebP": WebPImagePlugin.WebPImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
    }
    picture: Image = classes[kind](io.BytesIO(data), name)
    return picture


def _declared_size(kind: str, data: bytes) -> tuple[int, int] | None:
    """Width and height where they stand at a fixed place: GIF and BMP plugins allocate or warn before they can be asked."""
    if kind == "GIF" and len(data) >= 10:
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if kind == "PNG" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return None


def _check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise ReadError(name, f"it has no pixels: its header says {width} x {height}")
    if width * height > max_pixels:
        raise ReadError(name, f"its header says {width} x {height} pixels, more than the limit of {max_pixels:,}")


def _words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:200] or type(error).__name__
