"""What is true about each study: the only SQL of the engine."""
