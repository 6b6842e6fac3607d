"""What open dashboards are told while they are open."""
