"""From a job request to a job's rows: read, mapped, validated, compared with what was shipped before."""
