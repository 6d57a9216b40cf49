"""The installed build of Qt's bindings keeps count of Python's own objects; see docs/decisions.md."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal


class Sender(QObject):
    told = Signal(object)


def test_emitting_a_signal_keeps_the_references_to_true_and_none(qapp: object) -> None:
    sender, heard = Sender(), []
    sender.told.connect(heard.append)
    sender.told.emit(0)
    before = sys.getrefcount(True), sys.getrefcount(None)
    for number in range(200):
        sender.told.emit(number)
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert len(heard) == 201
    # A binding that loses one reference per signal is 200 short; a few come and go by themselves.
    assert all(abs(now - then) < 50 for now, then in zip(after, before, strict=True))
