"""An open project: document, store, queue and model, and the long work that joins them."""
