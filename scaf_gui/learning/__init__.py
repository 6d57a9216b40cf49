"""Networks, training, prediction and acquisition: the only package that knows torch."""

import os

# Read once, when torch loads its OpenMP: threads that wait give their core away instead of spinning on it.
# Beside a busy window, or any other busy program, that is several times faster, and never slower by much.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
