"""Chapter 12, learning-rate schedules: its text, exercises, experiments and figures."""
