"""Super-resolution in three stages, planned without a framework."""
