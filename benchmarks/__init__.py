"""Speed, memory and quality, measured against peers in one run."""
