"""The image reader: every mode comes out as documented, every broken file as a ReadError."""

import io
import os
import random
import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from al_widgets.errors import ReadError
from al_widgets.readers.file_bytes import read_bytes
from al_widgets.readers.images import decode_image, read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (17, 23), dtype=np.uint8)
RGB = RNG.integers(0, 256, (17, 23, 3), dtype=np.uint8)
RGBA = RNG.integers(0, 256, (17, 23, 4), dtype=np.uint8)


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "options", "array"),
    [
        ("PNG", {}, GREY),
        ("PNG", {}, RGB),
        ("PNG", {}, RGBA),
        ("WEBP", {"lossless": True}, RGB),
        ("WEBP", {"lossless": True, "exact": True}, RGBA),
        ("BMP", {}, GREY),
        ("BMP", {}, RGB),
        ("TIFF", {}, GREY),
        ("TIFF", {}, RGB),
        ("TIFF", {"compression": "tiff_lzw"}, RGBA),
        ("TIFF", {"compression": "tiff_deflate"}, GREY),
        ("GIF", {}, GREY),
    ],
)
def test_read_image_returns_the_stored_pixels_of_lossless_files(tmp_path, kind, options, array):
    path = tmp_path / "a"
    path.write_bytes(encoded(Image.fromarray(array), kind, **options))
    result = read_image(path)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, array)


def test_decode_image_gives_grey_levels_0_and_255_for_1_bit():
    bits = GREY > 100
    result = decode_image(encoded(Image.fromarray(bits), "PNG"), "a")
    np.testing.assert_array_equal(result, bits * np.uint8(255))


def test_decode_image_keeps_16_bits_of_grey_png():
    deep = RNG.integers(0, 65536, (9, 11), dtype=np.uint16)
    result = decode_image(encoded(Image.fromarray(deep), "PNG"), "a")
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, deep)


def test_decode_image_looks_palettes_up():
    picture = Image.fromarray(RGB).quantize(16)
    result = decode_image(encoded(picture, "PNG"), "a")
    np.testing.assert_array_equal(result, np.asarray(picture.convert("RGB")))


def test_decode_image_gives_rgba_for_grey_with_alpha_and_transparent_palettes():
    result = decode_image(encoded(Image.fromarray(RGBA).convert("LA"), "PNG"), "a")
    np.testing.assert_array_equal(result[..., 3], RGBA[..., 3])
    assert result.shape == (17, 23, 4)
    palette = Image.fromarray(GREY).convert("P")
    assert decode_image(encoded(palette, "PNG", transparency=3), "a").shape == (17, 23, 4)


def test_decode_image_gives_rgb_for_cmyk_jpeg():
    picture = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    result = decode_image(encoded(picture, "JPEG", quality=95), "a")
    assert result.shape == (32, 32, 3)
    np.testing.assert_allclose(result.mean((0, 1)), [254, 0, 0], atol=4)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_decode_image_applies_exif_orientation(kind, turn):
    """What is stored is the inverse turn of the upright picture, made with numpy."""
    corner = np.zeros((32, 48), np.uint8)
    corner[:16, :16] = 250
    corner[:16, 32:] = 120
    inverse = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].T,
        8: lambda a: np.rot90(a, -1),
    }[turn]
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = Image.fromarray(np.ascontiguousarray(inverse(corner)))
    options = {"tiffinfo": {274: turn}} if kind == "TIFF" else {"exif": exif}
    if kind == "WEBP":
        stored, options = stored.convert("RGB"), {**options, "lossless": True}
    result = decode_image(encoded(stored, kind, **options), "a")
    result = result[..., 0] if result.ndim == 3 else result
    assert result.shape == (32, 48)
    np.testing.assert_allclose(result, corner, atol=12)


@pytest.mark.parametrize("turn", range(1, 9))
def test_decode_image_turns_deep_tiffs_like_shallow_ones(turn):
    shallow = encoded(Image.fromarray(GREY), "TIFF", tiffinfo={274: turn})
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, GREY.astype(np.uint16), extratags=[(274, "H", 1, turn, True)])
    np.testing.assert_array_equal(decode_image(buffer.getvalue(), "a"), decode_image(shallow, "a"))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_decode_image_keeps_dtype_and_values_of_tiffs(dtype, shape, byteorder):
    array = (RNG.random(shape) * 100).astype(dtype)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, byteorder=byteorder, photometric="minisblack" if len(shape) == 2 else "rgb")
    result = decode_image(buffer.getvalue(), "a")
    assert result.dtype == array.dtype
    assert result.dtype.isnative
    np.testing.assert_array_equal(result, array)


def test_decode_image_reads_planar_tiff_channels_last():
    array = RNG.integers(0, 60000, (3, 7, 9), dtype=np.uint16)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(decode_image(buffer.getvalue(), "a"), np.moveaxis(array, 0, -1))


def test_decode_image_reads_the_first_of_several_pages_and_frames():
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.stack([GREY, GREY[::-1]]).astype(np.uint16))
    np.testing.assert_array_equal(decode_image(buffer.getvalue(), "a"), GREY)
    frames = [Image.fromarray(GREY), Image.fromarray(GREY[::-1])]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode_image(data, "a"), GREY)


