"""Data for the chapters: seeded generators and real sets that well-kept libraries carry."""
