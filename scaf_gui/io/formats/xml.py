"""Reading XML element by element, in bounded memory, with the line of each; nothing in it is expanded or fetched.

Python's expat parser is used as it is: it knows the line of every element, which wrappers do not tell. A document
type is refused outright, and with it every entity that a file could declare: no nesting of entities can blow up,
and no file or address can be pulled in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from scaf_gui.errors import LabelFileError

_CHUNK = 1 << 16
_DEEPEST = 32
#: elements within one image: a thousand faces of a thousand landmarks
_MOST = 1_000_000


@dataclass
class Element:
    """An element with what is in it; ``line`` is where it starts."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""


class _Builder:
    """Collects the elements of one name; everything around them is passed over."""

    def __init__(self, path: Path, root: str, wanted: str):
        self.done: deque[Element] = deque()
        self._path, self._root, self._wanted = path, root, wanted
        self._depth = self._count = 0
        self._open: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        if not self._depth and tag != self._root:
            raise LabelFileError(
                f"is not such a label file: it starts with <{tag[:40]}>, not <{self._root}>", self._path, line
            )
        self._depth += 1
        if self._depth > _DEEPEST:
            raise LabelFileError(f"has elements nested deeper than {_DEEPEST}", self._path, line)
        if not self._open and tag != self._wanted:
            return
        self._count += 1
        if self._count > _MOST:
            raise LabelFileError(f"has more than {_MOST} elements within one <{self._wanted}>", self._path, line)
        element = Element(tag, attributes, line)
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if self._open:
            element = self._open.pop()
            if not self._open:
                self._count = 0
                self.done.append(element)

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def _refuse(self, *declaration: object) -> None:
        line = self.parser.CurrentLineNumber
        raise LabelFileError("declares a document type or entities, which no label file needs", self._path, line)


def elements(path: Path, root: str, wanted: str) -> Iterator[Element]:
    """The elements named ``wanted``, each with all that is in it, one at a time.

    :param root: what the outermost element has to be
    :raises LabelFileError: unreadable, not XML, or with a document type (names the line)
    """
    builder = _Builder(path, root, wanted)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                builder.parser.Parse(chunk, False)
                while builder.done:
                    yield builder.done.popleft()
            builder.parser.Parse(b"", True)
    except OSError as error:
        raise LabelFileError(f"cannot be read ({error.strerror})", path) from error
    except expat.ExpatError as error:
        reason = expat.errors.messages[error.code]
        raise LabelFileError(
            f"is not XML, or is cut short ({reason}); nothing behind it is read", path, error.lineno
        ) from error
    except (LookupError, ValueError) as error:  # an encoding that is not known, or lies
        raise LabelFileError("is in an encoding that is not known", path) from error
    while builder.done:
        yield builder.done.popleft()
