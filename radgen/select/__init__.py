"""Which images of a study are read, by which pack, and why the others are not; pure."""
