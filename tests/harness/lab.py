"""A real JupyterLab on the loopback, with directories of its own, and its kernels seen from outside the page.

Used by the end-to-end tests, the demo's check and the benchmark. Nothing of the user's Jupyter configuration is read or
written.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]


def wait_for(what: str, condition: Callable[[], T | None], seconds: float = 60.0) -> T:
    """Return the first true value of a condition; fail with `what` when none comes in time."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)


class Lab:
    """One ``jupyter lab`` process.

    Parameters
    ----------
    home : Path
        A fresh directory: configuration, runtime files, caches and notebooks (in ``home / "work"``) go there.
    python : str
        Whose JupyterLab.
    environment : dict of str to str
        Added to the process' environment, and so to its kernels'.
    """

    def __init__(self, home: Path, python: str = sys.executable, environment: dict[str, str] | None = None) -> None:
        self.home = home
        self.work = home / "work"
        self.token = secrets.token_hex(16)
        self._python = python
        self._runtime = home / "runtime"
        self._log = home / "jupyter.log"
        self._extra = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Lab:
        for name in ("work", "runtime", "config", "data", "ipython", "cache", "settings", "workspaces"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        settings = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "ANYWIDGET"))}
        paths = [str(ROOT), *filter(None, [kept.get("PYTHONPATH", "")])]
        environment = {
            **kept,
            "PYTHONPATH": os.pathsep.join(paths),
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.home / "workspaces"),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "IPYTHONDIR": str(self.home / "ipython"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            **self._extra,
        }
        options = [
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            "--ServerApp.allow_root=True",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.work}",
            "--ServerApp.open_browser=False",
            "--ServerApp.quit_button=False",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            "--LanguageServerManager.autodetect=False",
            # A kernel that is killed comes back soon, and as often as a test kills it.
            "--IOLoopKernelRestarter.time_to_dead=0.2",
            "--IOLoopKernelRestarter.restart_limit=1000",
            "--FileContentsManager.delete_to_trash=False",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._python, "-m", "jupyterlab", *options],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.work,
                start_new_session=True,
            )
        self.url = wait_for(f"JupyterLab is up (log: {self._log})", self._address, 90)
        return self

    def _address(self) -> str | None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended with {self._process.returncode}:\n{self._log.read_text()[-3000:]}")
        for file in self._runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError, OSError):
                address: str = json.loads(file.read_text())["url"]
                self.url = address
                with contextlib.suppress(OSError):
                    self.api("api/status")
                    return address
        return None

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        process = psutil.Process(self._process.pid) if self._process.poll() is None else None
        children = process.children(recursive=True) if process else []
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        for child in [*children, *([process] if process else [])]:
            with contextlib.suppress(psutil.Error):
                child.kill()
        self._process.wait(10)

    def api(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Call the server's REST interface."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def write_notebook(self, name: str, cells: list[str]) -> Path:
        """Write a notebook of code cells into the server's directory."""
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{i}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for i, source in enumerate(cells)
            ],
        }
        path = self.work / name
        path.write_text(json.dumps(notebook))
        return path

    def add_notebook(self, source: Path) -> Path:
        """Copy a notebook into the server's directory."""
        return Path(shutil.copy(source, self.work / source.name))

    def kernel_of(self, notebook: str) -> Kernel:
        """Return the kernel of a notebook, once it has one."""

        def find() -> str | None:
            for session in self.api("api/sessions"):
                if session["path"] == notebook:
                    kernel_id: str = session["kernel"]["id"]
                    return kernel_id
            return None

        return Kernel(self, wait_for(f"{notebook} has a kernel", find))

    def stop_kernels(self) -> None:
        """Shut down all kernels and sessions."""
        for session in self.api("api/sessions"):
            with contextlib.suppress(OSError):
                self.api(f"api/sessions/{session['id']}", "DELETE")


class Kernel:
    """A kernel of the lab: its process, and a client beside the page's."""

    def __init__(self, lab: Lab, kernel_id: str) -> None:
        self.lab = lab
        self.kernel_id = kernel_id
        self.connection_file = lab.home / "runtime" / f"kernel-{kernel_id}.json"

    @property
    def pid(self) -> int:
        """Process id, found by the connection file on its command line."""
        for process in psutil.process_iter(["cmdline"]):
            if str(self.connection_file) in (process.info["cmdline"] or []):
                return int(process.pid)
        raise LookupError(f"no process has {self.connection_file}")

    def pid_or_none(self) -> int | None:
        """Process id, or None while there is no process."""
        try:
            return self.pid
        except LookupError:
            return None

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """Open a blocking client of our own."""
        from jupyter_client import BlockingKernelClient

        client = BlockingKernelClient(connection_file=str(self.connection_file))
        client.load_connection_file()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            yield client
        finally:
            client.stop_channels()

    def run(self, code: str, seconds: float = 60.0) -> str:
        """Execute code and return what it printed; raise what it raised."""
        printed: list[str] = []

        def hook(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        with self.client() as client:
            reply = client.execute_interactive(code, timeout=seconds, output_hook=hook, store_history=False)
        if reply["content"]["status"] != "ok":
            raise RuntimeError("\n".join(reply["content"].get("traceback", [str(reply["content"])])))
        return "".join(printed)
