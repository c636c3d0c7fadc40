"""The same runs under Sootprint and under other tools, on one fake node, side by side."""
