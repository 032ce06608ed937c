"""What Prometheus is told: everything from the database, so that any process may be asked."""
