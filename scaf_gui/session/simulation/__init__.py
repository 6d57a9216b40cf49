"""Simulated annotation: the method's experiments on folders whose labels are known, as resumable cells.

``faces`` reads labelled folders, ``cells`` says what there is to do, ``trainings`` keeps what has been trained,
``runner`` does it, ``results`` is the CSV file, ``report`` and ``plot`` show it.
"""
