"""Quantitative chest CT: lungs by density and connectivity; arrays in, measured values out."""
