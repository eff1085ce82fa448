"""The models as the migrations leave them."""
