"""One small harness for each parser of foreign bytes."""
