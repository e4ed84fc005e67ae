"""Super-resolution: networks that make pictures larger or cleaner, planned without a framework."""
