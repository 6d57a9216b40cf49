"""Builds the wheel, installs it where no checkout is near, and starts what it installed.

Dependencies are those of the Python that runs this; nothing is downloaded.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_RESOURCES = """
from scaf_gui import paths
from scaf_gui.core.scheme import load_scheme
schemes = [load_scheme(path).id for path in sorted((paths.resource_folder() / "schemes").glob("*.json"))]
print(paths.resource_folder(), paths.model_folder(), *schemes, sep="\\n")
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="scaf-gui-wheel-") as name:
        try:
            return check(Path(name).resolve())
        except subprocess.CalledProcessError as error:
            print(f"the wheel is not right: {' '.join(map(str, error.cmd))}\n{error.stdout}{error.stderr}")
            return 1


def check(folder: Path) -> int:
    """Build and try in ``folder``; 0 if all is well.

    :raises subprocess.CalledProcessError: a step failed
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    _run([*pip, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(ROOT)], folder)
    (wheel,) = folder.glob("scaf_gui-*.whl")

    place = folder / "installed"
    venv.create(place, with_pip=False)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    _run([*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], folder)
    packages = Path(_run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip())
    # The dependencies, but not the checkout: files that lead there are not followed from a path file.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    told = _run([str(python), "-c", _RESOURCES], folder).splitlines()
    outside = [line for line in told[:2] if not Path(line).resolve().is_relative_to(place)]
    if outside or "300w-68" not in told[2:]:
        print(f"the installed program finds its resources in {told[:2]}, its schemes are {told[2:]}")
        return 1
    program = str(scripts / ("scaf-gui.exe" if os.name == "nt" else "scaf-gui"))
    _run([program, "--help"], folder)
    listed = _run([program, "schemes"], folder)
    lost = [scheme for scheme in told[2:] if scheme not in listed]
    if lost:
        print(f"'scaf-gui schemes' does not list {', '.join(lost)}")
        return 1
    size = wheel.stat().st_size / 1e6
    print(f"{wheel.name}: {size:.1f} MB, installs, starts and lists {len(told) - 2} landmark schemes")
    return 0


def _run(command: list[str], folder: Path) -> str:
    """Run in ``folder``, apart from the checkout and the user's settings; returns what it printed."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    clean |= {"SCAF_HOME": str(folder / "home"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
