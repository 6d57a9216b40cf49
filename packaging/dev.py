"""Sets everything up and starts the program, or runs every check. Needs only Python 3.11 or newer.

python3 packaging/dev.py run [FOLDER] [--device auto|cpu|cuda]
python3 packaging/dev.py test [ARGUMENTS OF PYTEST]

Both make ``.venv`` in the checkout the first time, with the versions pinned in
packaging/constraints.txt, and need no network after that.
"""

import sys

# Before anything that an older Python would trip over.
if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    found = ".".join(str(part) for part in sys.version_info[:2])
    sys.exit(f"SCAF GUI needs Python 3.11 to 3.14, this is {found}: start packaging/dev.py with one of those.")

import argparse
import io
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from environment import ROOT, Environment, SetupError
from qt_libraries import display_kind, make_sure

#: one process for each processor; the tests of a file stay together, as they share what is slow to make, and files
#: begin in the order that tests/conftest.py gives them
SPREAD = ("-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder")
#: checks that take long and print little: they begin first, and run beside those before them in the list
BESIDE = ("types, Windows", "types, macOS")


def main(arguments: list[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a pipe on Windows does not take every letter of a folder's name
            stream.reconfigure(errors="backslashreplace")
    parser = argparse.ArgumentParser(
        prog="dev.py", description="Set up SCAF GUI, then start it or check it.", epilog="See CONTRIBUTING.md."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="set up, then open the window")
    run.add_argument("folder", nargs="?", metavar="FOLDER", help="a folder of photos; left out: the sample faces")
    run.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="which build of torch")
    commands.add_parser("test", help="set up, then run every check and test", add_help=False)
    given, rest = parser.parse_known_args(arguments)
    if rest and given.command != "test":
        parser.error(f"what is {rest[0]!r}?")
    try:
        if given.command == "run":
            return run_program(Environment(ROOT), given.folder, given.device)
        return run_checks(Environment(ROOT), rest)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def run_program(environment: Environment, folder: str | None, device: str) -> int:
    """Open the window; without a display, run a session on the sample instead."""
    if folder is not None and not Path(folder).is_dir():
        raise SetupError(f"{folder}: there is no such folder")
    display = display_kind()
    environment.prepare(frozenset(), device)
    if not make_sure(display):
        return 2
    program = [str(environment.python), "-m", "scaf_gui"]
    if display:
        return subprocess.call([*program, *([folder] if folder else ["--sample"])])
    unused = f" ({folder} is not opened)" if folder else ""
    print(f"No display: running a session on the sample faces into out/{unused}", flush=True)
    return subprocess.call([*program, "demo", "--out", "out"], env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})


def checks(environment: Environment, pytest_arguments: list[str]) -> dict[str, list[str]]:
    """Name and command of every check. Tests come last, so that their summary ends the output."""
    python = str(environment.python)
    scripts = sorted(str(path.relative_to(environment.root)) for path in (environment.root / "packaging").glob("*.py"))

    def elsewhere(platform: str) -> list[str]:
        """Types as on another system: what is only there, and what is not there. Each has a cache of its own."""
        how = ["--strict", "--platform", platform, "--cache-dir", f".mypy_cache/{platform}"]
        return [python, "-m", "mypy", *how, "scaf_gui", *scripts]

    return {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy scaf_gui": [python, "-m", "mypy", "--strict"],
        "mypy packaging": [python, "-m", "mypy", "--strict", *scripts],
        "layers": [str(environment.script("lint-imports"))],
        "wheel": [python, "packaging/check_wheel.py"],
        "types, Windows": elsewhere("win32"),
        "types, macOS": elsewhere("darwin"),
        "tests": [python, "-m", "pytest", *SPREAD, *pytest_arguments],
    }


def run_checks(environment: Environment, pytest_arguments: list[str]) -> int:
    """Run all of them, whatever fails; 0 if none did."""
    environment.prepare(frozenset({"test", "conformance"}), "auto")
    environment.install_if_possible("menpo")
    if not make_sure(""):
        return 2
    settings = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    outcome: dict[str, tuple[int, float]] = {}
    commands = checks(environment, pytest_arguments)

    def beside(name: str) -> tuple[int, float, str]:
        start = time.monotonic()
        done = subprocess.run(
            commands[name],
            cwd=environment.root,
            env=settings,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return done.returncode, time.monotonic() - start, done.stdout

    with ThreadPoolExecutor(max_workers=1) as pool:
        begun = {name: pool.submit(beside, name) for name in BESIDE}
        for name, command in commands.items():
            print(f"\n=== {name} ===", flush=True)
            if name in begun:
                code, seconds, said = begun[name].result()
                print(said, end="", flush=True)
                outcome[name] = code, seconds
                continue
            start = time.monotonic()
            code = subprocess.call(command, cwd=environment.root, env=settings)
            outcome[name] = code, time.monotonic() - start
    print()
    for name, (code, seconds) in outcome.items():
        print(f"{'ok' if code == 0 else 'FAILED':<7} {name:<15} {seconds:6.1f} s")
    return 1 if any(code for code, _ in outcome.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
