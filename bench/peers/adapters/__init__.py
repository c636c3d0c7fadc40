"""One file for each tool: how its own documents say to use it, and where its joules can be read afterwards.

Each file is loaded by path in an interpreter of that tool's environment, and imports the tool only when told to.
It offers

    load(): import what a user would import;
    class Use(plan): `start()`, `epoch()` at the end of each epoch, and `stop()` with the joules handed back or None;
    kept(folder, printed, part): rows that can be read after the end, each with its joules and the run it is part of.
"""
