"""What is told, in words and in payloads: pure functions, without thread, socket, disk or clock."""
