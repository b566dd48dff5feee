"""Chapter 10, faster optimizers: from gradient descent to Nadam, each as one pure step on a dict of arrays."""
