"""Chapter 9: transfer learning."""
