"""The whole life cycle of a model: every stage a line of its own, what is left out named."""
