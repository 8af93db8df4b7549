"""Settings of all tests."""

import os
import random
import secrets

import pytest
from hypothesis import settings

# In CI the same examples every time: a rare example is to be found on a developer's machine, not by a stranger's change.
settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(autouse=True)
def _known_secrets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the secret of a store, and with it the audit reserve, from the test's name: what a test measures varies with it."""
    rng = random.Random(request.node.nodeid)
    monkeypatch.setattr(secrets, "token_hex", lambda n=16: rng.randbytes(n).hex())
