"""What stands behind ./dev: set-up, supervisor, tests, checks. Production imports none of it."""
