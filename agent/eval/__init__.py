"""`agent eval`: engines side by side on clips, by the measures of the field."""
