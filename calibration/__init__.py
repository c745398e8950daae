"""Once per portrait, per person or per room: values in, values out."""
