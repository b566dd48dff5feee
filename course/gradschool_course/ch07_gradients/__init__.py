"""Chapter 7, vanishing and exploding gradients: its text, exercises, experiments and figures."""
