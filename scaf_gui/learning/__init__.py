"""The part that owns torch: networks, training, prediction, acquisition functions, checkpoints."""
