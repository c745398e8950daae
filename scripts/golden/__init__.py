"""Numbers that the papers' released code gave for weights and inputs made by rule, and how to compare with them."""
