"""The columns of a sheet: their types, choices and bounds, and text read as such."""
