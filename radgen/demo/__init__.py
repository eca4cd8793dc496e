"""A small archive and generated studies, so that everything can be tried on one machine."""
