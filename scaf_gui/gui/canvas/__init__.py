"""The canvas: one photo with the landmarks of one face, to be looked at and dragged."""

from scaf_gui.gui.canvas.canvas import Canvas

__all__ = ["Canvas"]
