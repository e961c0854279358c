"""The whole database in one sealed file, and back; from either engine to either."""
