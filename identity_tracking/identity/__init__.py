"""Whose activity is it? The one room that answers that; it knows no request and no wire format."""
