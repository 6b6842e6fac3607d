"""fastapi-taskflow core."""
