"""Commands about the model and the queue: train, predict, queue, label-from, evaluate."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scaf_gui.cli.output import Outcome, Progress
from scaf_gui.cli.parsing import Choices, device_argument, positive, project_argument, seconds, share
from scaf_gui.cli.work import drive, find_boxes, follow, opened, restore
from scaf_gui.core.metrics import Evaluation
from scaf_gui.settings import Settings


def presets() -> list[str]:
    from scaf_gui.learning.presets import PRESETS

    return list(PRESETS)


def acquisitions() -> list[str]:
    from scaf_gui.learning.acquisition import ACQUISITIONS

    return list(ACQUISITIONS)


def register(commands: Any) -> None:
    train = commands.add_parser("train", help="train on the labels, judge, and reorder the queue")
    project_argument(train)
    train.add_argument("--mode", choices=("quick", "full"), default="quick", help="refine the model, or start anew")
    train.add_argument("--preset", default="default", metavar="NAME", choices=Choices(presets), help="%(choices)s")
    train.add_argument("--seed", type=int, default=None, help="default: the project's")
    train.add_argument("--max-seconds", type=seconds, default=None, metavar="S", help="end training by then")
    train.add_argument("--no-judge", action="store_true", help="train on every label and take the new model as it is")
    device_argument(train)
    train.set_defaults(run=run_train)

    predict = commands.add_parser("predict", help="pre-fill and score every face that waits")
    project_argument(predict)
    device_argument(predict)
    predict.set_defaults(run=run_predict)

    queue = commands.add_parser("queue", help="show the order of work, or make a new one")
    project_argument(queue)
    queue.add_argument("--acquisition", metavar="NAME", choices=Choices(acquisitions), help="%(choices)s")
    queue.add_argument("--discard", type=share, default=None, metavar="SHARE", help="set aside (default 0.1)")
    queue.add_argument("--seed", type=int, default=None, help="of a random order; default: the project's")
    queue.add_argument("--top", type=positive, default=None, metavar="K", help="only the first K faces")
    queue.set_defaults(run=run_queue)

    label = commands.add_parser("label-from", help="label the next faces of the queue from true .pts files")
    project_argument(label)
    label.add_argument("truth", type=Path, metavar="DIR", help="folder of .pts files")
    label.add_argument("--count", type=positive, required=True, metavar="K")
    label.set_defaults(run=run_label_from)

    evaluate = commands.add_parser("evaluate", help="NME, failure rate, AUC and drags per face")
    project_argument(evaluate)
    evaluate.add_argument("--truth", type=Path, required=True, metavar="DIR", help="folder of true .pts files")
    evaluate.add_argument("--what", choices=("predictions", "labels"), default="predictions")
    evaluate.add_argument("--include-trained", action="store_true", help="also faces the model was trained on")
    evaluate.add_argument("--images", type=Path, metavar="DIR", help="evaluate on this folder, not the project's")
    evaluate.add_argument(
        "--boxes", choices=("detector", "whole", "landmarks"), default="detector", help="with --images; landmarks: true"
    )
    device_argument(evaluate)
    evaluate.set_defaults(run=run_evaluate)


def _device(args: argparse.Namespace) -> str:
    return str(args.device or Settings()["device"])


def run_train(args: argparse.Namespace, progress: Progress) -> Outcome:
    with opened(args.project, progress) as session:
        restore(session)
        frozen = session.snapshot()
        if len(frozen.faces) >= 2:  # else the refresh says so, without searching a folder of photos first
            find_boxes(session, progress)
            frozen = session.snapshot()
        work = session.refresh(
            frozen,
            args.mode,
            args.preset,
            args.seed,
            _device(args),
            args.max_seconds,
            judge=not args.no_judge,
        )
        result = drive(session, "Training", work, progress)
        values = {
            "kept_new": result.kept_new,
            "model": session.model.id if session.model else None,
            "old_error": result.old_error,
            "new_error": result.new_error,
            "judged_on": result.judged_on,
            "labels": result.labels,
            "trained_on": len(result.model.trained_on) if result.model else 0,
            "seconds": round(result.seconds, 2),
            "device": result.device,
            "message": result.message,
            "scored": len(session.queue.scores or {}),
            "waiting": len(session.agenda.waiting()),
            "ranked_by": session.agenda.ranked_by or "random",
        }
    return Outcome(values, [result.message, f"{result.seconds:.0f} s on {result.device}"])


def run_predict(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.errors import UsageError

    with opened(args.project, progress) as session:
        if session.model is None:
            raise UsageError("the project has no model yet: label two faces or more and train one")
        without = find_boxes(session, progress)
        session.work.look_twice_at_all()
        drive(session, "Pre-filling", session.prefill(device=_device(args)), progress)
        predicted = sum(session.document.prediction(face_id) is not None for face_id in session.agenda.waiting())
        values = {
            "model": session.model.id,
            "predicted": predicted,
            "waiting": len(session.agenda.waiting()),
            "without_face": without,
            "failed": {session.document.face(i).image: why for i, why in session.problems.items()},
            "ranked_by": session.agenda.ranked_by or "random",
        }
    return Outcome(values, [f"{predicted} of {values['waiting']} waiting faces predicted by {values['model']}"])


def run_queue(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.session.acquire import reorder

    with opened(args.project, progress) as session:
        restore(session)
        if args.acquisition is not None or args.discard is not None or args.seed is not None:
            reorder(session, args.acquisition, args.discard, args.seed)
        agenda, queue = session.agenda, session.queue
        scores = queue.scores or {}
        rows = [
            {
                "face": face_id,
                "image": session.document.face(face_id).image,
                "state": session.document.face(face_id).state.value,
                "score": scores.get(face_id),
                "expected_error": session.expected.face(face_id),
                "drawn": face_id in queue.drawn,
                "set_aside": face_id in queue.set_aside,
            }
            for face_id in agenda.upcoming(args.top or len(session.document))
        ]
        values = {
            "acquisition": agenda.ranked_by or "random",
            "discard": agenda.discard,
            "model": session.model.id if session.model else None,
            "waiting": len(agenda.waiting()),
            "set_aside": len(queue.set_aside & set(agenda.waiting())),
            "faces": rows,
        }
    lines = [f"{values['waiting']} faces wait, ordered by {values['acquisition']}, {values['set_aside']} set aside"]
    for row in rows:
        score = "" if row["score"] is None else f"{row['score']:.3f}"
        error = "" if row["expected_error"] is None else f"~{row['expected_error']:.1f} %"
        place = "aside" if row["set_aside"] else "drawn" if row["drawn"] else ""
        lines.append(f"{row['face']:6} {score:>10} {error:>8} {place:5} {row['image']}")
    return Outcome(values, lines)


def run_label_from(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.session.annotator import label_from

    with opened(args.project, progress) as session:
        restore(session)
        done = follow("Labelling", label_from(session, args.truth, args.count), progress)
        values = {
            "labelled": len(done.face_ids),
            "faces": list(done.face_ids),
            "images": [session.document.face(face_id).image for face_id in done.face_ids],
            "without_truth": list(done.without_truth),
            "waiting": len(session.agenda.waiting()),
            "before": figures(done.before),
        }
    lines = [f"{values['labelled']} faces labelled, {values['waiting']} wait"]
    if done.before.faces:
        lines.append(f"predictions met: NME {done.before.nme:.2f} %, {done.before.drags_3:.1f} drags per face")
    return Outcome(values, lines)


def figures(evaluation: Evaluation) -> dict[str, float | int]:
    return asdict(evaluation)


def run_evaluate(args: argparse.Namespace, progress: Progress) -> Outcome:
    from scaf_gui.session.evaluation import evaluate_folder, evaluate_labels, evaluate_predictions

    with opened(args.project, progress) as session:
        normaliser = "inter-ocular" if session.scheme.normaliser else "box size"
        if args.what == "labels":
            report = evaluate_labels(session, args.truth)
        else:
            device = _device(args)
            if args.images is not None:
                work = evaluate_folder(session, args.truth, args.images, boxes=args.boxes, device=device)
            else:
                find_boxes(session, progress)
                work = evaluate_predictions(session, args.truth, device=device, include_trained=args.include_trained)
            report = follow("Evaluating", work, progress)
    values = {
        **figures(report.figures),
        "what": report.what,
        "model": report.model or None,
        "normaliser": normaliser,
        "without": list(report.without),
        "trained_on": report.trained_on,
    }
    seen = report.figures
    lines = [
        f"{seen.faces} faces, {report.what}: NME {seen.nme:.2f} % ({normaliser}), "
        f"{seen.drags_3:.1f} drags per face at 3 %, {seen.drags_5:.1f} at 5 %",
        f"failures {seen.failure_8:.1f} % at 8 %, {seen.failure_10:.1f} % at 10 %; "
        f"AUC {seen.auc_8:.3f} at 8 %, {seen.auc_10:.3f} at 10 %",
    ]
    lines += [f"{report.trained_on} faces left out: the model was trained on them"] if report.trained_on else []
    lines += [f"{len(report.without)} faces could not be compared"] if report.without else []
    return Outcome(values, lines)
