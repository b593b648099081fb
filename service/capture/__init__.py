"""Where sound comes in: microphone, stream, recording. Each source owns one capture thread and fills one inbox."""
