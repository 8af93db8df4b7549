"""Pictures on their way to the screen: files as they are where a browser can decode them, scientific values as typed bytes.

Imported by pools. Pure functions; any thread.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from al_widgets.errors import ReadError
from al_widgets.readers import images
from al_widgets.readers.tiff_page import needs_tifffile
from al_widgets.records import Payload

if TYPE_CHECKING:
    from PIL.Image import Image

Array = npt.NDArray[Any]

LOW_PERCENTILE, HIGH_PERCENTILE = 2.0, 98.0

_PERCENTILE_SAMPLE = 65_536
_RAW_LIMIT = 256 * 1024  # bytes of uint8 that travel uncompressed: encoding them would cost more than sending them
_FILE_LIMIT = 4 * 1024**2  # a larger file of few pixels (BMP, metadata) is encoded afresh
_MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}
_PNG_EXIF_MARKS = (b"eXIf", b"Raw profile type", b"tiff:Orientation")
_BROWSER_MODES = {
    "PNG": {"1", "L", "LA", "P", "RGB", "RGBA"},
    "JPEG": {"L", "RGB"},
    "WEBP": {"RGB", "RGBA"},
    "GIF": {"L", "P", "RGB", "RGBA"},
    "BMP": {"1", "L", "P", "RGB"},
}


def file_payload(data: bytes, name: str, max_side: int) -> Payload:
    """Return the payload of an image file.

    A file travels as it is if every browser shows it as `al_widgets.readers.images.read_image` reads it: PNG, JPEG, WebP, GIF
    or BMP, 8 bits, no CMYK, no animation, EXIF orientation 1 (browsers disagree about the others), at most `max_side`
    pixels a side and not broken. Other 8-bit pictures are turned upright, shrunk and encoded as PNG or JPEG; deeper ones
    travel as typed values.

    Raises
    ------
    ReadError
        If the file is no picture, or broken.
    """
    try:
        picture = images.open_picture(data, name)
    except ReadError:
        return array_payload(
            images.decode_image(data, name), max_side
        )  # a TIFF only tifffile can open; or raises again
    if picture.format == "TIFF" and needs_tifffile(picture):
        return array_payload(images.decode_image(data, name), max_side)
    if picture.mode.startswith("I") or picture.mode == "F":
        return array_payload(images.to_array(images.upright(images.load(picture, name))), max_side)
    if _browser_ready(picture, data, max_side):
        return _as_it_is(picture, data, name)
    return _encoded_afresh(picture, name, max_side)


def array_payload(array: Array, max_side: int) -> Payload:
    """Return the payload of an array (h, w) or (h, w, c).

    uint8 pictures travel as raw values or, when large, as PNG. Others travel as little-endian int8, uint16, int16 or float32
    (wider integers and float64 as float32, bool as uint8), shrunk by block means to at most `max_side` pixels a side,
    with NaN replaced by `low` and infinities by the largest finite values. Of two channels the third is 0; of more than four
    the first three are shown.
    """
    height, width = array.shape[:2]
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        array = array[:, :, :3]
        if array.shape[2] == 2:
            array = np.concatenate([array, np.zeros_like(array[:, :, :1])], axis=2)
    array = shrink(screen_dtype(array), max_side)
    if array.dtype == np.uint8:
        low, high = 0.0, 255.0
        if int(array.max(initial=0)) <= 1:  # masks of 0 and 1 would be black on black
            high = 1.0
        elif array.nbytes > _RAW_LIMIT:
            return _png_of_array(array, width, height)
    else:
        low, high = display_range(array)
    if array.dtype.kind == "f":
        array = _finite(array, low)
    rows, columns = array.shape[:2]
    return Payload(
        encoding="raw",
        mime="",
        dtype=array.dtype.name,
        width=columns,
        height=rows,
        channels=1 if array.ndim == 2 else array.shape[2],
        native_width=width,
        native_height=height,
        low=low,
        high=high,
        data=np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes(),
    )


def screen_dtype(array: Array) -> Array:
    """Convert to what the page can show: uint8, int8, uint16, int16 or float32; values beyond float32 become infinite."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind in "ui" and array.dtype.itemsize <= 2:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float32)


