"""The process that trains one job."""
