"""Label formats other tools read. One module each; registering it is all it takes to be offered everywhere."""

# Imported to be registered; the order is that of menus.
from scaf_gui.io.formats import pts, wflw, coco, hrnet, imglab, labelme, cvat, plain, hdf5  # noqa: F401, I001, RUF100
from scaf_gui.io.formats.base import (
    ExportReport,
    FaceFormat,
    FaceState,
    Holds,
    ImportReport,
    LabelledFace,
    Unmatched,
    convert_faces,
    converted,
    formats,
    register,
    table,
)
from scaf_gui.io.formats.problems import Problems

__all__ = [
    "ExportReport",
    "FaceFormat",
    "FaceState",
    "Holds",
    "ImportReport",
    "LabelledFace",
    "Problems",
    "Unmatched",
    "convert_faces",
    "converted",
    "formats",
    "register",
    "table",
]
