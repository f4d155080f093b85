"""A job's report: as sections, and these in a terminal, a workbook, a CSV file or a page."""
