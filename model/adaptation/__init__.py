"""What one home teaches a bundle: a small change of its cry head, learnt from the family's word and checked."""
