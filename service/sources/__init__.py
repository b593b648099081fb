"""Where sound comes from: microphone, stream, file. Each owns one capture thread and fills one inbox."""
