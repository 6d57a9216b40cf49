"""Commands about the project file: create, import, export, info, schemes."""

from __future__ import annotations

import argparse
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from scaf_gui import __version__, paths
from scaf_gui.cli.output import Outcome, Progress, one_line
from scaf_gui.cli.parsing import Choices, project_argument
from scaf_gui.cli.work import drive, find_boxes, follow, opened, restore
from scaf_gui.core.face import State
from scaf_gui.errors import BrokenLabelsError, LabelFileError
from scaf_gui.settings import Settings

_LIBRARIES = ("torch", "numpy", "opencv-python-headless", "h5py", "safetensors", "PySide6-Essentials", "pyqtgraph")
#: so many entries that cannot be read are told of before nothing is imported
_BROKEN_TOLD = 100
_INCLUDE = "labelled: started faces too; all: predictions too"


def formats() -> list[str]:
    from scaf_gui.io.formats import formats

    return list(formats())


def register(commands: Any) -> None:
    create = commands.add_parser("create", help="make a project of a folder of images")
    project_argument(create)
    create.add_argument("--images", type=Path, required=True, metavar="DIR", help="folder of images; only read")
    create.add_argument("--scheme", default="300w-68", metavar="ID", help="landmark scheme: id or file (see 'schemes')")
    create.add_argument(
        "--boxes",
        default="detector",
        metavar="SOURCE",
        help="detector (default), whole, landmarks:DIR, or a file: wflw:FILE, mat:FILE, csv:FILE",
    )
    create.add_argument(
        "--detector", default="", metavar="D", help="mtcnn or yunet:FILE, a model of yours (default: the settings')"
    )
    create.add_argument("--seed", type=int, default=0, help="of the first, random order (default 0)")
    create.add_argument("--no-starter", action="store_true", help="start without the shipped model")
    create.set_defaults(run=run_create)

    load = commands.add_parser("import", help="take labels from files into the project")
    project_argument(load)
    load.add_argument("--format", required=True, metavar="F", choices=Choices(formats), help="%(choices)s")
    load.add_argument("--from", dest="source", type=Path, required=True, metavar="PATH", help="label file or folder")
    load.add_argument("--on-conflict", choices=("keep", "replace"), default="keep", help="your labels that differ")
    load.add_argument("--skip-broken", action="store_true", help="leave out what cannot be read, take the rest")
    load.add_argument("--dry-run", action="store_true", help="only say what would be done")
    load.set_defaults(run=run_import)

    export = commands.add_parser("export", help="write labels to files")
    project_argument(export)
    export.add_argument("--format", required=True, metavar="F", choices=Choices(formats), help="%(choices)s")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="new or empty folder")
    export.add_argument("--include", choices=("reviewed", "labelled", "all"), default="reviewed", help=_INCLUDE)
    export.add_argument("--scheme", metavar="ID", help="write these landmarks instead (98 points hold 68)")
    export.add_argument("--variant", metavar="V", default="", help="way to write the format (see 'formats')")
    export.add_argument(
        "--images", choices=("none", "copy", "link", "crop"), default="none", help="what goes with them"
    )
    export.add_argument("--split", metavar="SHARES", default="", help="80/20 (train, test) or 80/10/10 (with val)")
    export.add_argument("--split-by", choices=("image", "subject"), default="image", help="what stays together")
    export.add_argument("--seed", type=int, default=0, help="of the split (default 0)")
    export.add_argument("--overwrite", action="store_true", help="into a folder that holds files already")
    export.set_defaults(run=run_export)

    listed = commands.add_parser("formats", help="list the label formats and what each holds")
    listed.set_defaults(run=run_formats)

    info = commands.add_parser("info", help="what a project holds; what this program runs on")
    info.add_argument("project", type=Path, nargs="?", metavar="P.scaf")
    info.add_argument("--system", action="store_true", help="versions, device and why, paths")
    info.set_defaults(run=run_info)

    schemes = commands.add_parser("schemes", help="list the landmark schemes")
    schemes.set_defaults(run=run_schemes)


