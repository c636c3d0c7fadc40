"""What the hub makes of all its records together: trends, map, awards, comparisons, reviews, projects, quality."""
