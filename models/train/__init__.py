"""Recipes: how the weights of a pack came to be, to be run again by anybody."""