def run_create(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.session.project import new_project

    settings = Settings()
    session = new_project(
        args.project,
        args.images,
        args.scheme,
        args.boxes,
        settings,
        args.seed,
        use_starter=not args.no_starter,
        detector=args.detector,
    )
    progress.say(session.notice)
    try:
        images = len({face.image for face in session.document})
        without = find_boxes(session, progress)
        drive(session, "Hashing", session.hash_images(), progress)
        values = {
            "project": str(session.path),
            "scheme": session.scheme.id,
            "images": images,
            "faces": len(session.document),
            "without_face": without,
            "model": session.model.id if session.model else None,
        }
    finally:
        session.close()
    lines = [f"{session.path}: {images} images, {values['faces']} faces, {session.scheme.id}"]
    lines += [f"no face found in {len(without)} images, such as {without[0]}"] if without else []
    return Outcome(values, lines)


def run_import(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.session.exchange import import_labels

    with opened(args.project, progress) as session:
        before = session.store.keep_copy()  # nobody can undo what a command line has done
        try:
            summary = import_labels(
                session,
                args.format,
                args.source,
                on_conflict=args.on_conflict,
                skip_broken=args.skip_broken,
                dry_run=args.dry_run,
            )
        except BrokenLabelsError as error:
            progress.clear()
            if error.count > 1:
                print("\n".join(_listed(error.listed, error.count, _BROKEN_TOLD)), file=sys.stderr)
            what = "them" if error.count > 1 else "it"
            advice = f"mend {what}, or leave {what} out with --skip-broken"
            raise LabelFileError(f"{error.reason}; {advice}", error.path) from error
    values = {
        "imported": summary.imported,
        "unchanged": summary.unchanged,
        "added_faces": summary.added_faces,
        "changed": summary.changed,
        "conflicts": list(summary.conflicts),
        "replaced": summary.replaced,
        "unmatched": [list(pair) for pair in summary.unmatched],
        "broken": summary.num_broken,
        "broken_entries": [list(pair) for pair in summary.broken],
        "dry_run": args.dry_run,
        "copy": str(before) if summary.replaced and not args.dry_run and before is not None else None,
    }
    done = "would be imported" if args.dry_run else "imported"
    lines = [f"{summary.imported} labels {done}, {summary.unchanged} were there already"]
    lines += [f"{summary.added_faces} of them of faces the project did not know"] if summary.added_faces else []
    lines += [f"{summary.changed} of them only add attributes, or finish a label"] if summary.changed else []
    if summary.conflicts:
        what = "replaced" if summary.replaced else "your labels are kept; --on-conflict replace overwrites them"
        lines.append(f"{len(summary.conflicts)} conflicts, such as {summary.conflicts[0]}: {what}")
    lines += [f"the project as it was before: {values['copy']}"] if values["copy"] else []
    lines += [f"{summary.num_broken} left out, which cannot be read"] if summary.num_broken else []
    lines += _listed(summary.broken, summary.num_broken, 5)
    lines += [f"left out: {where}: {reason}" for where, reason in summary.unmatched[:5]]
    return Outcome(values, lines)


def _listed(broken: Sequence[tuple[str, str]], count: int, most: int) -> list[str]:
    """A line for each of the first entries that cannot be read, and one for the rest."""
    lines = [one_line(f"cannot be read: {where}: {reason}") for where, reason in broken[:most]]
    more = count - len(lines)
    return [*lines, f"and {more:,} more"] if more else lines


def run_export(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.session.exchange import ExportOptions, export_steps

    options = ExportOptions(
        args.format,
        args.include,
        args.scheme,
        args.variant,
        args.images,
        args.split,
        args.split_by,
        args.seed,
        args.overwrite,
    )
    with opened(args.project, progress) as session:
        if args.include == "all":
            restore(session)
        summary = follow("Exporting", export_steps(session, args.out, options), progress)
    report = summary.report
    values = {
        "written": report.written,
        "labelled": summary.labelled,
        "predicted": summary.predicted,
        "scheme": summary.scheme,
        "splits": dict(summary.splits),
        "images": report.images,
        "files": [str(file) for file in report.files],
        "left_out": [list(pair) for pair in report.left_out],
        "renamed": dict(report.renamed),
        "kept": str(report.kept) if report.kept is not None else None,
    }
    lines = [f"{report.written} faces written to {args.out} ({summary.scheme})"]
    lines += [f"{name}: {count}" for name, count in summary.splits.items()]
    lines += [f"{report.images} images"] if report.images else []
    lines += [f"{summary.predicted} of them are predictions"] if summary.predicted else []
    lines += [f"what was there before is kept in {report.kept}"] if report.kept is not None else []
    lines += [f"left out: {image}: {reason}" for image, reason in report.left_out[:5]]
    return Outcome(values, lines)


def run_formats(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.io.formats import formats

    rows = [
        {
            "id": format_.id,
            "title": format_.title,
            "schemes": list(format_.schemes),
            "variants": dict(format_.variants),
            "occluded": format_.holds.occluded,
            "missing": format_.holds.missing,
            "box": format_.holds.box,
            "attributes": format_.holds.attributes,
        }
        for format_ in formats().values()
    ]
    lines = [f"{f.id:8} {f.title:24} {', '.join(f.variants)}".rstrip() for f in formats().values()]
    return Outcome({"formats": rows}, lines)


def run_info(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.session.expected import spoken

    values: dict[str, Any] = {"version": __version__}
    lines = [f"SCAF GUI {__version__}"]
    if args.project is not None:
        with opened(args.project, progress) as session:
            restore(session)
            states = Counter(face.state for face in session.document)
            line = session.expected.finish()
            values |= {
                "project": str(session.path),
                "scheme": session.scheme.id,
                "image_folder": str(session.folder),
                "images": len({face.image for face in session.document}),
                "faces": len(session.document),
                "states": {state.value: states[state] for state in State},
                "without_box": sum(face.box is None for face in session.document),
                "boxes": session.box_source,
                "model": session.model.to_json() if session.model else None,
                "models": len(session.models),
                "last_refresh": session.store.get("last_refresh"),
                "ranked_by": session.agenda.ranked_by or "random",
                "calibration_faces": len(session.expected.faces),
                "finish": asdict(line) if line is not None else None,
                "current": session.current,
                "notice": session.notice,
            }
        lines += [f"{key}: {value}" for key, value in values.items() if value not in (None, "") and key != "finish"]
        lines += spoken(line)
    if args.system or args.project is None:
        values["system"] = system()
        lines += [f"{key}: {value}" for key, value in values["system"].items()]
    return Outcome(values, lines)


def system() -> dict[str, Any]:
    """Versions, device and why, and the folders in use."""
    from scaf_gui.learning.device import choose_device

    device = choose_device()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": device.kind,
        "device_why": device.why,
        "versions": {name: _version(name) for name in _LIBRARIES},
        "settings": str(Settings().path),
        "config_folder": str(paths.config_folder()),
        "cache_folder": str(paths.cache_folder()),
        "documents_folder": str(paths.documents_folder()),
        "resource_folder": str(paths.resource_folder()),
        "model_folder": str(paths.model_folder()),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def run_schemes(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.core.scheme import load_scheme
    from scaf_gui.session.project import schemes

    rows = []
    for scheme_id, path in schemes().items():
        scheme = load_scheme(path)
        rows.append({"id": scheme_id, "title": scheme.title, "landmarks": scheme.num_landmarks, "file": str(path)})
    return Outcome({"schemes": rows}, [f"{row['id']:12} {row['landmarks']:4}  {row['title']}" for row in rows])
