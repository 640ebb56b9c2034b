"""P10–P16: lists on their way in. Every page finds its list inside the reader's scope or answers 404."""
