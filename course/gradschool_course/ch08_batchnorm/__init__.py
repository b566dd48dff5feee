"""Chapter 8: batch normalization and its relatives."""
