"""Makes the independent writers of this folder importable by its tests."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def writers():
    path = Path(__file__).with_name("writers.py")
    spec = importlib.util.spec_from_file_location("volume_writers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def samples():
    folder = next((f for p in ROOT.parents if (f := p / "shared" / "samples").is_dir()), None)
    if folder is None:
        pytest.skip("no sample files beside the repository")
    return folder
