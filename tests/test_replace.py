"""Files and folders get their names although something looks at them; Windows is played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scaf_gui import replace
from scaf_gui.io.files import replace_file
from scaf_gui.io.formats.folder import ExportFolder
from scaf_gui.learning import tensorfile
from scaf_gui.settings import Settings


def refusing(monkeypatch: pytest.MonkeyPatch, name: str, times: int, code: int | None) -> list[Path]:
    """Let a method of paths fail so many times as Windows fails; the paths it was called for."""
    real, asked = getattr(Path, name), list[Path]()

    def act(self: Path, target: Path) -> Path:
        asked.append(self)
        if len(asked) <= times:
            error = PermissionError(13, "Access is denied")
            if code is not None:
                error.winerror = code  # type: ignore[attr-defined,unused-ignore]
            raise error
        return Path(real(self, target))

    monkeypatch.setattr(Path, name, act)
    monkeypatch.setattr(replace.time, "sleep", lambda _: None)
    return asked


def save_settings(folder: Path) -> None:
    Settings(folder / "settings.json")["theme"] = "light"


def export(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "a.pts").write_bytes(b"old")
    with ExportFolder(folder / "out", overwrite=True) as export:
        export.write("a.pts", b"new")


def export_anew(folder: Path) -> None:
    with ExportFolder(folder / "new") as export:
        export.write("a.pts", b"new")


@pytest.mark.parametrize(
    ("write", "method", "expected"),
    [
        (lambda folder: replace_file(folder / "a", b"x"), "replace", "a"),
        (lambda folder: tensorfile.replace_file(folder / "b", b"x"), "replace", "b"),
        (save_settings, "replace", "settings.json"),
        (export, "replace", "out/a.pts"),
        (export_anew, "rename", "new/a.pts"),
    ],
)
@pytest.mark.parametrize("code", [5, 32])
def test_what_somebody_looks_at_is_replaced_a_moment_later(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[Path], None],
    method: str,
    expected: str,
    code: int,
) -> None:
    asked = refusing(monkeypatch, method, 3, code)
    write(tmp_path)
    assert len(asked) >= 4 and (tmp_path / expected).stat().st_size > 0


def test_what_stays_in_the_way_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "new").write_bytes(b"new")
    asked = refusing(monkeypatch, "replace", 1000, 5)
    with pytest.raises(PermissionError):
        replace.replace_by(tmp_path / "new", tmp_path / "a")
    assert len(asked) == 7 and (tmp_path / "a").read_bytes() == b"old"


def test_elsewhere_a_refusal_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = refusing(monkeypatch, "rename", 1000, None)
    with pytest.raises(PermissionError):
        replace.rename_to(tmp_path / "new", tmp_path / "a")
    assert len(asked) == 1
