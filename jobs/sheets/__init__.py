"""Sheets: files into jobs, or every mistake."""
