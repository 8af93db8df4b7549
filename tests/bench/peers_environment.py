"""The virtual environment of the libraries compared with: apart from the package's own, made once below build/.

``python tests/bench/peers_environment.py`` makes it and prints its Python.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WHERE = HERE.parents[1] / "build" / "peers"


def peers_python(requirements=HERE / "peers.txt", where=WHERE):
    """Return the Python of the environment, after installing what `requirements` names unless that is done."""
    python, done = where / "bin" / "python", where / "installed.txt"
    wanted = requirements.read_text()
    if not done.exists() or done.read_text() != wanted:
        print(f"installing {requirements.name} into {where} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", where], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True)
        done.write_text(wanted)
    return str(python)


if __name__ == "__main__":
    print(peers_python())
