from __future__ import annotations


def refresh(session, preset, **options):
    """Run a refresh to its end; returns its result and all that it yielded."""
    work, events = session.refresh(session.snapshot(), preset=preset, device="cpu", **options), []
    while True:
        try:
            events.append(next(work))
            session.take(events[-1])
        except StopIteration as end:
            return end.value, events
