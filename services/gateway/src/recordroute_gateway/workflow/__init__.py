"""The durable work on recordings."""
