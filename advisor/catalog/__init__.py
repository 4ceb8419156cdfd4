"""What the knowledge directory says, as domain values."""
