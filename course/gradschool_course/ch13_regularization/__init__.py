"""Chapter 13, regularization: its text, exercises, experiments and figures."""
