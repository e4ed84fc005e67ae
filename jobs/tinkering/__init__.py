"""Sheets that are made: from templates with ranges, and as variations of a job that one likes."""
