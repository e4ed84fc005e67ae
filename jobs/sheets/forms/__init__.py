"""The forms of a sheet: CSV, flat and nested YAML into rows of cells; specs into nested YAML."""
