"""The catalogue's upkeep, put together: what ships, what the user added, the engine and the Hub."""
