"""Settings of all tests."""

import os

from hypothesis import settings

# In CI the same examples every time: a rare example is to be found on a developer's machine, not by a stranger's change.
settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
