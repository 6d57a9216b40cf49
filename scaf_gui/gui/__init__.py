"""The window. The only package that knows Qt; it shows previews and holds no truth."""
