"""Long jobs: shown, stopped and continued."""
