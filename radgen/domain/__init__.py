"""The words of the project: frozen values, standard library and numpy only."""
