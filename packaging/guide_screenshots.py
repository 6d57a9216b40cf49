"""Make the pictures of docs/guide.md anew, and its table of keys: the real window, worked by a simulated hand.

::

    python packaging/guide_screenshots.py [--out docs/images] [--keys-only]

Only rendered faces are shown. Without a display the window is drawn offscreen. What is taken is in
``guide_photographer.py``, how it is made small in ``guide_palette.py``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
GUIDE = ROOT / "docs" / "guide.md"
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"
FACES, SIDE = 8, 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--keys-only", action="store_true", help="only the table of keys")
    parser.add_argument("--only", help="only the picture of this name")
    options = parser.parse_args()
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    GUIDE.write_text(with_keys(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
    if options.keys_only:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["SCAF_HOME"] = home
        photograph(Path(home), options.out, options.only)


# -- the table of keys -------------------------------------------------------------------------------


def keys_table() -> str:
    """Every act that has keys, by menu, then what the mouse does, as Markdown."""
    from scaf_gui.gui.acts import ACTS, GESTURES

    lines: list[str] = []
    for menu in dict.fromkeys(act.menu for act in ACTS if act.keys):
        lines += [f"**{menu.replace('/', ' › ')}**", "", "| key | act | what it does |", "|---|---|---|"]
        for act in ACTS:
            if act.menu == menu and act.keys:
                keys = " or ".join(f"`{key}`" for key in act.keys)
                lines.append(f"| {keys} | {act.title} | {act.tip} |")
        lines.append("")
    lines += ["**Mouse**", "", "| gesture | what it does |", "|---|---|"]
    lines += [f"| {gesture} | {effect} |" for gesture, effect in GESTURES]
    return "\n".join(lines).replace("\\", "\\\\")


def with_keys(guide: str) -> str:
    """The guide with the table of keys as it is now between its markers."""
    before, _, rest = guide.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{keys_table()}\n\n{END}{after}"


# -- the pictures ------------------------------------------------------------------------------------


def photograph(home: Path, out: Path, only: str | None = None) -> None:
    """Open the rendered faces in the real window and take every picture."""
    from guide_photographer import Photographer

    from scaf_gui.gui import theme
    from scaf_gui.gui.run import SWITCH_SECONDS, make_application
    from scaf_gui.gui.window import MainWindow
    from scaf_gui.session.project import new_project
    from scaf_gui.settings import Settings

    sys.setswitchinterval(SWITCH_SECONDS)
    folder = home / "faces"
    make_photos(folder)
    application = make_application()
    theme.apply(application, "dark")
    window = MainWindow(Settings())
    window.resize(1280, 720)
    window.show()
    window.show_session(new_project(home / "faces.scaf", folder, settings=window.settings))
    try:
        Photographer(window, out, only).all()
    finally:
        window.close()


def make_photos(folder: Path) -> None:
    """Rendered faces, and one photo of two of them."""
    import cv2
    import numpy as np

    from scaf_gui.samples.folder import write_sample_folder

    paths = write_sample_folder(folder, FACES, first_seed=1010, size=SIDE)
    pair = np.hstack([np.asarray(cv2.imread(str(path))) for path in paths[:2]])
    cv2.imwrite(str(folder / "two_faces.jpg"), pair, [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
