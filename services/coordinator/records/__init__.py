"""What is kept of jobs: the audit trail, reports, and what is purged."""