def shrink(array: Array, max_side: int) -> Array:
    """Shrink by one whole factor on both sides until no side exceeds `max_side`; each pixel is the mean of its block.

    Blocks at the far edges may be smaller. NaN counts as missing within a block, infinities as they come.
    """
    height, width = array.shape[:2]
    factor = -(-max(height, width) // max(1, max_side))
    if factor <= 1:
        return array
    rows, columns = np.arange(0, height, factor), np.arange(0, width, factor)
    values = array.astype(np.float64)
    missing = np.isnan(values)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        total = np.add.reduceat(np.add.reduceat(np.where(missing, 0.0, values), rows, 0), columns, 1)
        count = np.add.reduceat(np.add.reduceat((~missing).astype(np.float64), rows, 0), columns, 1)
        mean = total / count
        return (np.rint(mean) if array.dtype.kind in "ui" else mean).astype(array.dtype)


def display_range(array: Array) -> tuple[float, float]:
    """Return the values shown black and white: 2nd and 98th percentile of the finite values, ``low < high``."""
    flat = array.reshape(-1)
    flat = flat[:: max(1, flat.size // _PERCENTILE_SAMPLE)]
    if flat.dtype.kind == "f":
        flat = flat[np.isfinite(flat)]
    if not flat.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(flat.astype(np.float64), (LOW_PERCENTILE, HIGH_PERCENTILE)))
    if low < high:
        return low, high
    low, high = float(flat.min()), float(flat.max())  # nearly constant: show what there is
    return (low, high) if low < high else (low, low + max(1.0, abs(low) * 1e-3))


def _finite(array: Array, low: float) -> Array:
    finite = np.isfinite(array)
    if finite.all():
        return array
    bottom, top = (float(array[finite].min()), float(array[finite].max())) if finite.any() else (0.0, 1.0)
    return np.nan_to_num(array, nan=low, posinf=top, neginf=bottom).astype(array.dtype, copy=False)


def _browser_ready(picture: Image, data: bytes, max_side: int) -> bool:
    kind = str(picture.format)
    return (
        picture.mode in _BROWSER_MODES.get(kind, ())
        and max(picture.size) <= max_side
        and len(data) <= _FILE_LIMIT
        and _is_upright(picture, data)
        and not (kind in ("PNG", "WEBP", "GIF") and getattr(picture, "is_animated", False))
    )


def _is_upright(picture: Image, data: bytes) -> bool:
    """Say whether EXIF leaves the picture as it is; of a PNG without any, Pillow would decode all pixels to look for it."""
    if picture.format == "PNG" and not any(mark in data for mark in _PNG_EXIF_MARKS):
        return True
    return images.orientation(picture) == 1


def _as_it_is(picture: Image, data: bytes, name: str) -> Payload:
    """Check that the file decodes to its end, as cheaply as its format allows, and pass its bytes on."""
    width, height = picture.size
    channels = len(picture.getbands())
    if picture.format == "PNG" and getattr(picture, "fp", None) is not None:
        try:
            picture.verify()  # checksums of all chunks, several times faster than decoding
        except Exception as error:  # decoders fed with a stranger's bytes raise anything
            raise ReadError(name, f"truncated or broken PNG: {error}") from error
    else:
        images.shrink_while_decoding(picture, 1)
        images.load(picture, name)
    return Payload(
        encoding="file",
        mime=_MIME[str(picture.format)],
        dtype="",
        width=width,
        height=height,
        channels=channels,
        native_width=width,
        native_height=height,
        low=0.0,
        high=255.0,
        data=data,
    )


def _encoded_afresh(picture: Image, name: str, max_side: int) -> Payload:
    from PIL.Image import Resampling

    kind, profile = picture.format, picture.info.get("icc_profile") if picture.mode in ("RGB", "L") else None
    turn = images.orientation(picture)
    native = picture.size if turn < 5 else picture.size[::-1]
    scale = min(1.0, max_side / max(picture.size))
    target = (max(1, round(native[0] * scale)), max(1, round(native[1] * scale)))
    images.shrink_while_decoding(picture, max(1, min(target)))
    picture = images.load(picture, name)
    if kind == "TIFF":  # turned by Pillow while decoding
        native = picture.size
        target = (max(1, round(native[0] * scale)), max(1, round(native[1] * scale)))
    shown = images.displayable(images.upright(picture))
    if shown.size != target:
        shown = shown.resize(target, Resampling.LANCZOS, reducing_gap=2.0)
    lossy = kind in ("JPEG", "WEBP") or (shown.mode == "RGB" and shown.getcolors(1024) is None and target != native)
    buffer = io.BytesIO()
    if lossy and shown.mode != "RGBA":
        mime = "image/jpeg"
        shown.save(buffer, "JPEG", quality=90, icc_profile=profile)
    else:
        mime = "image/png"
        shown.save(buffer, "PNG", compress_level=1, icc_profile=profile)
    return Payload(
        encoding="file",
        mime=mime,
        dtype="",
        width=target[0],
        height=target[1],
        channels=len(shown.getbands()),
        native_width=native[0],
        native_height=native[1],
        low=0.0,
        high=255.0,
        data=buffer.getvalue(),
    )


def _png_of_array(array: Array, native_width: int, native_height: int) -> Payload:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(array[:, :, 0] if array.shape[2:] == (1,) else array))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return Payload(
        encoding="file",
        mime="image/png",
        dtype="",
        width=picture.width,
        height=picture.height,
        channels=len(picture.getbands()),
        native_width=native_width,
        native_height=native_height,
        low=0.0,
        high=255.0,
        data=buffer.getvalue(),
    )
