"""The canvas: one photo with the landmarks of one face, to be looked at and dragged."""

from scaf_gui.gui.canvas.tool_canvas import ToolCanvas as Canvas

__all__ = ["Canvas"]
