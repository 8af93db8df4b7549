"""Files on their way to the screen: as they are, or as what every browser shows alike."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from al_widgets.errors import ReadError
from al_widgets.pool.payload import file_payload

RNG = np.random.default_rng(0)


def photo(width, height):
    """Smooth colours with some noise, as JPEG likes them."""
    y, x = np.mgrid[:height, :width]
    base = np.stack([x * 255 / width, y * 255 / height, (x + y) * 255 / (width + height)], -1)
    return Image.fromarray((base + RNG.normal(0, 4, base.shape)).clip(0, 255).astype(np.uint8))


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def shown(payload):
    picture = Image.open(io.BytesIO(payload.data))
    assert picture.get_format_mimetype() == payload.mime
    assert picture.size == (payload.width, payload.height)
    assert len(picture.getbands()) == payload.channels
    return picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_file_payload_passes_on_what_browsers_decode(kind):
    data = encoded(photo(120, 90), kind)
    payload = file_payload(data, "a", 120)
    assert payload.encoding == "file"
    assert payload.data == data
    assert (payload.native_width, payload.native_height) == (120, 90)
    shown(payload)


def test_file_payload_shrinks_photos_as_jpeg_of_the_same_proportions():
    picture = photo(900, 600)
    for kind in ("JPEG", "PNG"):
        payload = file_payload(encoded(picture, kind), "a", 300)
        assert payload.mime == "image/jpeg"
        assert (payload.width, payload.height, payload.native_width, payload.native_height) == (300, 200, 900, 600)
        small = np.asarray(picture.resize((300, 200)), float)
        assert np.abs(np.asarray(shown(payload), float) - small).mean() < 4


def test_file_payload_shrinks_line_art_palettes_and_transparency_as_png():
    drawing = Image.fromarray(((np.indices((600, 600)).sum(0) // 40 % 2) * 255).astype(np.uint8))
    for picture in (drawing, drawing.convert("P"), drawing.convert("1"), photo(600, 600).convert("RGBA")):
        payload = file_payload(encoded(picture, "PNG"), "a", 300)
        assert payload.mime == "image/png"
        assert (payload.width, payload.height) == (300, 300)
        shown(payload)


@pytest.mark.parametrize("max_side", [1600, 60])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_file_payload_turns_pictures_upright_itself(kind, turn, max_side):
    """No EXIF reaches the page, so that it does not matter whether a browser obeys it."""
    picture = Image.new("RGB", (120, 80), "black")
    picture.paste("white", (0, 0, 60, 40))
    exif = Image.Exif()
    exif[0x0112] = turn
    options = {"tiffinfo": {274: turn}} if kind == "TIFF" else {"exif": exif}
    payload = file_payload(encoded(picture, kind, **options), "a", max_side)
    wide = turn < 5
    assert (payload.native_width, payload.native_height) == ((120, 80) if wide else (80, 120))
    assert max(payload.width, payload.height) == min(120, max_side)
    page = shown(payload)
    assert page.getexif().get(0x0112, 1) == 1
    # The white quarter, seen upright, by the definition of the EXIF tag (row 0, column 0).
    left, top = {1: (1, 1), 2: (0, 1), 3: (0, 0), 4: (1, 0), 5: (1, 1), 6: (0, 1), 7: (0, 0), 8: (1, 0)}[turn]
    levels = np.asarray(page.convert("L"))
    height, width = levels.shape
    quarter = levels[: height // 2] if top else levels[height // 2 :]
    quarter = quarter[:, : width // 2] if left else quarter[:, width // 2 :]
    assert quarter.mean() > 230
    assert levels.mean() < 80


def test_file_payload_converts_what_browsers_show_differently():
    cmyk = file_payload(encoded(Image.new("CMYK", (20, 10), (0, 255, 255, 0)), "JPEG"), "a", 1600)
    np.testing.assert_allclose(np.asarray(shown(cmyk)).mean((0, 1)), [254, 0, 0], atol=4)
    frames = [photo(20, 10), photo(20, 10).rotate(180)]
    for kind in ("GIF", "PNG", "WEBP"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert not getattr(shown(file_payload(data, "a", 1600)), "is_animated", False)
    tiff = file_payload(encoded(photo(20, 10), "TIFF"), "a", 1600)
    assert tiff.mime == "image/png"


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_file_payload_sends_deep_tiffs_as_values(dtype):
    array = (RNG.random((10, 20)) * 1000 - (500 if dtype != np.uint16 else 0)).astype(dtype)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array)
    payload = file_payload(buffer.getvalue(), "a", 1600)
    assert (payload.encoding, payload.dtype) == ("raw", np.dtype(dtype).name)
    np.testing.assert_array_equal(np.frombuffer(payload.data, dtype).reshape(10, 20), array)
    assert array.min() <= payload.low < payload.high <= array.max()


def test_file_payload_sends_16_bit_grey_png_as_values():
    array = RNG.integers(0, 65536, (10, 20), dtype=np.uint16)
    payload = file_payload(encoded(Image.fromarray(array), "PNG"), "a", 10)
    assert (payload.dtype, payload.width, payload.height, payload.native_width) == ("uint16", 10, 5, 20)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_file_payload_refuses_a_file_cut_in_the_middle(kind):
    data = encoded(photo(100, 100), kind)
    for max_side in (1600, 50):
        with pytest.raises(ReadError):
            file_payload(data[: len(data) // 2], "a", max_side)
