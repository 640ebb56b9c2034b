"""The two browsers of the battery: a current Chromium, and Chromium 86, which is what older office terminals run.

A missing browser is skipped loudly on a desk; with EDUAID_BROWSERS_REQUIRED=1 (the build) it is a failure.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserType

FLOOR_PATH = Path.home() / ".cache" / "eduaid" / "chromium-86" / "chromium"
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--mute-audio",
    "--hide-scrollbars",
)


@dataclass(frozen=True)
class Kind:
    """How one browser is found and started."""

    name: str
    variable: str
    flags: tuple[str, ...]
    advice: str

    def path(self) -> str | None:
        """The program, from the environment, else from where it is usually installed."""
        given = os.environ.get(self.variable)
        if given:
            return given if Path(given).is_file() else None
        if self.name == "chromium86":
            return str(FLOOR_PATH) if FLOOR_PATH.is_file() else None
        return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

    def launch(self, engine: BrowserType) -> Browser:
        """The started browser; skips or fails the test where the program is missing."""
        path = self.path()
        if path is None:
            said = f"{self.name} is not installed: {self.advice}, or set {self.variable}"
            if os.environ.get("EDUAID_BROWSERS_REQUIRED") == "1":
                pytest.fail(said)
            pytest.skip(said)
        return engine.launch(executable_path=path, args=[*_QUIET, *self.flags])


CURRENT = Kind("chromium", "EDUAID_CHROMIUM", (), "install your distribution's chromium and a CJK font")
FLOOR = Kind(
    "chromium86", "EDUAID_CHROMIUM86", ("--no-zygote",), f"unpack bin/chromium.br of the npm package to {FLOOR_PATH}"
)
KINDS = (CURRENT, FLOOR)
