"""``python -m scaf_gui``."""

import sys

from scaf_gui.app import main

if __name__ == "__main__":
    sys.exit(main())
