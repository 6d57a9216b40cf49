"""The embedded sample: seeded renders of shaded 3D faces with exact landmarks, free to redistribute."""
