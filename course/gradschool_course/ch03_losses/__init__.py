"""Chapter 3, losses and metrics: its text is chapter.md, its exercises are in `exercises`, its plots in `figures`."""