def test_decode_image_shrinks_jpegs_on_request_only():
    data = encoded(Image.fromarray(RGB).resize((640, 480)), "JPEG")
    assert decode_image(data, "a").shape == (480, 640, 3)
    shape = decode_image(data, "a", near_side=100).shape
    assert shape == (120, 160, 3)


def png_declaring(width, height):
    import struct
    import zlib

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        png_declaring(50_000, 50_000),
        b"GIF89a\xff\xff\xff\xff\0\0\0",
        (bmp := encoded(Image.fromarray(GREY), "BMP"))[:18] + b"\x00\xff\x00\x00\x00\xff\x00\x00" + bmp[26:],
    ],
)
def test_decode_image_refuses_a_bomb_from_its_header_without_a_warning(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ReadError, match="more than the limit"):
            decode_image(data, "bomb")


def test_decode_image_refuses_more_pixels_than_asked():
    data = encoded(Image.fromarray(GREY), "PNG")
    assert decode_image(data, "a", max_pixels=17 * 23).shape == (17, 23)
    with pytest.raises(ReadError, match="23 x 17"):
        decode_image(data, "a", max_pixels=17 * 23 - 1)


def test_read_bytes_names_what_is_wrong_with_the_path(tmp_path):
    empty = tmp_path / "empty.png"
    empty.touch()
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    for path, reason in [
        (empty, "empty"),
        (pipe, "named pipe"),
        (tmp_path, "directory"),
        (tmp_path / "gone.png", "no such file"),
        ("/dev/zero", "device"),
        ("a\0b", "cannot be opened"),
        (tmp_path / ("x" * 5000), "cannot be opened"),
    ]:
        with pytest.raises(ReadError, match=reason) as caught:
            read_bytes(path)
        assert caught.value.path == str(path)
    (tmp_path / "big").write_bytes(b"12345")
    with pytest.raises(ReadError, match="limit of 4"):
        read_bytes(tmp_path / "big", max_bytes=4)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_read_bytes_says_permission_when_it_has_none(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(ReadError, match="no permission"):
        read_bytes(path)


def test_decode_image_says_what_it_reads_when_it_is_no_picture():
    with pytest.raises(ReadError, match="is no PNG, JPEG"):
        decode_image(b"%PDF-1.4 nothing", "a.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_decode_image_refuses_a_file_cut_in_the_middle(kind):
    data = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind)
    with pytest.raises(ReadError):
        decode_image(data[: len(data) // 2], "cut")


def fuzz_seeds():
    small = Image.fromarray(RGB)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    deep = io.BytesIO()
    tifffile.imwrite(deep, RNG.integers(0, 6000, (8, 9), dtype=np.uint16), compression="zlib", predictor=True)
    floats = io.BytesIO()
    tifffile.imwrite(floats, RNG.random((8, 9, 3)), photometric="rgb", tile=(16, 16))
    return [
        encoded(small, "PNG", exif=exif),
        encoded(small.quantize(8), "PNG", transparency=1),
        encoded(Image.fromarray(RGB[..., 0].astype(np.uint16) * 200), "PNG"),
        encoded(small, "JPEG", exif=exif),
        encoded(small, "JPEG", progressive=True, icc_profile=b"x" * 200),
        encoded(Image.new("CMYK", (16, 16), (1, 2, 3, 4)), "JPEG"),
        encoded(small, "WEBP", lossless=True, exif=exif),
        encoded(small, "WEBP"),
        encoded(small, "GIF", save_all=True, append_images=[small.rotate(90)]),
        encoded(small, "BMP"),
        encoded(small.quantize(8), "BMP"),
        encoded(small, "TIFF", compression="tiff_lzw"),
        encoded(small, "TIFF", compression="jpeg"),
        encoded(small.convert("1"), "TIFF", compression="group4"),
        encoded(small, "TIFF"),
        deep.getvalue(),
        floats.getvalue(),
    ]


def mutated(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(min(len(data), rng.choice((32, 256, 1 << 20))))
        action = rng.randrange(5)
        if action == 0:
            data[place] ^= 1 << rng.randrange(8)
        elif action == 1:
            data[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif action == 2:
            del data[place : place + rng.choice((1, 4, 64))]
        elif action == 3:
            data[place:place] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 8))))
        else:
            data[place : place + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
        if not data:
            break
    return bytes(data)


@pytest.mark.parametrize("number", range(len(fuzz_seeds())))
def test_decode_image_raises_only_read_errors_when_bytes_are_mutated(number):
    seed = fuzz_seeds()[number]
    rng = random.Random(number)
    assert decode_image(seed, "seed").size
    refused = 0
    for _ in range(600):
        data = mutated(seed, rng)
        try:
            # A small limit keeps a mutated header from costing a second of zeros each.
            assert decode_image(data, "mutant", max_pixels=1_000_000).size
        except ReadError:
            refused += 1
    assert refused > 50
