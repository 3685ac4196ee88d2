"""The view of one panel: what the document says, arranged for a reader. It judges nothing and holds no medicine."""
