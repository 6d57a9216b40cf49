"""Label formats other tools read. One module each; registering it is all it takes to be offered everywhere."""

from scaf_gui.io.formats import pts, wflw  # noqa: F401 - imported to be registered
from scaf_gui.io.formats.base import (
    ExportReport,
    FaceFormat,
    ImportReport,
    LabelledFace,
    convert_faces,
    formats,
    register,
)

__all__ = ["ExportReport", "FaceFormat", "ImportReport", "LabelledFace", "convert_faces", "formats", "register"]
