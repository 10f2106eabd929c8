"""Who calls the gateway, and what it may do."""
