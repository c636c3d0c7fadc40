"""The node service: one reader for all users of a machine, behind a socket that tells who asks."""
