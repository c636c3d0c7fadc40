"""Trainings that measure and pause themselves: plain PyTorch, Lightning, Transformers and Keras.

Each module loads its framework on first use. Rank 0 decides when to pause and the others follow; what is needed to go
on exactly is saved, and the process ends with exit code 75. `SOOTPRINT_RESUME=1` makes the same command go on.
"""
