import subprocess
import sys

import pytest

from al_widgets import oracles


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, al_widgets.oracles; print([m for m in ('pandas', 'scipy', 'sklearn', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", oracles.__all__)
def test_every_public_name_resolves_and_has_a_docstring(name):
    assert getattr(oracles, name).__doc__
    assert name in dir(oracles)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        oracles.nothing  # noqa: B018
