"""How much load one replica of a model carries, and how many replicas, on which machines, the users need."""
