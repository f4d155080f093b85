"""Jobs while they run: steps committed and published, outcomes judged, what nobody redelivers healed."""
