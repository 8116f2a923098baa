"""What a study found: from the aggregate files to tables and figures."""
