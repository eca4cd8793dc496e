"""What words mean: versioned tables of findings, sites, quantities and reasons, in zh and en."""
