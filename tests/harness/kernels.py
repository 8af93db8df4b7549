"""Kernels of other ipykernel versions, and a client that sends as JupyterLab does, subshell included.

An older ipykernel is laid over the tests' own environment: one pure-Python package in a directory of its own, put first on
the kernel's path. That takes a second, where an environment for each would take minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = Path(sys.prefix) / "kernels"


def overlay(version: str) -> Path:
    """Return a directory that holds one version of ipykernel; install it there at the first call.

    Raises
    ------
    RuntimeError
        If it cannot be installed, with pip's last line.
    """
    where = OVERLAYS / f"ipykernel-{version}"
    if not (where / "ipykernel").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "--target", str(where), f"ipykernel=={version}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"ipykernel {version} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return where


@contextmanager
def started(version: str | None, home: Path) -> Iterator[KernelPage]:
    """Start a kernel of a version (None: the installed one) and connect a page to it."""
    paths = [str(overlay(version))] if version else []
    paths += [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "IPYTHONDIR": str(home / "ipython"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "AL_WIDGETS_CACHE": str(home / "cache"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    manager = KernelManager(connection_file=str(home / "kernel.json"))
    manager.kernel_spec.argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager.start_kernel(env=environment, cwd=str(home))
    client = manager.client()
    client.start_channels()
    page = None
    try:
        client.wait_for_ready(timeout=60)
        page = KernelPage(client)
        yield page
    finally:
        if page is not None:
            page.close()
        client.stop_channels()
        manager.shutdown_kernel(now=True)


class KernelPage:
    """One page of one widget: sends custom messages over the wire and collects what comes back."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client
        self.comm_id = ""
        self.client_id = f"page{uuid.uuid4().hex[:8]}"
        self.subshell: str | None = None
        self.replies: dict[str, dict[str, Any]] = {}
        self.reply_times: dict[str, float] = {}
        self.order: list[str] = []
        self._printed: list[str] = []
        self._ended: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_iopub, self._read_shell)]
        for reader in self._readers:
            reader.start()

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        for reader in self._readers:
            reader.join(5)

    def _read_iopub(self) -> None:
        while not self._stop.is_set():
            try:
                message = self._client.iopub_channel.get_msg(timeout=0.2)
            except Empty:
                continue
            content = message["content"]
            with self._changed:
                if message["msg_type"] == "stream":
                    self._printed.append(content["text"])
                if message["msg_type"] == "comm_msg" and content["comm_id"] == self.comm_id:
                    inner = content["data"].get("content", {})
                    if content["data"].get("method") == "custom" and inner.get("kind") == "reply":
                        self.replies.setdefault(inner["rid"], inner)
                        self.reply_times.setdefault(inner["rid"], time.monotonic())
                        self.order.append(inner["rid"])
                self._changed.notify_all()

    def _read_shell(self) -> None:
        while not self._stop.is_set():
            try:
                message = self._client.shell_channel.get_msg(timeout=0.2)
            except Empty:
                continue
            with self._changed:
                self._ended[message["parent_header"]["msg_id"]] = message["content"]
                self._changed.notify_all()

    def wait(self, what: str, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Return the first true value of a condition, looked at whenever something arrives."""
        until = time.monotonic() + seconds
        with self._changed:
            while not (value := condition()):
                if time.monotonic() > until:
                    raise TimeoutError(f"not within {seconds:.0f} s: {what}; printed: {''.join(self._printed)[-500:]}")
                self._changed.wait(0.1)
        return value

    def start(self, code: str) -> str:
        """Start a cell; return the number of its message."""
        number: str = self._client.execute(code, store_history=False)
        return number

    def ended(self, number: str) -> bool:
        """Whether a cell that was started has ended."""
        return number in self._ended

    def end(self, number: str, seconds: float = 60.0) -> None:
        """Wait until a cell has ended; raise what it raised."""
        reply = self.wait("the cell ends", lambda: self._ended.get(number), seconds)
        if reply["status"] != "ok":
            raise RuntimeError("\n".join(reply.get("traceback", [str(reply)])))

    def run(self, code: str) -> str:
        """Run a cell to its end; return what it printed."""
        self._printed.clear()
        mark = uuid.uuid4().hex
        self.end(self.start(f"{code}\nprint({mark!r}, end='')"))
        self.wait("the cell's output", lambda: mark in "".join(self._printed))
        return "".join(self._printed).replace(mark, "")

    def open_subshell(self) -> str | None:
        """Ask for a subshell, as JupyterLab does for comms; None where the kernel has none."""
        if "kernel subshells" not in self._kernel_features():
            return None
        message = self._client.session.msg("create_subshell_request", {})
        self._client.control_channel.send(message)
        reply = self._client.control_channel.get_msg(timeout=30)
        self.subshell = reply["content"]["subshell_id"]
        return self.subshell

    def _kernel_features(self) -> list[str]:
        message = self._client.session.msg("kernel_info_request", {})
        self._client.control_channel.send(message)
        features: list[str] = self._client.control_channel.get_msg(timeout=30)["content"].get("supported_features", [])
        return features

    def post(self, content: dict[str, Any]) -> None:
        """Send one custom message to the widget and do not wait."""
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": self.comm_id, "data": data})
        if self.subshell is not None:
            message["header"]["subshell_id"] = self.subshell
        self._client.shell_channel.send(message)

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send one request and return its reply; raise when it was refused."""
        rid = uuid.uuid4().hex
        self.post({"kind": kind, "rid": rid, "client": self.client_id, **fields})
        reply: dict[str, Any] = self.wait(f"a reply to {kind}", lambda: self.replies.get(rid))
        if not reply["ok"]:
            raise RuntimeError(f"{kind} was refused: {reply['error']}")
        return reply

    def answer(self, seq: int, entry: dict[str, Any], value: str) -> dict[str, Any]:
        """Return the message of one answer."""
        event_id = f"{self.client_id}-{seq}"
        now_ms = time.time() * 1000
        return {
            "kind": "answer",
            "rid": event_id,
            "client": self.client_id,
            "seq": seq,
            "event_id": event_id,
            "annotator": "ann",
            "item_id": entry["item_id"],
            "answer": "label",
            "value": value,
            "note": "",
            "token": entry["token"],
            "elapsed_ms": 900.0,
            "shown_at_ms": now_ms - 900,
            "answered_at_ms": now_ms,
            "model_shown": False,
            "have": [],
            "want": 0,
        }
