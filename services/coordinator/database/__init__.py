"""The job database: jobs, rows, attempts, reservations and the audit trail. Only the coordinator imports it."""
