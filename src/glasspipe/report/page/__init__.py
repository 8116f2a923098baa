"""The report of a study as one page of HTML, to be read without a network and sent by mail."""
