"""Documents made from a recommendation."""
