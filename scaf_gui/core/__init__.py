"""What a face, a label, a prediction, an edit and a queue are. numpy only."""
