"""The bus's sharp parts, once: topology, publishing with PubAck, heartbeats, the watchdog, the service's life."""
