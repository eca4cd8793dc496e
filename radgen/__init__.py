"""The engine: a complete study in, a preliminary structured report out."""
