"""Which model pre-fills, and how many labels it has not learnt from yet: in the training panel and the status bar."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from scaf_gui.core.face import State
from scaf_gui.gui.finish_line import FinishLineView
from scaf_gui.gui.queue_panel import COUNT_MS
from scaf_gui.gui.status import Status
from scaf_gui.gui.training_panel import TrainingPanel
from scaf_gui.session.session import Session


class ModelSign(QObject):
    """Keeps what is said of a session's model up to date; labels are counted once where many change at a time."""

    def __init__(self, training: TrainingPanel, finish: FinishLineView, status: Status, parent: QObject):
        super().__init__(parent)
        self._training, self._finish, self._status = training, finish, status
        self._session: Session | None = None
        self._count = QTimer(self)
        self._count.setSingleShot(True)
        self._count.setInterval(COUNT_MS)
        self._count.timeout.connect(self.count)

    def open(self, session: Session | None) -> None:
        self._session = session
        self._count.stop()
        if session is None:
            self._training.reset()
            self._status.show_model("")
        else:
            self.show()

    def show(self) -> None:
        """The model may be another one."""
        session = self._session
        if session is None:
            return
        model = session.model
        self._training.show_model(model)
        self._finish.refresh()
        self._training.show_history(session.models, model.id if model is not None else "")
        self._status.show_model("No model yet" if model is None else f"Model: {model.title or model.id}")
        self.count()

    def count_soon(self) -> None:
        """Labels have changed, and more may."""
        if not self._count.isActive():
            self._count.start()

    def count(self) -> None:
        session = self._session
        if session is None:
            return
        labelled = session.document.with_state(State.LABELLED)
        known = set(session.model.trained_on) if session.model is not None else set()
        self._training.show_labels(len(labelled), sum(face.id not in known for face in labelled))
