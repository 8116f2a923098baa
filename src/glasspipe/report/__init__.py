"""From the aggregate files to statistics, tables, figures and the report."""
