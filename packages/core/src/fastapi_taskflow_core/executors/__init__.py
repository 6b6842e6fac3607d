"""The ways to call a function."""
