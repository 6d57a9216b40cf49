"""The README that lies beside exported labels: what somebody has to know who finds them in five years."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scaf_gui import __version__
from scaf_gui.core.scheme import Scheme

if TYPE_CHECKING:
    from scaf_gui.io.formats import FaceFormat
    from scaf_gui.session.exchange import ExportOptions
    from scaf_gui.session.session import Session

_IMAGES = {
    "none": "not part of this folder; the labels name them relative to the image folder of the project",
    "copy": "copied; those that EXIF turns were turned upright and saved anew",
    "link": "symbolic links to the image folder of the project; coordinates are those of the upright image",
    "crop": "squares cut out around each face without resampling; crops.csv says where in which image they lie",
}


def readme(session: Session, format_: FaceFormat, scheme: Scheme, options: ExportOptions) -> str:
    """Everything but the counts, which are known only when all is written."""
    variant = format_.variants.get(options.variant) or next(iter(format_.variants.values()), "")
    rows = {
        "Written": datetime.now(UTC).isoformat(timespec="seconds"),
        "By": f"SCAF GUI {__version__}",
        "Project": session.path.name,
        "Format": f"{format_.title} (`{format_.id}`){', ' + variant.lower() if variant else ''}",
        "Landmarks": f"{scheme.num_landmarks}, scheme `{scheme.id}` ({scheme.title})",
        "Coordinates": f"{format_.holds.base}; (x, y) in pixels of the upright image",
        "Faces": options.include,
        "Images": _IMAGES[options.images],
    }
    if scheme.id != session.scheme.id:
        rows["Made from"] = f"{session.scheme.num_landmarks} landmarks of `{session.scheme.id}`"
    if options.split:
        rows["Sets"] = f"{options.split}, by {options.split_by}, seed {options.seed}"
    lines = ["# Facial landmarks", "", *(f"- {name}: {value}" for name, value in rows.items())]
    return "\n".join([*lines, "", *_kept(format_), "", *_models(session), ""])


def _kept(format_: FaceFormat) -> list[str]:
    holds = format_.holds
    held = {
        "occluded landmarks": holds.occluded,
        "missing landmarks": holds.missing,
        "boxes": bool(holds.box),
        "attributes": holds.attributes,
    }
    lines = ["## What the format holds", ""]
    lines += [f"- {what}: {'yes' if kept else 'no'}" for what, kept in held.items()]
    if not holds.missing:
        lines.append("- faces with a missing landmark are left out, and listed below")
    if not holds.state:
        lines.append("- faces that no person has finished are listed in `states.json`")
    return lines


def _models(session: Session) -> list[str]:
    """The model in use, and those whose predictions labels were started from."""
    lines = ["## Models", ""]
    if session.model is not None:
        lines.append(f"- in use: `{session.model.id}` ({session.model.title})")
    based = Counter(face.label.based_on for face in session.document if face.label is not None and face.label.based_on)
    lines += [f"- {count:,} labels were started from predictions of `{model}`" for model, count in based.most_common()]
    return lines if len(lines) > 2 else [*lines, "- none"]
