"""Pure foundations: units, quantities with intervals, records, energy and carbon. Standard library only."""
