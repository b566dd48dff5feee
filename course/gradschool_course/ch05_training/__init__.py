"""Chapter 5, gradient descent and the training loop: its text, exercises, experiments and figures."""
