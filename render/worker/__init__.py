"""The process that renders for a farm."""
