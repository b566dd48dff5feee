"""Chapter 4: backpropagation and automatic differentiation."""
