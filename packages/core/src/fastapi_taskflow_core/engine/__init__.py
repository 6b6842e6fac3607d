"""What is alive while the application runs."""
