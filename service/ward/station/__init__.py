"""The nurse station: which rooms of a ward nobody hears and which cry, on a page, on MQTT and for Prometheus."""
