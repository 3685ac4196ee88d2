"""The researcher's table of what is stored: de-identified unless the reader may see more, streamed in flat memory."""
