from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from conftest import take_all
from scaf_gui.core.edits import change_face
from scaf_gui.errors import FolderError, NewerProjectError, NotAProjectError, ProjectError, ScafError, SchemeError
