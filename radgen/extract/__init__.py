"""Report text as findings: what a Chinese or English report says is there, absent, or unknown."""
