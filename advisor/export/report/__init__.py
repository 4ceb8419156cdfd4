"""A recommendation file as a report: what it says is put together once and rendered by each target."""
