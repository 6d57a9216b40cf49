"""The virtual environment ``.venv``: made once, filled with pinned packages, left alone while nothing changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt_libraries
import torch_build

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = Path("packaging") / "constraints.txt"
_BUILD_TOOLS = ("hatchling",)


class SetupError(Exception):
    """The environment cannot be made; the text says what to do."""


@dataclass(frozen=True)
class Environment:
    """The virtual environment of a checkout."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.script("python")

    @property
    def _stamp(self) -> Path:
        return self.folder / "scaf-gui-setup.json"

    def script(self, name: str) -> Path:
        """A program inside the environment."""
        if os.name == "nt":
            return self.folder / "Scripts" / f"{name}.exe"
        return self.folder / "bin" / name

    def fingerprint(self) -> str:
        """Changes when what has to be installed does: pins, dependencies, Python."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        parts = {
            "pins": (self.root / CONSTRAINTS).read_text(encoding="utf-8"),
            "build": project["build-system"],
            "project": project["project"],
            "python": sys.version_info[:2],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def state(self) -> dict[str, Any]:
        """What the last complete installation wrote down; empty if there was none."""
        try:
            state = json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def is_ready(self, extras: frozenset[str], device: str) -> bool:
        """Whether nothing needs to be installed: then no network is needed either."""
        state = self.state()
        return (
            state.get("fingerprint") == self.fingerprint()
            and state.get("root") == str(self.root)
            and extras <= set(state.get("extras", []))
            and device in ("auto", state.get("torch"))
            and self.python.exists()
        )

    def prepare(self, extras: frozenset[str], device: str) -> None:
        """Make the environment and install what is missing in it.

        :param extras: optional dependencies of pyproject.toml to install too
        :param device: "auto", "cpu" or "cuda"; "auto" keeps the build of torch that is there
        :raises SetupError: with what to do
        """
        if self.is_ready(extras, device):
            return
        state = self.state()
        if device == "auto" and state.get("torch") in ("cpu", "cuda"):
            device = state["torch"]
        try:
            build = torch_build.choose(device, torch_build.find_driver())
        except torch_build.BuildError as error:
            raise SetupError(str(error)) from error
        print(build.describe(), flush=True)
        self._create()
        self._stamp.unlink(missing_ok=True)
        self._install_torch(build)
        extras |= set(state.get("extras", []))
        self._pip(*_BUILD_TOOLS)
        # Built with the pinned tools just installed, so that pip fetches no others.
        wanted = f".[{','.join(sorted(extras))}]" if extras else "."
        self._pip("--no-build-isolation", "-e", wanted)
        done = {
            "fingerprint": self.fingerprint(),
            "root": str(self.root),
            "extras": sorted(extras),
            "torch": build.kind,
        }
        self._write_down(done)

    def install_if_possible(self, extra: str) -> bool:
        """Install an extra that not every machine can build; what was tried is not tried again. Call prepare first."""
        state = self.state()
        tried: dict[str, bool] = state.get("tried", {})
        if extra not in tried:
            project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
            wanted = project["project"]["optional-dependencies"][extra]
            tried[extra] = self._pip(*wanted, quiet=True, check=False)
            self._write_down({**state, "tried": tried})
        if not tried[extra]:
            print(f"{extra} cannot be built here: tests that need it are left out", flush=True)
        return tried[extra]

    def _write_down(self, state: dict[str, Any]) -> None:
        beside = self._stamp.with_suffix(".new")
        beside.write_text(json.dumps(state), encoding="utf-8")
        beside.replace(self._stamp)

    def _create(self) -> None:
        # Programs in an environment name its folder: in a copied checkout they would start the old one.
        moved = self.state().get("root", str(self.root)) != str(self.root)
        if self._works() and not moved:
            return
        if self.folder.exists():
            print(f"{self.folder} is of another Python, another place, or damaged; making it anew", flush=True)
            try:
                shutil.rmtree(self.folder)
            except OSError as error:  # on Windows, a program that runs keeps its files
                raise SetupError(
                    f"{self.folder} cannot be removed ({error}): close what runs in it, or remove it yourself"
                ) from error
        _need_venv_module()
        made = subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=False)
        if made.returncode != 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise SetupError(f"Python could not make a virtual environment in {self.folder}: see the message above")

    def _works(self) -> bool:
        """Whether the environment is there, of this version of Python, and has its own pip."""
        ask = [str(self.python), "-c", "import pip, sys; print(*sys.version_info[:2])"]
        try:
            told = subprocess.run(ask, capture_output=True, text=True, check=False)
        except OSError:
            return False
        expected = " ".join(str(part) for part in sys.version_info[:2])
        return told.returncode == 0 and told.stdout.strip() == expected

    def _install_torch(self, build: torch_build.TorchBuild) -> None:
        # An index of one's own may hold the build already; only then torch's own index.
        if build.extra_index and self._pip(build.requirement, quiet=True, check=False):
            return
        index = ["--extra-index-url", build.extra_index] if build.extra_index else []
        self._pip(build.requirement, *index)

    def _pip(self, *arguments: str, quiet: bool = False, check: bool = True) -> bool:
        command = [str(self.python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        if not sys.stdout.isatty():
            command.append("--quiet")
        command += ["-c", str(CONSTRAINTS), *arguments]
        pipe = subprocess.DEVNULL if quiet else None
        done = subprocess.run(command, cwd=self.root, stdout=pipe, stderr=pipe, check=False)
        if check and done.returncode != 0:
            raise SetupError(
                f"pip could not install {arguments[-1]}: see its message above. A network is needed the first time, "
                "and after pyproject.toml or packaging/constraints.txt changed."
            )
        return done.returncode == 0


def _need_venv_module() -> None:
    """Debian and Ubuntu keep the parts of Python that make environments in a package of their own."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        package = f"python3.{sys.version_info[1]}-venv"
        if shutil.which("apt-get") is None:
            raise SetupError("this Python lacks the modules venv and ensurepip: install them") from None
        command = ["apt-get", "install", "-y", package]
        if sys.platform == "win32" or os.geteuid() != 0:
            raise SetupError(f"Python's venv module is missing. Install it:\n  sudo {' '.join(command)}") from None
        print(f"Installing {package}", flush=True)
        if not qt_libraries.apt_install(command):
            raise SetupError(f"could not install {package}: see the message above") from None
