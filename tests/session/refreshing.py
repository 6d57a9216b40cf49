from __future__ import annotations

from tests.jobs import finish


def refresh(session, preset, **options):
    """Run a refresh to its end; returns its result and all that it yielded."""
    return finish(session.refresh(session.snapshot(), preset=preset, device="cpu", **options), session.take)
