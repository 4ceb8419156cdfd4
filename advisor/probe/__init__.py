"""What this machine has. Nothing in a probe raises: a reading that fails carries the reason."""
