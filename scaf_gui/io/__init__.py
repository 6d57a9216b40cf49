"""Files: images, the project file, the cache, the face detector, label formats."""
