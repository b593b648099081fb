"""What happens to sound on its way to a microphone: rooms, codecs, noises, speed and level."""
