"""The interfaces of other tools over our own measuring: change the import, and a script goes on.

Each module takes the arguments of its tool and gives its results in that tool's names and units; what measures is
`sootprint.track`, whose record with intervals goes to the ledger beside.
"""
